// What this browser knows from one page to the next: the session, for as long as the tab is open,
// and for whom an authenticator app was set up.
const session = 'otpd-demo-session';
const app = 'otpd-demo-app';

export const keptSession = () => sessionStorage.getItem(session);
export const keepSession = (token) => sessionStorage.setItem(session, token);
export const forgetSession = () => sessionStorage.removeItem(session);

// {user, factor}, or null.
export function keptApp() {
  try {
    const kept = JSON.parse(localStorage.getItem(app));
    return kept?.user && kept?.factor ? kept : null;
  } catch {
    return null;
  }
}
export const keepApp = (kept) => localStorage.setItem(app, JSON.stringify(kept));
export const forgetApp = () => localStorage.removeItem(app);

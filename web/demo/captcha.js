// Captchas: an ALTCHA proof of work, done by ALTCHA's own widget.

const timeLimitMs = 60_000;

// The widget comes when it is needed. Its worker is a file of ours, as the page's policy wants it.
async function load() {
  if (customElements.get('altcha-widget')) return;
  const style = document.createElement('link');
  style.rel = 'stylesheet';
  style.href = '/demo/altcha.css';
  document.head.append(style);
  await import('/demo/altcha.js');
  globalThis.$altcha.algorithms.set('PBKDF2/SHA-256', () => new Worker('/demo/altcha_pbkdf2.js'));
}

// Shows the widget in `holder` while it works. The payload that answers the challenge, or null if
// it could not be found in time.
export async function solveCaptcha(challenge, holder) {
  try {
    await load();
    const widget = document.createElement('altcha-widget');
    const ready = new Promise((resolve) => { widget.addEventListener('load', resolve); });
    holder.replaceChildren(widget);
    holder.hidden = false;
    await ready;
    widget.configure({ challenge, timeout: timeLimitMs, humanInteractionSignature: false });
    const solved = await widget.verify();
    return solved?.payload ?? null;
  } catch {
    return null;
  } finally {
    holder.hidden = true;
    holder.replaceChildren();
  }
}

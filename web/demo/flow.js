// The page as a state machine: next(state, event) -> state. Pure: no DOM, no clock, no network.
//
// Screens: start (address), code, link (a password-reset link was opened), done, ended.

export const initial = () => ({
  screen: 'start',
  busy: null,      // which action runs: send, resend, verify, logout
  problem: null,   // {error, …} of the last refusal
  during: null,    // the action that was refused
  until: 0,        // when the refused action makes sense again, in ms; 0: at once
  request: null,   // what was sent: {phone|email, purpose, context?}
  sent: null,      // {id, channel, sentAt, expiresAt, resendAt, attempts, over}
  delivery: null,  // {status, error}
  linkToken: null,
  session: null,   // {token, claims, proof}
  user: null,
});

const quiet = { busy: null, problem: null, during: null, until: 0 };
const seconds = (count) => count * 1000;

function accepted(state, { answer, request, now }) {
  const first = state.screen === 'code' && state.sent && !state.sent.over ? state.sent.sentAt : now;
  return {
    ...state,
    ...quiet,
    screen: 'code',
    request,
    delivery: { status: answer.status, error: null },
    sent: {
      id: answer.verification_id,
      channel: answer.channel,
      sentAt: first,
      expiresAt: now + seconds(answer.expires_in),
      resendAt: now + seconds(answer.resend_after),
      attempts: answer.attempts_remaining,
      over: null,
    },
  };
}

// A send that was refused because one has just gone out: there is a code to enter.
function alreadySent(state, { problem, request, now }) {
  return {
    ...state,
    ...quiet,
    screen: 'code',
    request,
    problem,
    during: 'resend',
    until: now + seconds(problem.retry_after),
    delivery: null,
    sent: {
      id: null, channel: request.phone ? 'sms' : 'email', sentAt: now, expiresAt: 0,
      resendAt: now + seconds(problem.retry_after), attempts: null, over: null,
    },
  };
}

function afterVerify(sent, problem) {
  if (!sent) return sent;
  if (problem.error === 'invalid_otp') return { ...sent, attempts: problem.attempts_remaining };
  if (problem.requires_new_otp) {
    const over = problem.error === 'attempts_exhausted' ? 'exhausted' : 'expired';
    return { ...sent, over, attempts: over === 'exhausted' ? 0 : sent.attempts };
  }
  return sent;
}

function refused(state, event) {
  const { during, problem, now } = event;
  const early = problem.error === 'rate_limited' && problem.limit === 'resend';
  if (during === 'send' && early) return alreadySent(state, event);
  const until = problem.retry_after ? now + seconds(problem.retry_after) : 0;
  let sent = during === 'verify' ? afterVerify(state.sent, problem) : state.sent;
  if (during === 'resend' && sent && until) sent = { ...sent, resendAt: until };
  return { ...state, busy: null, problem, during, until, sent };
}

function tick(state, now) {
  const { sent } = state;
  if (state.screen !== 'code' || !sent || sent.over || !sent.expiresAt) return state;
  if (now < sent.expiresAt) return state;
  return {
    ...state,
    sent: { ...sent, over: 'expired' },
    problem: { error: 'otp_expired', requires_new_otp: true },
    during: 'verify',
    until: 0,
  };
}

function delivered(state, { id, status, error }) {
  if (state.screen !== 'code' || state.sent?.id !== id) return state;
  return { ...state, delivery: { status, error: error ?? null } };
}

const steps = {
  began: (state, { action }) => ({ ...state, ...quiet, busy: action }),
  accepted,
  refused,
  tick: (state, { now }) => tick(state, now),
  delivery: delivered,
  link: (_, { token }) => ({ ...initial(), screen: 'link', linkToken: token }),
  verified: (state, { answer }) => ({
    ...state,
    ...quiet,
    screen: 'done',
    linkToken: null,
    user: answer.user_id,
    session: answer.session_token ? { token: answer.session_token, claims: null, proof: null } : null,
  }),
  introspected: (state, { claims }) =>
    (state.session ? { ...state, session: { ...state.session, claims } } : state),
  loggedOut: (state, { proof }) =>
    ({ ...state, ...quiet, screen: 'ended', session: { ...state.session, proof } }),
  restart: () => initial(),
};

export const next = (state, event) => steps[event.type](state, event);

// What the person can do now.
export const canResend = (state, now) => !state.busy && Boolean(state.sent) && now >= state.sent.resendAt;
export const canVerify = (state, now) =>
  !state.busy && !state.sent?.over && !(state.during === 'verify' && now < state.until);
export const canSend = (state, now) => !state.busy && !(state.during === 'send' && now < state.until);

// Only what a code can be made of; full-width and Arabic digits become ASCII.
export function digitsOf(text) {
  return Array.from(text.normalize('NFKC'))
    .map((char) => {
      const zero = [0x0660, 0x06f0].find((base) => char >= String.fromCodePoint(base)
        && char <= String.fromCodePoint(base + 9));
      return zero ? String(char.codePointAt(0) - zero) : char;
    })
    .filter((char) => char >= '0' && char <= '9')
    .slice(0, 10)
    .join('');
}

// The request that the form means: {phone|email, purpose?, context?}.
export function requestOf({ kind, address, purpose, amount, currency, payee }) {
  const request = { [kind]: address.trim() };
  if (purpose !== 'login') request.purpose = purpose;
  if (purpose === 'transaction') {
    request.context = {
      amount: amount.trim(), currency: currency.trim().toUpperCase(), payee: payee.trim(),
    };
  }
  return request;
}

// The token of a link `…/demo#token=…`, or null.
export function linkTokenOf(hash) {
  const token = new URLSearchParams(hash.replace(/^#/, '')).get('token');
  return token && /^[A-Za-z0-9_.-]{1,256}$/.test(token) ? token : null;
}

// What the page says. Pure: words from values, no DOM, no clock.

const plural = (count, noun) => `${count} ${noun}${count === 1 ? '' : 's'}`;

// "0:07", "4:59", "29:00".
export function clock(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

// "in 24 seconds", and for longer waits when: "in 12 minutes, at 14:32".
export function wait(seconds, atMs) {
  if (seconds <= 0) return 'now';
  if (seconds <= 90) return `in ${plural(Math.ceil(seconds), 'second')}`;
  const time = new Date(atMs).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  const minutes = Math.ceil(seconds / 60);
  return `in ${minutes < 60 ? plural(minutes, 'minute') : 'about an hour'}, at ${time}`;
}

export const carriers = {
  sms: 'text message', voice: 'phone call', whatsapp: 'WhatsApp message', email: 'e-mail',
};

export const deliveries = {
  queued: 'Waiting for a carrier',
  sent: 'Handed to the carrier',
  delivered: 'Delivered',
  failed: 'Could not be delivered',
};

const deliveryErrors = {
  recipient_rejected: 'The carrier says that this address cannot receive messages.',
  carrier_unavailable: 'No carrier could take the message in time.',
  carrier_misconfigured: 'The carrier refused this service. Its operator has to look at it.',
  fallback_limited: 'There is no sign that the message arrived, and no other may be sent now.',
  too_late: 'The code ran out before a carrier took the message.',
};

export const deliveryFailure = (reason) => ({
  tone: 'error',
  title: 'The message did not get through',
  text: deliveryErrors[reason] ?? 'The carrier gave the message up.',
});

export const deadLink = {
  tone: 'error',
  title: 'This link is no longer valid',
  text: 'It has run out, or was used already. Ask for a new message.',
};

export const headings = {
  login: { start: 'Sign in', code: 'Check your messages', done: 'You are signed in' },
  transaction: {
    start: 'Approve a payment', code: 'Confirm the payment', done: 'Payment approved',
  },
  password_reset: {
    start: 'Reset your password', code: 'Check your messages', done: 'It is really you',
  },
};

export const leads = {
  login: 'We send you a code. No password to remember.',
  transaction: 'The code is bound to the amount and the payee. Change either and it is worthless.',
  password_reset: 'We send you a code and, by e-mail, a link. Either one proves that it is you.',
};

export const doneLeads = {
  login: 'The code was right, and is now used up. This session was opened for you.',
  transaction: 'The code was right, for exactly this amount and payee. No session was opened.',
  password_reset: 'A real application would now let you choose a new password.',
};

// "€249.90", or the plain words where the currency is unknown to the browser.
export function money({ amount, currency }) {
  try {
    return new Intl.NumberFormat([], { style: 'currency', currency }).format(amount);
  } catch {
    return `${amount} ${currency}`;
  }
}

const limited = {
  resend: (when) => ['Just a moment', `A code is already on its way. You can ask for another ${when}.`],
  recipient: (when) =>
    ['Too many codes', `This address has had as many codes as it may get for now. Try again ${when}.`],
  user: (when) =>
    ['Too many codes', `This user has had as many codes as allowed for now. Try again ${when}.`],
  ip: (when) =>
    ['Too many requests', `Too many codes were asked for from your network. Try again ${when}.`],
  factor: (when) =>
    ['Too many wrong codes', `This app's codes are locked for a while. Try again ${when}.`],
  recovery: (when) =>
    ['Too many wrong codes', `Recovery codes are locked for a while. Try again ${when}.`],
  ip_guesses: (when) =>
    ['Too many wrong codes', `Too many wrong codes came from your network. Try again ${when}.`],
  guesses: (when) =>
    ['Too many wrong codes', `Codes for this address are locked for a while. Try again ${when}.`],
};

// What a code looks like, by where it comes from.
const codes = {
  message: 'The code is made of digits only, as many as in the message.',
  app: 'The app shows a code of six digits.',
  recovery: 'A recovery code has ten letters and digits, xxxxx-xxxxx.',
};

const says = {
  invalid_phone: () => ['Not a phone number',
    'Start with + and the country code, for example +1 415 555 2671.'],
  invalid_email: () => ['Not an e-mail address', 'Check it for typos, for example ada@example.com.'],
  invalid_code: ({ of }) => ['Not a code', `${codes[of] ?? codes.message} This did not cost an attempt.`],
  invalid_otp: ({ attempts_remaining: left }) => ['Wrong code',
    `Look at the newest message again. You have ${plural(left, 'attempt')} left.`],
  attempts_exhausted: () => ['Too many wrong codes',
    'This code is locked, even if you find the right one now. Ask for a new one.'],
  otp_expired: () => ['This code is no longer valid',
    'It has run out, or was used already. Ask for a new one.'],
  recipient_not_allowed: () => ['We cannot send there',
    'Codes are not sent to this kind of number or country. Try another one.'],
  rate_limited: ({ limit }, when) => (limited[limit] ?? limited.ip)(when),
  too_many_factors: () => ['There are enough apps already',
    'Remove one that is not used any more, and add the new one then.'],
  name_taken: () => ['This name is taken', 'Choose another one.'],
  too_many_keys: () => ['There are enough keys already', 'Its operator has to revoke one first.'],
  captcha_required: () => ['One more check is needed',
    'Several codes were asked for in a short time. Your browser could not prove its work; try again.'],
  delivery_unavailable: (_, when) => ['No carrier is reachable',
    `The message cannot be sent right now. Nothing was charged. Try again ${when}.`],
  overloaded: (_, when) => ['Very busy right now',
    `The service is over its capacity. Nothing was lost. Try again ${when}.`],
  unavailable: (_, when) => ['Temporarily out of service',
    `The service cannot reach its store. Nothing was lost. Try again ${when}.`],
  in_progress: () => ['Still working on it', 'Your first request is still running. Try again in a second.'],
  idempotency_key_reused: () => ['That did not work', 'Press the button once more, please.'],
  unauthorized: () => ['Not open to browsers',
    'This service wants an API key here. Its operator has to open it for this page.'],
  forbidden: () => ['Not allowed', 'This service does not let this page do that.'],
  request_timeout: () => ['That took too long', 'The connection was too slow. Try again.'],
  invalid_request: ({ detail }) => ['That cannot be sent', detail ?? 'Check what you have entered.'],
  not_found: () => ['Nothing there', 'The service does not know this any more. Start again.'],
  internal: () => ['Something went wrong', 'That was our fault, and is in our log. Try again.'],
  network: () => ['No connection',
    'The service cannot be reached. Check your network; trying again is safe and sends nothing twice.'],
};
for (const name of ['method_not_allowed', 'unsupported_media_type', 'payload_too_large',
  'header_too_large']) {
  says[name] = () => ['This page does not fit the service', 'Reload it and try again.'];
}

// A secret as people type it: in groups of four.
export const grouped = (secret) => secret.match(/.{1,4}/g).join(' ');

// "Pixel · active · last used today at 14:32".
export function factorLine({ name, type, status, last_used_at: used, locked_until: locked }) {
  const shown = used && new Date(used).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
  return [
    name ?? (type === 'totp' ? 'Authenticator app' : 'Token'),
    locked ? 'locked for a while' : { active: 'active', pending: 'waiting for its first code' }[status],
    shown && `last used ${shown}`,
  ].filter(Boolean).join(' · ');
}

// Every error name that has words of its own.
export const knownErrors = Object.keys(says);

const calm = new Set(['rate_limited', 'captcha_required', 'overloaded', 'unavailable',
  'delivery_unavailable', 'in_progress', 'network']);

// The notice for a problem: {tone, title, text}. `nowMs` and `untilMs` say how long to wait.
export function explain(problem, nowMs, untilMs) {
  const say = says[problem.error] ?? says.internal;
  const when = untilMs ? wait((untilMs - nowMs) / 1000, untilMs) : 'in a moment';
  const [title, text] = say(problem, when);
  return { tone: calm.has(problem.error) ? 'warning' : 'error', title, text };
}

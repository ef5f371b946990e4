// The page as it looks for a state: show(state, now) writes the document, and nothing else does.
import * as texts from './texts.js';
import { canResend, canSend, canVerify } from './flow.js';

const byId = (id) => document.getElementById(id);
const screens = {
  start: 'start', code: 'code-screen', link: 'link-screen', done: 'done-screen', ended: 'ended-screen',
};

// Writes only what changed: a screen reader must not hear the same alert every second.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setNotice(node, notice) {
  node.hidden = !notice;
  if (!notice) {
    node.replaceChildren();
    return;
  }
  if (node.dataset.tone !== notice.tone) node.dataset.tone = notice.tone;
  const [title, text] = node.children.length === 2 ? node.children : [
    node.appendChild(document.createElement('b')),
    node.appendChild(document.createElement('span')),
  ];
  setText(title, notice.title);
  setText(text, notice.text);
}

export function setButton(button, { label, busy, enabled }) {
  setText(button.querySelector('.label') ?? button, label);
  button.dataset.busy = String(Boolean(busy));
  button.setAttribute('aria-disabled', String(!enabled));
}

export function setInvalid(input, invalid) {
  if (invalid) input.setAttribute('aria-invalid', 'true');
  else input.removeAttribute('aria-invalid');
}

function facts(list, rows) {
  const wanted = rows.filter(([, value]) => value).flat().join('\u0000');
  if (list.dataset.rows === wanted) return;
  list.dataset.rows = wanted;
  list.replaceChildren(...rows.filter(([, value]) => value).map(([name, value, tone]) => {
    const row = document.createElement('div');
    const term = row.appendChild(document.createElement('dt'));
    const detail = row.appendChild(document.createElement('dd'));
    term.textContent = name;
    detail.textContent = value;
    if (tone) detail.dataset.tone = tone;
    return row;
  }));
}

// The notice of a screen: a refusal of one of `actions`.
function refusal(state, now, actions) {
  if (!state.problem || !actions.includes(state.during)) return null;
  const passed = state.until && now >= state.until;
  if (passed && ['rate_limited', 'overloaded', 'unavailable'].includes(state.problem.error)) return null;
  return texts.explain(state.problem, now, state.until);
}

function showStart(state, form, now) {
  const heading = texts.headings[form.purpose];
  setText(byId('start-title'), heading.start);
  setText(byId('start-lead'), texts.leads[form.purpose]);
  byId('phone-field').hidden = form.kind !== 'phone';
  byId('email-field').hidden = form.kind !== 'email';
  byId('context').hidden = form.purpose !== 'transaction';
  const notice = refusal(state, now, ['send']);
  setNotice(byId('start-notice'), notice);
  const field = { invalid_phone: 'phone', invalid_email: 'email', recipient_not_allowed: form.kind };
  for (const kind of ['phone', 'email']) {
    setInvalid(byId(kind), notice && field[state.problem.error] === kind);
  }
  setButton(byId('send'), {
    label: state.busy === 'send' ? 'Sending…' : 'Send code',
    busy: state.busy === 'send',
    enabled: canSend(state, now),
  });
}

function deal(node, amount, payee, context) {
  node.hidden = !context;
  if (!context) return;
  setText(amount, texts.money(context));
  setText(payee, context.payee);
}

function showLife(sent, now) {
  byId('track').hidden = !sent.expiresAt;
  const left = Math.max(0, (sent.expiresAt - now) / 1000);
  const whole = Math.max(1, (sent.expiresAt - sent.sentAt) / 1000);
  const fill = byId('fill');
  fill.style.transform = `scaleX(${sent.expiresAt && !sent.over ? Math.min(1, left / whole) : 0})`;
  fill.dataset.low = String(left < 60);
  const over = { expired: 'No longer valid', exhausted: 'Locked' }[sent.over];
  setText(byId('life'), over ?? (sent.expiresAt ? `Valid for ${texts.clock(left)}` : ''));
  setText(byId('attempts'), sent.attempts === null || sent.over ? ''
    : `${sent.attempts} ${sent.attempts === 1 ? 'attempt' : 'attempts'} left`);
}

function showResend(state, now) {
  const left = Math.max(0, (state.sent.resendAt - now) / 1000);
  const label = left > 0 ? `New code in ${texts.clock(left)}` : 'Send a new code';
  setButton(byId('resend'), {
    label: state.busy === 'resend' ? 'Sending…' : label,
    busy: state.busy === 'resend',
    enabled: canResend(state, now),
  });
}

function showCode(state, now) {
  const { sent, request, delivery } = state;
  const purpose = request.purpose ?? 'login';
  setText(byId('code-title'), texts.headings[purpose].code);
  setText(byId('carrier'), texts.carriers[sent.channel] ?? 'message');
  setText(byId('address'), request.phone ?? request.email);
  deal(byId('deal'), byId('deal-amount'), byId('deal-payee'), request.context);
  const failed = delivery?.status === 'failed' ? texts.deliveryFailure(delivery.error) : null;
  setNotice(byId('code-notice'), refusal(state, now, ['verify', 'resend']) ?? failed);
  setInvalid(byId('code'), state.during === 'verify'
    && ['invalid_otp', 'invalid_code'].includes(state.problem?.error));
  byId('code').readOnly = Boolean(sent.over);
  showLife(sent, now);
  showResend(state, now);
  setText(byId('delivery'), delivery && !sent.over ? texts.deliveries[delivery.status] ?? '' : '');
  byId('delivery').dataset.status = delivery?.status ?? '';
  setButton(byId('verify'), {
    label: state.busy === 'verify' ? 'Checking…' : 'Verify',
    busy: state.busy === 'verify',
    enabled: canVerify(state, now),
  });
  byId('verify').hidden = Boolean(sent.over);
  byId('resend').className = sent.over ? 'primary' : 'quiet';
}

const time = (epoch) => new Date(epoch * 1000).toLocaleString([], {
  day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit',
});
const shorten = (token) => `${token.slice(0, 9)}…${token.slice(-4)}`;

function showDone(state, now) {
  const purpose = state.request?.purpose ?? (state.session ? 'login' : 'password_reset');
  setText(byId('done-title'), texts.headings[purpose].done);
  setText(byId('done-lead'), texts.doneLeads[purpose]);
  deal(byId('done-deal'), byId('done-amount'), byId('done-payee'), state.request?.context);
  const claims = state.session?.claims;
  facts(byId('facts'), [
    ['Token', state.session && shorten(state.session.token)],
    ['Introspection', state.session && (claims ? (claims.active ? 'active' : 'not active') : 'asking…'),
      claims?.active ? 'good' : 'plain'],
    ['Expires', claims?.exp && time(claims.exp)],
    ['User', state.user],
  ]);
  setNotice(byId('done-notice'), refusal(state, now, ['logout']));
  byId('logout').hidden = !state.session;
  byId('to-security').hidden = !state.session;
  setButton(byId('logout'), {
    label: state.busy === 'logout' ? 'Logging out…' : 'Log out',
    busy: state.busy === 'logout',
    enabled: !state.busy,
  });
}

function showLink(state, now) {
  const notice = refusal(state, now, ['verify']);
  const used = ['otp_expired', 'invalid_code'].includes(state.problem?.error);
  setNotice(byId('link-notice'), used ? texts.deadLink : notice);
  setButton(byId('use-link'), {
    label: state.busy ? 'Checking…' : 'Yes, it was me', busy: state.busy, enabled: canVerify(state, now),
  });
  byId('use-link').hidden = used;
  setText(byId('drop-link'), used ? 'Start again' : 'Not me, go back');
}

function showEnded(state) {
  const dead = state.session.proof?.active === false;
  setText(byId('ended-lead'), dead
    ? 'The session is dead, for everyone and at once: the service was asked again and says so.'
    : 'The session was revoked. The service could not be asked again.');
  facts(byId('ended-facts'), [
    ['Token', shorten(state.session.token)],
    ['Introspection', dead ? 'not active' : 'no answer', dead ? 'bad' : 'plain'],
  ]);
}

const show = {
  start: showStart,
  code: (state, _, now) => showCode(state, now),
  link: (state, _, now) => showLink(state, now),
  done: (state, _, now) => showDone(state, now),
  ended: (state) => showEnded(state),
};

// Draws `state`; `form` is {kind, purpose}.
export function draw(state, form, now) {
  for (const [name, id] of Object.entries(screens)) byId(id).hidden = name !== state.screen;
  show[state.screen](state, form, now);
}

// Where the focus belongs when a screen appears: its field, or its heading.
export function focusScreen(screen, form) {
  const target = { start: form.kind, code: 'code' }[screen] ?? `${screen}-title`;
  window.scrollTo(0, 0);
  byId(target).focus({ preventScroll: true });
}

// Says it to a screen reader, once.
export const announce = (text) => setText(byId('announcer'), text);

// The security page: authenticator apps and recovery codes of who is signed in, and signing in
// with them.
import { Api } from './api.js';
import { digitsOf } from './flow.js';
import {
  forgetApp, forgetSession, keepApp, keepSession, keptApp, keptSession,
} from './session.js';
import * as texts from './texts.js';
import { announce, setButton, setInvalid, setNotice, setText } from './view.js';
import { makeWire } from './wire.js';

const byId = (id) => document.getElementById(id);
const api = new Api({ observe: makeWire(byId('calls'), byId('calls-empty')) });
let user = null;           // who is signed in
let enrolled = null;       // the factor that waits for its first code
let withRecovery = false;  // how one signs in
let busy = false;

const appDigits = 6;
const recoveryLength = 10;  // without its hyphen
const longestCode = 64;     // that is sent at all

const fields = { login: 'login-code', enrol: 'first-code' };

function show(screen) {
  for (const id of ['out', 'login', 'overview', 'enrol', 'codes']) byId(id).hidden = id !== screen;
  for (const id of ['login-notice', 'overview-notice', 'enrol-notice']) setNotice(byId(id), null);
  for (const id of Object.values(fields)) {
    byId(id).value = '';
    setInvalid(byId(id), false);
  }
  window.scrollTo(0, 0);
  byId(fields[screen] ?? `${screen}-title`).focus({ preventScroll: true });
}

// What was refused, on the screen that is shown.
function refuse(screen, problem) {
  const now = Date.now();
  const until = problem.retry_after ? now + problem.retry_after * 1000 : 0;
  const of = screen === 'login' && withRecovery ? 'recovery' : 'app';
  setNotice(byId(`${screen}-notice`), texts.explain({ ...problem, of }, now, until));
  const field = fields[screen] && byId(fields[screen]);
  if (!field) return;
  setInvalid(field, ['invalid_otp', 'invalid_code'].includes(problem.error));
  field.focus();
  field.select();
}

// Whether that may be a code; if not, it is said at once.
function looksLikeCode(screen, code, length) {
  if (code.length >= length && code.length <= longestCode) return true;
  refuse(screen, { error: 'invalid_code' });
  return false;
}

// One thing at a time; the button says so.
async function during(button, label, work) {
  if (busy) return;
  const before = (button.querySelector('.label') ?? button).textContent;
  busy = true;
  setButton(button, { label, busy: true, enabled: false });
  try {
    await work();
  } finally {
    busy = false;
    setButton(button, { label: before, busy: false, enabled: true });
  }
}

// --- who is signed in ---------------------------------------------------------------------------

async function enter(token) {
  const { ok, body } = await api.introspect(token);
  if (!ok || !body.active) {
    forgetSession();
    showLogin();
    return;
  }
  user = body.sub;
  await showOverview();
}

function showLogin() {
  user = null;
  withRecovery = false;
  if (keptApp()) drawLogin();
  else show('out');
}

function drawLogin() {
  show('login');
  setText(byId('login-lead'), withRecovery
    ? 'One of the codes that you saved. Each works once.'
    : 'The code that your authenticator app shows now.');
  byId('login-code').inputMode = withRecovery ? 'text' : 'numeric';
  byId('login-code').placeholder = withRecovery ? 'xxxxx-xxxxx' : '······';
  setText(byId('login-other'), withRecovery ? 'Use the app' : 'Use a recovery code');
}

async function login() {
  const app = keptApp();
  const typed = byId('login-code').value;
  const code = withRecovery ? typed.trim() : digitsOf(typed);
  if (!looksLikeCode('login', code, withRecovery ? recoveryLength : appDigits)) return;
  const { ok, body } = withRecovery
    ? await api.recovery(app.user, '/verify', { code, session: true })
    : await api.factors(app.user, 'POST', `/${app.factor}/verify`, { code, session: true });
  if (!ok) {
    refuse('login', body);
    if (body.error === 'not_found' && !withRecovery) forgetApp();
    return;
  }
  keepSession(body.session_token);
  await enter(body.session_token);
}

async function logout() {
  const token = keptSession();
  const { ok, body } = token ? await api.revoke(token) : { ok: true };
  if (!ok) {
    refuse('overview', body);
    return;
  }
  forgetSession();
  showLogin();
}

// --- apps and codes -----------------------------------------------------------------------------

function appLine(factor) {
  const line = document.createElement('li');
  line.appendChild(document.createElement('span')).textContent = texts.factorLine(factor);
  const remove = line.appendChild(document.createElement('button'));
  remove.className = 'link';
  remove.type = 'button';
  remove.textContent = 'Remove';
  remove.addEventListener('click', () => during(remove, 'Removing…', async () => {
    const { ok, body } = await api.factors(user, 'DELETE', `/${factor.factor_id}`);
    if (!ok && body.error !== 'not_found') return refuse('overview', body);
    if (keptApp()?.factor === factor.factor_id) forgetApp();
    return showOverview();
  }));
  return line;
}

async function showOverview() {
  show('overview');
  const { ok, body } = await api.factors(user, 'GET');
  if (!ok) {
    refuse('overview', body);
    return;
  }
  const apps = body.factors.filter(({ status }) => status === 'active');
  byId('apps').replaceChildren(...apps.map(appLine));
  setText(byId('overview-lead'), apps.length > 0
    ? 'You can sign in with these, without waiting for a message.'
    : 'With an authenticator app you sign in without waiting for a message.');
  const { left } = body.recovery_codes;
  setText(byId('left'), left > 0 ? `Recovery codes left: ${left}.` : 'You have no recovery codes.');
}

async function add() {
  const { ok, body } = await api.factors(user, 'POST', '', { type: 'totp', account: 'demo' });
  if (!ok) {
    refuse('overview', body);
    return;
  }
  enrolled = body;
  show('enrol');
  byId('qr').src = `data:image/svg+xml,${encodeURIComponent(body.qr_svg)}`;
  setText(byId('secret'), texts.grouped(body.secret));
  byId('uri').href = body.otpauth_uri;
}

function forgetEnrolment() {
  enrolled = null;
  byId('qr').removeAttribute('src');
  byId('uri').removeAttribute('href');
  setText(byId('secret'), '');
}

async function confirmFirst() {
  const code = digitsOf(byId('first-code').value);
  if (!looksLikeCode('enrol', code, appDigits)) return;
  const { ok, body } = await api.factors(user, 'POST', `/${enrolled.factor_id}/confirm`, { code });
  if (!ok) {
    refuse('enrol', body);
    return;
  }
  keepApp({ user, factor: enrolled.factor_id });
  forgetEnrolment();
  await showOverview();
  announce('The app is set up.');
}

async function cancel() {
  await api.factors(user, 'DELETE', `/${enrolled.factor_id}`);
  forgetEnrolment();
  await showOverview();
}

async function makeCodes() {
  const { ok, body } = await api.recovery(user);
  if (!ok) {
    refuse('overview', body);
    return;
  }
  const text = `${body.recovery_codes.join('\n')}\n`;
  byId('recovery').replaceChildren(...body.recovery_codes.map((code) => {
    const line = document.createElement('li');
    line.textContent = code;
    return line;
  }));
  byId('download').href = `data:text/plain,${encodeURIComponent(text)}`;
  byId('copy').onclick = async () => {
    await navigator.clipboard.writeText(text);
    announce('Copied.');
  };
  show('codes');
}

async function leaveCodes() {
  byId('recovery').replaceChildren();
  byId('download').removeAttribute('href');
  await showOverview();
}

// --- the page -----------------------------------------------------------------------------------

function onSubmit(form, button, label, work) {
  byId(form).addEventListener('submit', (event) => {
    event.preventDefault();
    during(byId(button), label, work);
  });
}

function onPress(button, label, work) {
  byId(button).addEventListener('click', () => during(byId(button), label, work));
}

onSubmit('login', 'login-send', 'Checking…', login);
onSubmit('enrol', 'confirm', 'Checking…', confirmFirst);
onPress('add', 'One moment…', add);
onPress('make-codes', 'Making them…', makeCodes);
onPress('leave', 'Logging out…', logout);
onPress('cancel', 'Cancelling…', cancel);
onPress('saved', 'One moment…', leaveCodes);
byId('login-other').addEventListener('click', () => {
  withRecovery = !withRecovery;
  drawLogin();
});

if (keptSession()) enter(keptSession());
else showLogin();

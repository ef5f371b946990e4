// The demo page: joins the flow (flow.js), the service (api.js) and the document (view.js).
import { Api } from './api.js';
import { solveCaptcha } from './captcha.js';
import {
  canResend, canSend, canVerify, digitsOf, initial, linkTokenOf, next, requestOf,
} from './flow.js';
import { forgetSession, keepSession } from './session.js';
import { announce, draw, focusScreen } from './view.js';
import { listen } from './webotp.js';
import { makeWire } from './wire.js';

const byId = (id) => document.getElementById(id);
const api = new Api({ observe: makeWire(byId('calls'), byId('calls-empty')) });
let state = initial();
let stopWebOtp = () => {};
let polling = 0;
let sendKey = null;  // the idempotency key of a send that has no answer yet: {key, request}

function form() {
  const data = new FormData(byId('start'));
  const kind = data.get('kind');
  return {
    kind,
    purpose: data.get('purpose'),
    address: data.get(kind),
    amount: data.get('amount'),
    currency: data.get('currency'),
    payee: data.get('payee'),
  };
}

function dispatch(event) {
  const before = state;
  state = next(state, { now: Date.now(), ...event });
  if (state === before) return;
  draw(state, form(), Date.now());
  if (state.screen !== before.screen) focusScreen(state.screen, form());
}

// One press of a button is one key; a repeat after a dead network keeps it.
function keyFor(request) {
  const text = JSON.stringify(request);
  if (sendKey?.request !== text) sendKey = { key: crypto.randomUUID(), request: text };
  return sendKey.key;
}

// Sends; if a captcha is asked for, solves it and sends again, once more if more is asked for then.
async function sendSolved(request) {
  const key = keyFor(request);
  let answer = await api.send(request, key);
  for (let tries = 0; tries < 2 && answer.body.error === 'captcha_required'; tries += 1) {
    announce('One moment: your browser is doing some work for this message.');
    const holder = document.querySelector('main .screen:not([hidden]) .captcha');
    const captcha = await solveCaptcha(answer.body.captcha, holder);
    if (captcha === null) return answer;
    answer = await api.send({ ...request, captcha }, key);
  }
  return answer;
}

async function send(action, request) {
  dispatch({ type: 'began', action });
  const before = byId('code').value;
  const answer = await sendSolved(request);
  if (answer.body.error !== 'network') sendKey = null;
  if (!answer.ok) {
    dispatch({ type: 'refused', during: action, problem: answer.body, request });
    focusProblem();
    return;
  }
  if (byId('code').value === before) byId('code').value = '';  // not what was typed meanwhile
  dispatch({ type: 'accepted', answer: answer.body, request });
  if (action === 'resend') announce('A new code is on its way.');
  byId('code').focus();
  watchMessages(answer.body);
}

// The two things that run beside the form while a code is on its way.
function watchMessages({ verification_id: id, channel, expires_in: life }) {
  stopWebOtp();
  if (channel === 'sms') {
    stopWebOtp = listen((code) => {
      byId('code').value = digitsOf(code);
      verify();
    }, life * 1000);
  }
  followDelivery(id);
}

async function followDelivery(id) {
  const mine = ++polling;
  for (const ms of [300, 700, 1000, 2000, 3000, 5000, 10_000, 20_000]) {
    await new Promise((resolve) => { setTimeout(resolve, ms); });
    if (mine !== polling || state.screen !== 'code') return;
    const { ok, body } = await api.status(id);
    if (!ok || mine !== polling) return;
    dispatch({ type: 'delivery', id, status: body.status, error: body.delivery_error });
    if (!['queued', 'sent'].includes(body.status)) return;
  }
}

function focusProblem() {
  const invalid = document.querySelector('main .screen:not([hidden]) [aria-invalid="true"]');
  if (invalid) {
    invalid.focus();
    invalid.select();
  } else if (state.sent?.over && state.screen === 'code') {
    byId('resend').focus();
  }
}

async function verify() {
  const code = digitsOf(byId('code').value);
  if (!canVerify(state, Date.now()) || state.screen !== 'code') return;
  stopWebOtp();
  if (code.length < 4) {
    dispatch({ type: 'refused', during: 'verify', problem: { error: 'invalid_code' } });
    focusProblem();
    return;
  }
  await submit({ ...state.request, code });
}

async function submit(request) {
  dispatch({ type: 'began', action: 'verify' });
  const { ok, body } = await api.verify(request);
  if (!ok) {
    dispatch({ type: 'refused', during: 'verify', problem: body });
    focusProblem();
    return;
  }
  dispatch({ type: 'verified', answer: body });
  if (!body.session_token) return;
  keepSession(body.session_token);
  const claims = await api.introspect(body.session_token);
  if (claims.ok) dispatch({ type: 'introspected', claims: claims.body });
}

async function logout() {
  if (state.busy || !state.session) return;
  const { token } = state.session;
  dispatch({ type: 'began', action: 'logout' });
  const { ok, body } = await api.revoke(token);
  if (!ok) {
    dispatch({ type: 'refused', during: 'logout', problem: body });
    return;
  }
  forgetSession();
  const proof = await api.introspect(token);
  dispatch({ type: 'loggedOut', proof: proof.ok ? proof.body : null });
}

function restart() {
  stopWebOtp();
  polling += 1;
  byId('code').value = '';
  dispatch({ type: 'restart' });
}

// A link from a password-reset message. The token leaves the address bar at once.
function openLink() {
  const token = linkTokenOf(location.hash);
  if (!token) return;
  history.replaceState(null, '', location.pathname);
  stopWebOtp();
  dispatch({ type: 'link', token });
}

function tick() {
  const before = state;
  dispatch({ type: 'tick' });
  if (state !== before) {
    stopWebOtp();
    focusProblem();
  }
  draw(state, form(), Date.now());
  const left = Math.ceil(((state.sent?.expiresAt ?? 0) - Date.now()) / 1000);
  if (state.screen === 'code' && left === 60) announce('The code is valid for one more minute.');
}

function onStart(event) {
  event.preventDefault();
  if (!canSend(state, Date.now())) return;
  const values = form();
  if (values.address.trim() === '') {
    dispatch({ type: 'refused', during: 'send', problem: { error: `invalid_${values.kind}` } });
    focusProblem();
    return;
  }
  send('send', requestOf(values));
}

function wire() {
  byId('start').addEventListener('submit', onStart);
  byId('start').addEventListener('change', () => {
    if (state.problem) dispatch({ type: 'restart' });
    draw(state, form(), Date.now());
  });
  byId('code-screen').addEventListener('submit', (event) => {
    event.preventDefault();
    verify();
  });
  byId('code').addEventListener('input', () => {
    const digits = digitsOf(byId('code').value);
    if (digits !== byId('code').value) byId('code').value = digits;
  });
  byId('resend').addEventListener('click', () => {
    if (canResend(state, Date.now())) send('resend', state.request);
  });
  byId('use-link').addEventListener('click', () => {
    if (canVerify(state, Date.now())) submit({ token: state.linkToken });
  });
  byId('logout').addEventListener('click', logout);
  for (const id of ['change', 'again', 'fresh', 'drop-link']) byId(id).addEventListener('click', restart);
  window.addEventListener('hashchange', openLink);
  setInterval(tick, 250);
}

function welcome() {
  const loopback = ['127.0.0.1', 'localhost', '[::1]'].includes(location.hostname);
  for (const id of ['inbox', 'inbox-link']) byId(id).hidden = !loopback;
  if (matchMedia('(min-width: 60rem)').matches) byId('phone').focus();
}

wire();
welcome();
draw(state, form(), Date.now());
openLink();

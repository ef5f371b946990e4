// The demo page's pure parts: its flow, its words, its way with a bad network.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Api, masked } from '../../web/demo/api.js';
import * as flow from '../../web/demo/flow.js';
import * as texts from '../../web/demo/texts.js';
import { Spec } from './support/spec.js';

const answer = {
  verification_id: 'v_1', status: 'queued', channel: 'sms', expires_in: 300, attempts_remaining: 3,
  resend_after: 30,
};
const request = { phone: '+14155552671' };
const sent = (now = 0) => flow.next(flow.initial(), { type: 'accepted', answer, request, now });
const refuse = (state, during, problem, now = 0) =>
  flow.next(state, { type: 'refused', during, problem, request, now });

test('a send leads to the code, with its deadline and its resend time', () => {
  const state = sent(1000);
  assert.equal(state.screen, 'code');
  assert.equal(state.sent.expiresAt, 301_000);
  assert.equal(flow.canResend(state, 30_999), false);
  assert.equal(flow.canResend(state, 31_000), true);
});

test('a code ends with its life, to the millisecond', () => {
  const before = flow.next(sent(), { type: 'tick', now: 299_999 });
  assert.equal(before.sent.over, null);
  const after = flow.next(before, { type: 'tick', now: 300_000 });
  assert.equal(after.sent.over, 'expired');
  assert.equal(flow.canVerify(after, 300_000), false);
  assert.equal(flow.canResend(after, 300_000), true);
});

test('wrong codes count down; the last one locks the code', () => {
  let state = refuse(sent(), 'verify', { error: 'invalid_otp', attempts_remaining: 2 });
  assert.equal(state.sent.attempts, 2);
  assert.equal(flow.canVerify(state, 0), true);
  state = refuse(state, 'verify',
    { error: 'attempts_exhausted', attempts_remaining: 0, requires_new_otp: true });
  assert.equal(state.sent.over, 'exhausted');
  assert.equal(flow.canVerify(state, 0), false);
});

test('a resend keeps the first deadline and does not resurrect the bar', () => {
  const later = flow.next(sent(), {
    type: 'accepted', answer: { ...answer, expires_in: 240 }, request, now: 60_000,
  });
  assert.equal(later.sent.sentAt, 0);
  assert.equal(later.sent.expiresAt, 300_000);
});

test('a send refused because one has just gone out still lets the code be entered', () => {
  const problem = { error: 'rate_limited', limit: 'resend', retry_after: 12 };
  const state = refuse(flow.initial(), 'send', problem, 1000);
  assert.equal(state.screen, 'code');
  assert.equal(flow.canVerify(state, 1000), true);
  assert.equal(flow.canResend(state, 12_999), false);
  assert.equal(flow.canResend(state, 13_000), true);
});

test('over a limit the send button waits', () => {
  const problem = { error: 'rate_limited', limit: 'recipient', retry_after: 100 };
  const state = refuse(flow.initial(), 'send', problem);
  assert.equal(state.screen, 'start');
  assert.equal(flow.canSend(state, 99_999), false);
  assert.equal(flow.canSend(state, 100_000), true);
});

test('a late delivery report of an earlier code changes nothing', () => {
  const state = flow.next(sent(), { type: 'delivery', id: 'v_other', status: 'failed' });
  assert.equal(state.delivery.status, 'queued');
});

test('digits are taken from whatever was pasted', () => {
  const rows = [['481623', '481623'], ['481 623', '481623'], ['４８１６２３', '481623'],
    ['٤٨١٦٢٣', '481623'], ['۴۸۱۶۲۳', '481623'], ['Your code: 481-623.', '481623'], ['', ''],
    ['12345678901', '1234567890']];
  for (const [text, digits] of rows) assert.equal(flow.digitsOf(text), digits, text);
});

test('a link token is taken from the fragment only if it looks like one', () => {
  assert.equal(flow.linkTokenOf('#token=abc_DEF-1'), 'abc_DEF-1');
  for (const hash of ['', '#', '#token=', '#token=<b>', '#other=1']) {
    assert.equal(flow.linkTokenOf(hash), null, hash);
  }
});

test('the request names the purpose and the context only where they apply', () => {
  const form = {
    kind: 'email', address: ' ada@example.com ', purpose: 'login', amount: '1', currency: 'eur',
    payee: 'X',
  };
  assert.deepEqual(flow.requestOf(form), { email: 'ada@example.com' });
  assert.deepEqual(flow.requestOf({ ...form, purpose: 'transaction' }), {
    email: 'ada@example.com',
    purpose: 'transaction',
    context: { amount: '1', currency: 'EUR', payee: 'X' },
  });
});

test('every documented error has words of its own', () => {
  for (const name of new Spec().errorNames()) {
    assert.ok(texts.knownErrors.includes(name), name);
    const notice = texts.explain({ error: name, attempts_remaining: 1, limit: 'ip' }, 0, 5000);
    assert.ok(notice.title && notice.text && !notice.text.includes('undefined'), name);
  }
  for (const limit of ['ip', 'user', 'recipient', 'resend', 'guesses']) {
    const { text } = texts.explain({ error: 'rate_limited', limit }, 0, 24_000);
    assert.match(text, /in 24 seconds/, limit);
  }
});

test('times read well', () => {
  assert.equal(texts.clock(300), '5:00');
  assert.equal(texts.clock(6.2), '0:07');
  assert.equal(texts.clock(-1), '0:00');
  assert.equal(texts.wait(1, 0), 'in 1 second');
  assert.match(texts.wait(600, 0), /^in 10 minutes, at /);
});

function scripted(...steps) {
  const keys = [];
  const fetcher = async (path, { headers }) => {
    keys.push(headers['Idempotency-Key']);
    const step = steps.shift();
    if (step === 'dead') throw new TypeError('fetch failed');
    return new Response(JSON.stringify(step.body), { status: step.status });
  };
  return { keys, api: new Api({ fetcher }) };
}

test('a send over a dead network is repeated under the same key', async () => {
  const { api, keys } = scripted('dead', { status: 202, body: answer });
  assert.deepEqual((await api.send(request, 'k1')).body, answer);
  assert.deepEqual(keys, ['k1', 'k1']);
});

test('a network that stays dead is said, not thrown', async () => {
  const { api, keys } = scripted('dead', 'dead', 'dead');
  assert.equal((await api.send(request, 'k1')).body.error, 'network');
  assert.equal(keys.length, 3);
});

test('a refusal is not repeated', async () => {
  const { api, keys } = scripted({ status: 503, body: { error: 'overloaded', retry_after: 1 } });
  assert.equal((await api.send(request, 'k1')).body.error, 'overloaded');
  assert.equal(keys.length, 1);
});

test('what is shown of a call has no code and no token in it', () => {
  const shown = JSON.stringify(masked({
    code: '481623', session_token: 'otps_0123456789abcdef', nested: { token: 'otps_secretsecretsecret' },
  }));
  assert.doesNotMatch(shown, /481623|0123456789abcdef|secretsecret/);
});

// What an operator can do and see while carriers fail: take a provider out of use and back, put a
// dead letter back into the queue, ask why a code did not arrive; and the other channel that follows
// when no receipt comes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { faults, heal, inState, provider, sendOne, simArgs, twoCarriers } from './support/carriers.js';
import { eventually, sleep } from './support/process.js';
import { codeIn, Stack } from './support/stack.js';

const fallbackSeconds = 5;

let stack;
before(async () => {
  stack = await Stack.start({
    simArgs,
    env: {
      ...twoCarriers,
      OTPD_DELIVERY_ROUTES_VOICE: 'phone',
      OTPD_PROVIDERS_PHONE_KIND: 'twilio',
      OTPD_PROVIDERS_PHONE_BASE_URL: (one) => one.simUrl,
      OTPD_PROVIDERS_PHONE_ACCOUNT_SID: 'AC00000000000000000000000000000000',
      OTPD_PROVIDERS_PHONE_AUTH_TOKEN: 'simulated-token',
      OTPD_PROVIDERS_PHONE_FROM: '+15005550006',
      OTPD_FALLBACK_SMS: 'voice',
      OTPD_FALLBACK_AFTER_S: String(fallbackSeconds),
      OTPD_PURPOSES_LOGIN_FALLBACK: 'true',
      OTPD_BREAKER_OPEN_FOR_S: '1',
      OTPD_BREAKER_OPEN_MAX_S: '1',
      OTPD_DELIVERY_RETRY_BASE_MS: '100',
      OTPD_DELIVERY_RETRY_MAX_MS: '500',
    },
  });
});
after(() => stack.stop());

const timelineOf = async ({ id }) => (await stack.admin('GET', `/admin/verifications/${id}`)).json;
const faceOf = async ({ phone }) => (await stack.message(phone)).face;
const statusOf = async ({ id }) => (await stack.call('GET', `/otp/${id}`)).json.status;

test('no receipt: the same code is said on the phone; a receipt: it is not', async () => {
  await faults(stack, 'twilio', { receipts: 'off' });
  const silent = await sendOne(stack);
  await stack.message(silent.phone);
  await faults(stack, 'twilio', {});
  const heard = await sendOne(stack);
  await eventually('a receipt', async () => (await statusOf(heard)) === 'delivered');
  const [call2, sms] = await eventually('the call', async () => {
    const messages = await stack.inbox(silent.phone);
    return messages.length > 1 && messages;
  });
  assert.deepEqual([sms.channel, call2.channel], ['sms', 'voice']);
  const waited = Date.parse(call2.received_at) - Date.parse(sms.received_at);
  assert.ok(waited >= fallbackSeconds * 1000 && waited < fallbackSeconds * 1000 + 3000,
    `after ${waited} ms`);
  const code = codeIn(sms.text);
  assert.ok(call2.text.replace(/[^0-9]/g, '').includes(code), call2.text);
  await sleep(1000);  // it was sent at nearly the same time
  assert.equal((await stack.inbox(heard.phone)).length, 1);
  const verdict = await stack.call('POST', '/otp/verify', { json: { phone: silent.phone, code } });
  assert.equal(verdict.status, 200, verdict.body);
});

test('a disabled provider carries nothing, an enabled one does again', async () => {
  assert.equal(await faceOf(await sendOne(stack)), 'twilio');
  const off = await stack.admin('POST', '/admin/providers/twilio/disable');
  assert.deepEqual(off.json, { name: 'twilio', disabled: true });
  const send = await sendOne(stack);
  assert.equal(await faceOf(send), 'vonage');
  assert.equal((await provider(stack, 'twilio')).state, 'disabled');
  const { timeline } = await eventually('it is written down', async () => {
    const found = await timelineOf(send);
    return found.timeline.some((one) => one.what === 'sent') && found;
  });
  assert.equal(timeline.find((one) => one.provider === 'twilio')?.detail, 'disabled');
  const on = await stack.admin('POST', '/admin/providers/twilio/enable');
  assert.deepEqual(on.json, { name: 'twilio', disabled: false });
  assert.equal(await faceOf(await sendOne(stack)), 'twilio');
  assert.equal((await stack.admin('POST', '/admin/providers/nobody/disable')).status, 404);
});

test('with every provider disabled, a send says so', async () => {
  for (const name of ['twilio', 'vonage']) {
    await stack.admin('POST', `/admin/providers/${name}/disable`);
  }
  const send = await sendOne(stack);
  assert.deepEqual([send.status, send.error], [503, 'delivery_unavailable']);
  assert.ok(send.retryAfter >= 1);
  for (const name of ['twilio', 'vonage']) {
    await stack.admin('POST', `/admin/providers/${name}/enable`);
  }
  assert.equal((await sendOne(stack)).status, 202);
});

test('the timeline names lanes and errors, and neither address nor code', async () => {
  await faults(stack, 'twilio', { error_rate: 1, latency_ms: 5 });
  const send = await sendOne(stack);
  const code = await stack.code(send.phone);
  await eventually('a receipt', async () => (await statusOf(send)) === 'delivered');
  const found = await stack.admin('GET', `/admin/verifications/${send.id}`);
  await heal(stack);
  const { timeline, ...about } = found.json;
  assert.equal(about.verification_id, send.id);
  assert.equal(about.provider, 'vonage');
  assert.deepEqual(timeline.map((one) => [one.what, one.provider]), [
    ['send', undefined], ['delivery_retry', 'twilio'], ['sent', 'vonage'], ['delivered', 'vonage'],
  ]);
  assert.match(timeline[1].detail, /20503|503/);
  assert.ok(!found.body.includes(code), found.body);
  assert.ok(!found.body.includes(send.phone.slice(1)), found.body);
  assert.ok(!stack.log.includes(send.phone.slice(1)));
  const times = timeline.map((one) => one.at);
  assert.deepEqual(times, [...times].sort());
});

test('a dead letter is put back into the queue and arrives', async () => {
  await inState(stack, 'twilio', 'closed');
  const send = await refusedBy('twilio');
  const letters = (await stack.admin('GET', '/admin/dead-letters')).json.dead_letters;
  const [letter] = letters;
  assert.equal(letter.reason, '21211');
  assert.equal((await stack.admin('GET', '/admin/queue')).json.dead, letters.length);
  await heal(stack);
  const again = await stack.admin('POST', `/admin/dead-letters/${letter.id}/requeue`);
  assert.deepEqual(again.json, { id: letter.id, requeued: true });
  const code = await stack.code(send.phone);
  const verdict = await stack.call('POST', '/otp/verify', { json: { phone: send.phone, code } });
  assert.equal(verdict.status, 200, verdict.body);
  const twice = await stack.admin('POST', `/admin/dead-letters/${letter.id}/requeue`);
  assert.equal(twice.status, 404, twice.body);
});

// A message that twilio refuses for good.
async function refusedBy(face) {
  await faults(stack, face, { error_rate: 1, status: 400, code: 21211 });
  const send = await sendOne(stack);
  await eventually('the dead letter', async () => (await statusOf(send)) === 'failed');
  return send;
}

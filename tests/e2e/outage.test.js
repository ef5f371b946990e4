// No carrier answers: a send is refused at once instead of being accepted and lost; what was accepted
// before arrives when the carriers are back, or has visibly failed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call } from './support/http.js';
import { faults, heal, percentile, sendOne, simArgs, twoCarriers } from './support/carriers.js';
import { eventually, sleep } from './support/process.js';
import { Stack } from './support/stack.js';

const refusedWithinMs = 50;

async function start(t, env = {}) {
  const stack = await Stack.start({
    simArgs,
    env: {
      ...twoCarriers, OTPD_BREAKER_OPEN_FOR_S: '1', OTPD_BREAKER_OPEN_MAX_S: '2', ...env,
    },
  });
  t.after(() => stack.stop());
  return stack;
}

// Sends until one is refused because nothing could deliver it; all that was accepted.
async function sendUntilRefused(stack) {
  const accepted = [];
  await eventually('a refusal', async () => {
    const send = await sendOne(stack);
    if (send.status === 202) accepted.push(send);
    return send.error === 'delivery_unavailable';
  });
  return accepted;
}

for (const [name, plan] of [
  ['is down', { outage: true }],
  ['refuses everything', { error_rate: 1 }],
  ['answers garbage', { garbage_rate: 1 }],
]) {
  test(`every carrier ${name}: refused at once, and what was accepted arrives later`, async (t) => {
    const stack = await start(t);
    for (const face of ['twilio', 'vonage']) await faults(stack, face, plan);
    const accepted = await sendUntilRefused(stack);
    assert.ok(accepted.length > 0);

    const tries = [];
    for (let round = 0; round < 100; round += 1) tries.push(await sendOne(stack));
    const refused = tries.filter((send) => send.status !== 202);
    accepted.push(...tries.filter((send) => send.status === 202));  // while a lane is probed
    assert.ok(refused.length > 80, `${refused.length} of 100`);
    for (const send of refused) {
      assert.deepEqual([send.status, send.error], [503, 'delivery_unavailable']);
      assert.ok(send.retryAfter >= 1 && send.retryAfter <= 3, `Retry-After: ${send.retryAfter}`);
    }
    const took = refused.map((send) => send.tookMs);
    t.diagnostic(`refused after p50 ${percentile(took, 0.5).toFixed(1)} ms, `
      + `p99 ${percentile(took, 0.99).toFixed(1)} ms`);
    assert.ok(percentile(took, 0.99) < refusedWithinMs, `p99 ${percentile(took, 0.99)} ms`);

    await heal(stack);
    for (const { phone } of accepted) {
      await stack.message(phone);
    }
    await sleep(500);
    const { json } = await call(stack.simUrl, 'GET', '/inbox.json?limit=10000');
    for (const send of refused) {
      assert.ok(!json.some((message) => message.to === send.phone), 'refused, and sent all the same');
    }
    await eventually('accepted again', async () => (await sendOne(stack)).status === 202);
  });
}

test('what cannot be delivered while its code lives has visibly failed', async (t) => {
  const stack = await start(t, { OTPD_PURPOSES_LOGIN_LIFETIME_S: '30' });
  for (const face of ['twilio', 'vonage']) await faults(stack, face, { outage: true });
  const accepted = await sendUntilRefused(stack);
  for (const { id } of accepted) {
    await eventually(`${id} has failed`, async () =>
      (await stack.call('GET', `/otp/${id}`)).json.status !== 'queued', 45_000, 200);
    const timeline = (await stack.admin('GET', `/admin/verifications/${id}`)).json.timeline;
    assert.ok(timeline.some((one) => one.what === 'delivery_failed'), JSON.stringify(timeline));
  }
  const { json } = await stack.admin('GET', '/admin/dead-letters');
  assert.equal(json.dead_letters.length, accepted.length);
});

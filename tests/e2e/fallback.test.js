// What follows on another channel is one more message that costs: the budget pays it, or it is not
// sent, and everybody who asks is told so.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { faults } from './support/carriers.js';
import { ask, stacks, start } from './support/contract.js';
import { eventually, sleep } from './support/process.js';

after(async () => {
  for (const stack of stacks) await stack.stop();
});

let last = 0;
const american = () => { last += 1; return `+1415${300 + last}2671`; };

const fallbackStack = async (env) => {
  const stack = await start({
    OTPD_DELIVERY_ROUTES_VOICE: 'twilio',
    OTPD_FALLBACK_SMS: 'voice',
    OTPD_PURPOSES_LOGIN_FALLBACK: 'true',
    OTPD_BUDGET_DEFAULT_PRICE: '0.1',
    OTPD_BUDGET_PRICES: 'voice=0.5',
    ...env,
  });
  await faults(stack, 'twilio', { receipts: 'off' });
  return stack;
};
const verification = (stack, { id }) => ask(stack, 'GET', `/otp/${id}`, 200);
// A text message that a carrier has, and of which nothing more is heard.
async function text(stack) {
  const phone = american();
  const { verification_id: id } = await ask(stack, 'POST', '/otp/send', 202, { json: { phone } });
  await eventually('the text message', async () =>
    (await verification(stack, { id })).status === 'sent');
  return { phone, id };
}
const admin = (stack, target) =>
  ask(stack, 'GET', target, 200, { headers: { Authorization: `Bearer ${stack.adminToken}` } });

test('a call after a text message is paid as a call, or not made', async () => {
  const stack = await fallbackStack({ OTPD_BUDGET_PER_DAY: '0.8' });
  const heard = await text(stack);
  await stack.advance(30);
  await eventually('the call', async () => (await stack.inbox(heard.phone)).length === 2);

  const unpaid = await text(stack);
  await stack.advance(30);
  const found = await eventually('the refusal', async () => {
    const one = await verification(stack, unpaid);
    return one.status === 'failed' && one;
  });
  assert.equal(found.delivery_error, 'fallback_limited');
  const { timeline } = await admin(stack, `/admin/verifications/${unpaid.id}`);
  assert.deepEqual(timeline.map(({ what, detail }) => [what, detail]).filter(([what]) =>
    what !== 'sent'), [
    ['send', 'sms'], ['limited', 'budget_application'], ['delivery_failed', 'fallback_limited'],
  ]);
  const code = await stack.code(unpaid.phone);
  await ask(stack, 'POST', '/otp/verify', 200, { json: { phone: unpaid.phone, code } });
  await sleep(300);
  assert.equal((await stack.inbox(unpaid.phone)).length, 1);

  await text(stack);  // 0.1 + 0.5, 0.1, 0.1
  const refused = await ask(stack, 'POST', '/otp/send', [429, 'rate_limited'],
    { json: { phone: american() } });
  assert.equal(refused.limit, 'budget');
  const metrics = (await stack.call('GET', '/metrics')).body;
  assert.match(metrics, /otpd_spent_total\{application="default",country="US"\} 0\.(8|79999)/);
});

test('a shadow makes the call and records what it would have refused', async () => {
  const stack = await fallbackStack({ OTPD_BUDGET_PER_DAY: '0.3', OTPD_BUDGET_SHADOW: 'true' });
  const one = await text(stack);
  await stack.advance(30);
  await eventually('the call', async () => (await stack.inbox(one.phone)).length === 2);
  const shadowed = await eventually('its line', async () => {
    const { events } = await admin(stack, '/admin/events?event_type=limited_shadow');
    return events.length > 0 && events;
  });
  assert.deepEqual(shadowed.map((line) => [line.detail, line.verification_id]),
    [['budget_application', one.id]]);
});

test('caps on messages count the call, too', async () => {
  const stack = await fallbackStack({
    OTPD_DESTINATIONS_BLOCK_SENDS_PER_HOUR: '1', OTPD_PUMPING_MIN_SENDS: '30',
  });
  const one = await text(stack);
  await stack.advance(30);
  await eventually('the refusal', async () => (await verification(stack, one)).status === 'failed');
  const { events } = await admin(stack, '/admin/events?event_type=limited');
  assert.deepEqual(events.map((line) => [line.detail, line.verification_id]),
    [['block_hour', one.id]]);
});

// What everybody together may send and spend, over HTTP: caps, budgets, pumping, and their shadows.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ask, stacks, start } from './support/contract.js';

after(async () => {
  for (const stack of stacks) await stack.stop();
});

let last = 0;
// A number of a block of its own.
const american = () => { last += 1; return `+1415${200 + last}2671`; };
const british = () => { last += 1; return `+447400${100_000 + last * 10}`; };

const send = (stack, phone, expected = 202) =>
  ask(stack, 'POST', '/otp/send', expected, { json: { phone } });
const refused = async (stack, phone) => (await send(stack, phone, [429, 'rate_limited'])).limit;
const details = async (stack, type) => {
  const { events } = await ask(stack, 'GET', `/admin/events?event_type=${type}`, 200,
    { headers: { Authorization: `Bearer ${stack.adminToken}` } });
  return events.map(({ detail }) => detail).sort();
};

test('caps of the application, a country, a prefix and a block, each with its name', async () => {
  const stack = await start({
    OTPD_LIMITS_APPLICATION_SENDS_PER_HOUR: '6',
    OTPD_FRICTION_APPLICATION_PERCENT: '99',
    OTPD_DESTINATIONS_COUNTRY_LIMITS: 'FR=1/hour,GB=3/day',
    OTPD_DESTINATIONS_PREFIX_LIMITS: '+447=5/hour,+4474001=1/hour',
    OTPD_DESTINATIONS_BLOCK_SENDS_PER_HOUR: '2',
    OTPD_PUMPING_MIN_SENDS: '30',
  });
  await send(stack, '+33612345678');
  assert.equal(await refused(stack, '+33612345679'), 'country');
  await send(stack, british());
  assert.equal(await refused(stack, british()), 'prefix');
  const block = american().slice(0, -4);
  for (const end of ['0001', '0002']) await send(stack, block + end);
  assert.equal(await refused(stack, `${block}0003`), 'block');
  await send(stack, american());
  await send(stack, american());
  assert.equal(await refused(stack, american()), 'application');
  assert.deepEqual(await details(stack, 'limited'),
    ['application_hour', 'block_hour', 'country_hour', 'prefix_hour']);
  await stack.advance(61 * 60);
  await send(stack, american());
});

test('a budget stops what it cannot pay, and the metrics say what was spent', async () => {
  const stack = await start({
    OTPD_BUDGET_DEFAULT_PRICE: '0.10',
    OTPD_BUDGET_PRICES: '+44=0.35',
    OTPD_BUDGET_PER_DAY: '0.9',
    OTPD_BUDGET_COUNTRY_LIMITS: 'GB=0.7',
  });
  for (let n = 0; n < 2; n += 1) await send(stack, british());
  assert.equal(await refused(stack, british()), 'budget');
  for (let n = 0; n < 2; n += 1) await send(stack, american());
  assert.equal(await refused(stack, american()), 'budget');
  assert.deepEqual(await details(stack, 'limited'), ['budget_application', 'budget_country']);
  const metrics = (await stack.call('GET', '/metrics')).body;
  assert.match(metrics, /otpd_spent_total\{application="default",country="GB"\} 0\.7/);
  assert.match(metrics, /otpd_budget_spent\{application="default"\} 0\.9\n/);
  assert.match(metrics, /otpd_budget_limit\{application="default"\} 0\.9\n/);
});

test('a call is charged what calls cost', async () => {
  const stack = await start({
    OTPD_DELIVERY_ROUTES_VOICE: 'twilio',
    OTPD_BUDGET_DEFAULT_PRICE: '0.01',
    OTPD_BUDGET_PRICES: '+44=0.05,voice=0.2,voice:+44=0.5',
    OTPD_BUDGET_PER_DAY: '0.76',
  });
  const call = (phone, expected) =>
    ask(stack, 'POST', '/otp/send', expected, { json: { phone, channel: 'voice' } });
  await call(british(), 202);
  await call(american(), 202);
  assert.equal((await call(american(), [429, 'rate_limited'])).limit, 'budget');
  await send(stack, british());
  await send(stack, american());
  assert.equal(await refused(stack, american()), 'budget');
  assert.deepEqual(await details(stack, 'limited'), ['budget_application', 'budget_application']);
  const metrics = (await stack.call('GET', '/metrics')).body;
  assert.match(metrics, /otpd_spent_total\{application="default",country="GB"\} 0\.55/);
  assert.match(metrics, /otpd_spent_total\{application="default",country="US"\} 0\.21/);
});

test('in shadow mode everything goes out and is recorded', async () => {
  const stack = await start({
    OTPD_LIMITS_APPLICATION_SENDS_PER_HOUR: '2',
    OTPD_LIMITS_IP_COUNTRIES: '1',
    OTPD_LIMITS_SHADOW: 'true',
    OTPD_DESTINATIONS_BLOCK_SENDS_PER_HOUR: '1',
    OTPD_DESTINATIONS_SHADOW: 'true',
    OTPD_BUDGET_PER_DAY: '0.1',
    OTPD_BUDGET_SHADOW: 'true',
  });
  const block = american().slice(0, -4);
  for (const end of ['0001', '0002']) await send(stack, block + end);
  await send(stack, british());
  assert.deepEqual(await details(stack, 'limited_shadow'),
    ['application_hour', 'block_hour', 'ip_countries', 'pressure']);
  assert.deepEqual(await details(stack, 'limited'), []);
});

test('an address may send to so many countries', async () => {
  const stack = await start({ OTPD_LIMITS_IP_COUNTRIES: '2' });
  await send(stack, american());
  await send(stack, british());
  assert.equal(await refused(stack, '+33612345678'), 'ip');
  await send(stack, american());
  assert.deepEqual(await details(stack, 'limited'), ['ip_countries']);
});

test('refusals are summed: a line a minute, and how many were left out', async () => {
  const stack = await start({
    OTPD_LIMITS_IP_SENDS: '1', OTPD_FRICTION_IP_SENDS: '30',
    OTPD_DESTINATIONS_DENIED_COUNTRIES: 'FR',
  });
  await send(stack, american());
  const [phone, other] = [american(), american()];
  for (let n = 0; n < 30; n += 1) assert.equal(await refused(stack, phone), 'ip');
  await refused(stack, other);
  for (let n = 0; n < 30; n += 1) await send(stack, '+33612345678', [422, 'recipient_not_allowed']);
  assert.deepEqual(await details(stack, 'limited'), ['ip', 'ip; 29 more']);
  assert.deepEqual(await details(stack, 'not_allowed'), ['country_denied']);
  await stack.advance(60);
  await refused(stack, phone);
  await send(stack, '+33612345678', [422, 'recipient_not_allowed']);
  assert.deepEqual(await details(stack, 'limited'), ['ip', 'ip', 'ip; 29 more']);
  assert.deepEqual(await details(stack, 'not_allowed'), ['country_denied', 'country_denied; 29 more']);
});

test('when half of the hour is used, every send needs a captcha', async () => {
  const stack = await start({ OTPD_LIMITS_APPLICATION_SENDS_PER_HOUR: '4' });
  for (let n = 0; n < 2; n += 1) await send(stack, american());
  const asked = await send(stack, american(), [403, 'captcha_required']);
  assert.ok(asked.captcha);
});

test('pumping: a block is closed for longer and longer, the others stay open', async () => {
  const stack = await start({ OTPD_PUMPING_MIN_SENDS: '10', OTPD_LIMITS_IP_SENDS: '1000', OTPD_FRICTION_IP_SENDS: '1000' });
  const [pumped, honest] = [american().slice(0, -4), american().slice(0, -4)];
  let tail = 1_000;
  const attack = async () => {
    for (let n = 0; n < 10; n += 1) { tail += 1; await send(stack, pumped + tail); }
    for (let n = 0; n < 3; n += 1) {
      tail += 1;
      const phone = honest + tail;
      await send(stack, phone);
      await ask(stack, 'POST', '/otp/verify', 200, { json: { phone, code: await stack.code(phone) } });
    }
    await stack.advance(240);
    tail += 1;
    await send(stack, honest + tail);
    return send(stack, pumped + tail, [429, 'rate_limited']);
  };
  assert.equal((await attack()).retry_after, 1_800);
  await stack.advance(1_800);
  assert.equal((await attack()).retry_after, 3_600);
  assert.deepEqual(await details(stack, 'pumping_blocked'), [pumped, pumped]);
  assert.deepEqual(await details(stack, 'limited'), ['pumping', 'pumping']);
  await ask(stack, 'DELETE', `/admin/blocks/${pumped}`, 200,
    { headers: { Authorization: `Bearer ${stack.adminToken}` } });
  assert.deepEqual(await details(stack, 'admin_block_reset'), [pumped]);
  await send(stack, `${pumped}0000`);
});

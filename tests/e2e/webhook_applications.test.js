// Applications and their endpoints for events: each hears of its own codes, signed with its own
// secret, whatever another's endpoint does, and through a kill -9.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { ask, stacks, start } from './support/contract.js';
import { Endpoint } from './support/endpoint.js';
import { eventually } from './support/process.js';
import { newIp, newPhone } from './support/stack.js';

const names = ['default', 'shop', 'guest', 'mute'];
const keyOf = (name) => `otpk_${name.padEnd(43, '0')}`;
const secretOf = (name) => `whsec_${Buffer.from(name.padEnd(32, '.')).toString('base64')}`;
const entry = (name) => `${name === 'default' ? '' : `${name}/`}web:`
  + createHash('sha256').update(keyOf(name)).digest('hex');

const endpoints = { default: await Endpoint.start(), shop: await Endpoint.start() };
const main = await start({
  OTPD_TESTING_VIRTUAL_CLOCK: undefined,
  OTPD_AUTH_API_KEYS: names.map(entry).join(','),
  OTPD_WEBHOOKS_URL: endpoints.default.url,
  OTPD_WEBHOOKS_SECRETS: secretOf('default'),
  OTPD_WEBHOOKS_ALLOW_PRIVATE: 'true',
  OTPD_WEBHOOKS_EVENTS: 'otp.sent',  // one for each code
  OTPD_APPLICATIONS_SHOP_WEBHOOKS_URL: endpoints.shop.url,
  OTPD_APPLICATIONS_SHOP_WEBHOOKS_SECRETS: secretOf('shop'),
  OTPD_APPLICATIONS_SHOP_WEBHOOKS_ALLOW_PRIVATE: 'true',
  OTPD_APPLICATIONS_GUEST_MESSAGES_BRAND: 'Guest',
  OTPD_APPLICATIONS_MUTE_WEBHOOKS_URL: '',
});
after(async () => {
  for (const stack of stacks) await stack.stop();
  for (const endpoint of Object.values(endpoints)) await endpoint.stop();
});

async function send(application) {
  const headers = { Authorization: `Bearer ${keyOf(application)}` };
  const { verification_id: id } = await ask(main, 'POST', '/otp/send', 202,
    { ip: newIp(), headers, json: { phone: newPhone() } });
  return id;
}
const told = (endpoint, id) => eventually('the event', () =>
  endpoints[endpoint].got.find(({ json }) => json.data.verification_id === id));
const heard = (endpoint) => endpoints[endpoint].got.map(({ json }) => json.data.verification_id);
const admin = (method, path, expected = 200) => ask(main, method, path, expected,
  { headers: { Authorization: `Bearer ${main.adminToken}` } });

test('each hears of its own, signed with its own secret', async () => {
  for (const [mine, others] of [['default', 'shop'], ['shop', 'default']]) {
    const id = await send(mine);
    const { body, headers, json } = await told(mine, id);
    assert.deepEqual(new Webhook(secretOf(mine)).verify(body, headers), json);
    assert.throws(() => new Webhook(secretOf(others)).verify(body, headers));
    assert.equal(json.data.application, mine === 'default' ? undefined : mine);
    assert.ok(!heard(others).includes(id));
  }
});

test('one without an endpoint has the base one\'s, and one that says so has none', async () => {
  const silent = await send('mute');
  const id = await send('guest');
  const { body, headers, json } = await told('default', id);
  assert.deepEqual(new Webhook(secretOf('default')).verify(body, headers), json);
  assert.equal(json.data.application, 'guest');
  assert.ok(![...heard('default'), ...heard('shop')].includes(silent));
  assert.equal((await admin('GET', '/admin/webhook')).application, 'default');
  assert.equal((await admin('GET', '/admin/webhook?application=guest')).application, 'default');
  await admin('GET', '/admin/webhook?application=mute', [404, 'not_found']);
  await admin('POST', '/admin/webhook/enable?application=mute', [404, 'not_found']);
  await admin('GET', '/admin/webhook?application=nobody', [400, 'invalid_request']);
});

test('an endpoint that hangs holds no other', async () => {
  endpoints.shop.answer = () => undefined;
  const ids = [];
  for (let i = 0; i < 20; i += 1) ids.push(await send('shop'));
  await told('shop', ids[0]);
  for (let i = 0; i < 5; i += 1) await told('default', await send('default'));
  endpoints.shop.answer = () => 204;
  endpoints.shop.server.closeAllConnections();
  const answered = () => endpoints.shop.got.filter(({ status }) => status === 204)
    .map(({ json }) => json.data.verification_id);
  await eventually('all events once it answers',
    () => ids.every((id) => answered().includes(id)), 40_000);
});

test('a 410 disables the endpoint of its application alone, until it is enabled', async () => {
  await eventually('nothing waits', async () => {
    const { waiting, leased } = await admin('GET', '/admin/queue');
    return waiting + leased === 0;
  });
  endpoints.shop.answer = () => 410;
  await told('shop', await send('shop'));
  const state = () => admin('GET', '/admin/webhook?application=shop');
  await eventually('disabled', async () => (await state()).disabled);
  assert.equal((await state()).url, endpoints.shop.url);
  assert.equal((await admin('GET', '/admin/webhook')).disabled, false);
  const { events } = await admin('GET',
    '/admin/events?event_type=admin_webhook_disabled&application=shop');
  assert.equal(events.length, 1);
  await told('default', await send('default'));
  endpoints.shop.answer = () => 204;
  assert.equal((await admin('POST', '/admin/webhook/enable')).application, 'default');
  assert.equal((await state()).disabled, true);
  assert.equal((await admin('POST', '/admin/webhook/enable?application=shop')).disabled, false);
  await told('shop', await send('shop'));
});

test('after a kill -9 what waits goes to its own application\'s endpoint', async () => {
  const ids = {};
  for (const name of ['default', 'shop']) {
    endpoints[name].answer = () => 500;
    ids[name] = await send(name);
    await told(name, ids[name]);
  }
  await main.crash();
  const before = { default: endpoints.default.got.length, shop: endpoints.shop.got.length };
  for (const endpoint of Object.values(endpoints)) endpoint.answer = () => 204;
  await main.startOtpd();
  for (const [mine, others] of [['default', 'shop'], ['shop', 'default']]) {
    const again = await eventually('the second try', () => endpoints[mine].got.slice(before[mine])
      .find(({ json }) => json.data.verification_id === ids[mine]), 40_000);
    assert.deepEqual(new Webhook(secretOf(mine)).verify(again.body, again.headers), again.json);
    assert.ok(!heard(others).includes(ids[mine]));
  }
});

// Two applications in one otpd, each behind a key of its own: what one has is not there for the other,
// and each has its words, rules and carrier; also after a crash.
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { ask, stacks, start } from './support/contract.js';
import { eventually } from './support/process.js';
import { newIp, newPhone } from './support/stack.js';

const entry = (name, key) => `${name}:${createHash('sha256').update(key).digest('hex')}`;
const keys = { bank: 'otpk_bank-000000000000000000000000000000', shop: 'otpk_shop-00000000000000000000000000000' };

const main = await start({
  OTPD_AUTH_API_KEYS: `${entry('web', keys.bank)},${entry('shop/web', keys.shop)}`,
  OTPD_MESSAGES_BRAND: 'Bank',
  OTPD_PROVIDERS_SECOND_KIND: 'twilio',
  OTPD_PROVIDERS_SECOND_BASE_URL: (stack) => stack.simUrl,
  OTPD_PROVIDERS_SECOND_FROM: '+12025550123',
  OTPD_APPLICATIONS_SHOP_MESSAGES_BRAND: 'Shop',
  OTPD_APPLICATIONS_SHOP_PURPOSES_LOGIN_DIGITS: '8',
  OTPD_APPLICATIONS_SHOP_LIMITS_USER_SENDS: '1',
  OTPD_APPLICATIONS_SHOP_LIMITS_APPLICATION_SENDS_PER_HOUR: '777',
  OTPD_APPLICATIONS_SHOP_BUDGET_PER_DAY: '150.50',
  OTPD_APPLICATIONS_SHOP_BUDGET_COUNTRY_LIMITS: 'GB=12.5',
  OTPD_APPLICATIONS_SHOP_DELIVERY_ROUTES_SMS: 'second',
});
after(async () => {
  for (const stack of stacks) await stack.stop();
});

// As the application, whose name is also its brand.
const as = (application, method, path, expected, options = {}) =>
  ask(main, method, path, expected, {
    ip: newIp(), ...options, headers: { Authorization: `Bearer ${keys[application]}`, ...options.headers } });
const other = { bank: 'shop', shop: 'bank' };

// A send, and the message that it made.
async function send(application, json) {
  const count = (await main.inbox(json.phone)).length;
  const sent = await as(application, 'POST', '/otp/send', 202, { json });
  return { ...sent, message: await main.message(json.phone, count + 1), code: await main.code(json.phone, count + 1) };
}

test('each has its words, its rules and its carrier', async () => {
  const phone = newPhone();
  const bank = await send('bank', { phone });
  const shop = await send('shop', { phone });
  assert.match(bank.message.text, /Bank/);
  assert.doesNotMatch(bank.message.text, /Shop/);
  assert.match(shop.message.text, /Shop/);
  assert.doesNotMatch(shop.message.text, /Bank/);
  assert.deepEqual([bank.code.length, shop.code.length], [6, 8]);
  const provider = ({ verification_id: id }) => eventually('the carrier has it', async () =>
    (await main.admin('GET', `/admin/verifications/${id}`)).json.provider);
  assert.deepEqual([await provider(bank), await provider(shop)], ['twilio', 'second']);
});

test('what one has is not there for the other, and its owner can still use it', async () => {
  for (const owner of ['bank', 'shop']) {
    const stranger = other[owner];
    const phone = newPhone();
    const user = randomUUID();
    const sent = await send(owner, { phone, user_id: user });
    const path = `/otp/${sent.verification_id}`;
    await as(stranger, 'GET', path, [404, 'not_found']);
    await as(stranger, 'DELETE', path, [404, 'not_found']);
    const guess = { phone, code: '0'.repeat(stranger === 'shop' ? 8 : 6) };
    await as(stranger, 'POST', '/otp/verify', [410, 'otp_expired'], { json: guess });
    const yes = await as(owner, 'POST', '/otp/verify', 200, { json: { phone, code: sent.code } });
    const token = { json: { token: yes.session_token } };
    assert.deepEqual(await as(stranger, 'POST', '/session/introspect', 200, token), { active: false });
    await as(stranger, 'POST', '/session/revoke', 200, token);
    assert.deepEqual((await as(stranger, 'GET', `/users/${user}/sessions`, 200)).sessions, []);
    assert.equal((await as(stranger, 'POST', `/users/${user}/logout`, 200)).revoked, 0);
    assert.equal((await as(owner, 'POST', '/session/introspect', 200, token)).active, true);
  }
});

test('an idempotency key, a limit and factors are the application\'s own', async () => {
  const user = randomUUID();
  const json = () => ({ phone: newPhone(), user_id: user });
  const headers = { 'Idempotency-Key': randomUUID() };
  const bank = await as('bank', 'POST', '/otp/send', 202, { json: json(), headers });
  const shop = await as('shop', 'POST', '/otp/send', 202, { json: json(), headers });
  assert.notEqual(bank.verification_id, shop.verification_id);
  await as('shop', 'POST', '/otp/send', [429, 'rate_limited'], { json: json() });
  await as('bank', 'POST', '/otp/send', 202, { json: json() });
  const factor = await as('bank', 'POST', `/users/${user}/factors`, 201, { json: { type: 'totp' } });
  assert.deepEqual((await as('shop', 'GET', `/users/${user}/factors`, 200)).factors, []);
  await as('shop', 'DELETE', `/users/${user}/factors/${factor.factor_id}`, [404, 'not_found']);
  assert.equal((await as('bank', 'GET', `/users/${user}/factors`, 200)).factors.length, 1);
});

test('an operator sees both, and whose recipient it is', async () => {
  const headers = { Authorization: `Bearer ${main.adminToken}` };
  const { applications } = await ask(main, 'GET', '/admin/apps', 200, { headers });
  assert.deepEqual(applications.map(({ name, base }) => [name, base]), [['default', true], ['shop', false]]);
  const rules = await ask(main, 'GET', '/admin/apps/shop', 200, { headers });
  assert.deepEqual([rules.purposes.login.digits, rules.limits.user_sends], [8, 1]);
  const of = (scope, name) => scope[name].max;
  assert.deepEqual(applications.map(({ caps }) => of(caps.application, 'spent_per_day'))[1], '150.5');
  assert.notEqual(of(applications[0].caps.application, 'sends_per_hour'), 777);
  assert.equal(of(rules.caps.application, 'sends_per_hour'), 777);
  assert.equal(of(rules.caps.countries.GB, 'spent_per_day'), '12.5');
  assert.equal(rules.caps.default_price, '0.05');
  const phone = newPhone();
  await send('shop', { phone });
  const found = async (query) => (await ask(main, 'GET',
    `/admin/events?phone=${encodeURIComponent(phone)}${query}`, 200, { headers })).events.length;
  assert.equal(await found(''), 0);
  assert.notEqual(await found('&application=shop'), 0);
});

test('they are apart after a crash, too', async () => {
  const phone = newPhone();
  const sent = await send('shop', { phone });
  await main.crash();
  await main.startOtpd();
  await as('bank', 'GET', `/otp/${sent.verification_id}`, [404, 'not_found']);
  await as('shop', 'GET', `/otp/${sent.verification_id}`, 200);
  await as('shop', 'POST', '/otp/verify', 200, { json: { phone, code: sent.code } });
});

test('an application that is taken out has no callers, and comes back as it was', async () => {
  const phone = newPhone();
  const sent = await send('shop', { phone });
  const { extra } = main;
  const without = Object.entries(extra).filter(([name]) => !name.startsWith('OTPD_APPLICATIONS_'));
  await main.crash();
  main.extra = { ...Object.fromEntries(without), OTPD_AUTH_API_KEYS: entry('web', keys.bank) };
  await main.startOtpd();
  await as('shop', 'GET', `/otp/${sent.verification_id}`, [401, 'unauthorized']);
  await as('bank', 'GET', `/otp/${sent.verification_id}`, [404, 'not_found']);
  await main.crash();
  main.extra = extra;
  await main.startOtpd();
  await as('shop', 'POST', '/otp/verify', 200, { json: { phone, code: sent.code } });
});

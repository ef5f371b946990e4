// Public applications: a page in real Chromium calls, without a key, for the application that has its
// origin, and reads what that one answers; an origin opens nothing that is not public.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import { launch } from './support/browser.js';
import { fromPage, servePage } from './support/pages.js';
import { newIp, newPhone, Stack } from './support/stack.js';

const pages = { shop: await servePage(), mute: await servePage(), stranger: await servePage() };
const key = `otpk_${'shop'.padEnd(43, '0')}`;
const stack = await Stack.start({ env: {
  OTPD_AUTH_PUBLIC: 'true',
  OTPD_AUTH_API_KEYS: `shop/web:${createHash('sha256').update(key).digest('hex')}`,
  OTPD_MESSAGES_BRAND: 'Bank',
  OTPD_APPLICATIONS_SHOP_AUTH_PUBLIC: 'true',
  OTPD_APPLICATIONS_SHOP_AUTH_CORS_ORIGINS: pages.shop.origin,
  OTPD_APPLICATIONS_SHOP_MESSAGES_BRAND: 'Shop',
  OTPD_APPLICATIONS_SHOP_PURPOSES_LOGIN_DIGITS: '8',
  OTPD_APPLICATIONS_SHOP_LIMITS_IP_SENDS: '3',
  OTPD_APPLICATIONS_SHOP_FRICTION_IP_SENDS: '30',
  OTPD_APPLICATIONS_MUTE_AUTH_CORS_ORIGINS: pages.mute.origin,
} });
const browser = await launch();
after(async () => {
  await browser.close();
  for (const page of Object.values(pages)) page.stop();
  await stack.stop();
});

const page = (who, method, path, json) =>
  fromPage(browser, pages[who].origin, method, stack.url + path, json);
const call = (path, json, headers = {}) =>
  stack.call('POST', path, { ip: newIp(), json, headers });

test('a page of the shop sends and verifies for the shop', async () => {
  const phone = newPhone();
  const sent = await page('shop', 'POST', '/otp/send', { phone });
  assert.equal(sent.status, 202, JSON.stringify(sent));
  assert.match((await stack.message(phone)).text, /Shop/);
  const code = await stack.code(phone);
  assert.equal(code.length, 8);
  // For the base application, to which callers without an origin belong, nothing was sent.
  assert.equal((await call('/otp/verify', { phone, code: code.slice(2) })).json.error, 'otp_expired');
  const right = await page('shop', 'POST', '/otp/verify', { phone, code });
  assert.equal(right.status, 200, JSON.stringify(right));
  assert.equal((await page('shop', 'GET', '/captcha')).status, 200);
  const { events } = (await stack.admin('GET', '/admin/events?event_type=verify_success')).json;
  assert.deepEqual(events.map(({ application }) => application), ['shop']);
});

test('a page of an application that is not public is refused, and can read it', async () => {
  const refused = await page('mute', 'POST', '/otp/send', { phone: newPhone() });
  assert.deepEqual([refused.status, refused.body.error], [401, 'unauthorized']);
  const stranger = await page('stranger', 'POST', '/otp/send', { phone: newPhone() });
  assert.deepEqual(stranger, { failed: 'TypeError' });
});

test('without an origin, or with one that nobody has, it is the base application', async () => {
  for (const headers of [{}, { Origin: 'null' }, { Origin: pages.stranger.origin }]) {
    const phone = newPhone();
    const sent = await call('/otp/send', { phone }, headers);
    assert.equal(sent.status, 202, sent.body);
    assert.equal(sent.headers['access-control-allow-origin'], undefined);
    assert.match((await stack.message(phone)).text, /Bank/);
  }
});

test('a forged origin gets no more than the page: the application\'s limits', async () => {
  const ip = newIp();
  const statuses = [];
  for (let i = 0; i < 4; i += 1) {
    const { status } = await stack.call('POST', '/otp/send',
      { ip, json: { phone: newPhone() }, headers: { Origin: pages.shop.origin } });
    statuses.push(status);
  }
  assert.deepEqual(statuses, [202, 202, 202, 429]);
  const session = await call('/session/introspect', { token: 'x' }, { Origin: pages.shop.origin });
  assert.equal(session.status, 401);
});

test('a key says whose a call is, and the answer is for that application\'s pages', async () => {
  const headers = { Authorization: `Bearer ${key}` };
  for (const [origin, allowed] of [[pages.shop.origin, pages.shop.origin],
    [pages.mute.origin, undefined]]) {
    const phone = newPhone();
    const sent = await call('/otp/send', { phone }, { ...headers, Origin: origin });
    assert.equal(sent.status, 202, sent.body);
    assert.equal(sent.headers['access-control-allow-origin'], allowed);
    assert.equal(sent.headers.vary, 'Origin');
    assert.match((await stack.message(phone)).text, /Shop/);
  }
});

// Public mode: pages of other origins in real Chromium, callers without a key, and whose address
// counts.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { launch } from './support/browser.js';
import { exchange } from './support/http.js';
import { fromPage as pageCall, servePage } from './support/pages.js';
import { newIp, newPhone, Stack, wrong } from './support/stack.js';

const shop = await servePage();
const stranger = await servePage();
const stack = await Stack.start({
  env: {
    OTPD_AUTH_PUBLIC: 'true',
    OTPD_AUTH_CORS_ORIGINS: shop.origin,
    OTPD_LIMITS_IP_SENDS: '3',
    OTPD_LIMITS_IP_GUESSES: '2',
  },
});
const browser = await launch();
after(async () => {
  await browser.close();
  for (const page of [shop, stranger]) page.stop();
  await stack.stop();
});

const fromPage = (origin, method, path, json) =>
  pageCall(browser, origin, method, stack.url + path, json);

test('a page of an allowed origin sends, verifies, and reads every answer', async () => {
  const phone = newPhone();
  const sent = await fromPage(shop.origin, 'POST', '/otp/send', { phone });
  assert.equal(sent.status, 202);
  assert.ok(sent.limit && sent.id);
  assert.equal(sent.date, null);  // a field that it is not told to read
  const again = await fromPage(shop.origin, 'POST', '/otp/send', { phone: `${phone}` });
  assert.deepEqual(again.body, sent.body);
  const early = await stack.call('POST', '/otp/send',
    { json: { phone }, headers: { Origin: shop.origin } });
  assert.deepEqual([early.status, early.headers['access-control-allow-origin']], [429, shop.origin]);
  const wrong = await fromPage(shop.origin, 'POST', '/otp/verify', { phone, code: 'abc' });
  assert.deepEqual([wrong.status, wrong.body.error], [400, 'invalid_code']);
  const right = await fromPage(shop.origin, 'POST', '/otp/verify',
    { phone, code: await stack.code(phone) });
  assert.equal(right.status, 200);
  assert.ok(right.body.session_token);
  assert.equal((await fromPage(shop.origin, 'GET', '/captcha')).status, 200);
});

test('a page of another origin can neither send nor read', async () => {
  const phone = newPhone();
  assert.deepEqual(await fromPage(stranger.origin, 'POST', '/otp/send', { phone }),
    { failed: 'TypeError' });
  assert.deepEqual(await fromPage(stranger.origin, 'GET', '/captcha'), { failed: 'TypeError' });
  const { events } = (await stack.admin('GET', '/admin/events?event_type=send')).json;
  assert.equal(events.length, 1);  // the shop's alone
});

test('sessions, factors and administration are for no page', async () => {
  for (const [method, path] of [['POST', '/session/introspect'], ['GET', '/users/x/sessions'],
    ['GET', '/otp/x'], ['GET', '/metrics'], ['GET', '/admin/keys'], ['GET', '/healthz']]) {
    for (const asked of [method, 'OPTIONS']) {
      const { headers } = await stack.call(asked, path, {
        headers: { Origin: shop.origin, 'Access-Control-Request-Method': method },
      });
      assert.deepEqual(Object.keys(headers).filter((name) => name.startsWith('access-control')), []);
    }
  }
  assert.deepEqual(await fromPage(shop.origin, 'GET', '/healthz'), { failed: 'TypeError' });
});

test('errors can be read, too, and none allows credentials', async () => {
  for (const options of [{ body: 'x', headers: { 'Content-Type': 'text/plain' } }, { body: '{' },
    { json: {}, headers: { Authorization: 'Bearer unknown' } }, { json: { phone: '12' } }]) {
    const { status, headers } = await stack.call('POST', '/otp/send',
      { ...options, headers: { ...options.headers, Origin: shop.origin } });
    assert.ok(status >= 400);
    assert.equal(headers['access-control-allow-origin'], shop.origin);
    assert.equal(headers.vary, 'Origin');
    assert.equal(headers['access-control-allow-credentials'], undefined);
  }
  const wrong = await stack.call('GET', '/otp/send', { headers: { Origin: shop.origin } });
  assert.deepEqual([wrong.status, wrong.headers['access-control-allow-origin']], [405, shop.origin]);
});

test('a page can read what the HTTP server itself refuses', async () => {
  const phone = newPhone();
  const large = await fromPage(shop.origin, 'POST', '/otp/send', { phone, filler: 'x'.repeat(20_000) });
  assert.deepEqual([large.status, large.body.error], [413, 'payload_too_large']);
  const raw = (path, origin, rest) => exchange(stack.port,
    [`POST ${path} HTTP/1.1\r\nHost: a\r\nOrigin: ${origin}\r\n${rest}`],
    { limitMs: 9_000 });
  const slow = 'Content-Type: application/json\r\nContent-Length: 20\r\n\r\n{';
  const long = `X-Long: ${'x'.repeat(9_000)}\r\n\r\n`;
  const [late, lateHead, tooLong, notOurs, notOpen] = await Promise.all([
    raw('/otp/send', shop.origin, slow), raw('/otp/verify', shop.origin, 'Content-'),
    raw('/captcha', shop.origin, long),
    raw('/otp/send', stranger.origin, slow), raw('/session/introspect', shop.origin, slow)]);
  for (const [answer, status] of [[late, 408], [lateHead, 408], [tooLong, 431]]) {
    assert.ok(answer.startsWith(`HTTP/1.1 ${status} `), answer);
    assert.ok(answer.includes(`Access-Control-Allow-Origin: ${shop.origin}\r\n`), answer);
    assert.ok(answer.includes('Vary: Origin\r\n'), answer);
  }
  for (const answer of [notOurs, notOpen]) {
    assert.match(answer, /^HTTP\/1.1 408 /);
    assert.ok(!answer.includes('Access-Control-'), answer);
  }
});

const send = (ip, options = {}) => stack.call('POST', '/otp/send',
  { ip, ...options, json: { phone: newPhone(), ...options.json } });
const statuses = async (calls) => {
  const found = [];
  for (const one of calls) found.push((await one()).status);
  return found;
};

test('without a key it is the address that is limited, an IPv6 one with its whole /64', async () => {
  const ip = newIp();
  assert.deepEqual(await statuses(Array(4).fill(() => send(ip))), [202, 202, 202, 429]);
  const many = ['2001:db8:1:1::1', '2001:db8:1:1::2', '2001:db8:1:1:ffff::', '2001:db8:1:1:a:b:c:d'];
  assert.deepEqual(await statuses(many.map((one) => () => send(one))), [202, 202, 202, 429]);
  assert.equal((await send('2001:db8:1:2::1')).status, 202);
});

test('without a key nobody says whose address it is', async () => {
  for (const [path, json] of [['/otp/send', { phone: newPhone() }],
    ['/otp/verify', { phone: newPhone(), code: '000000' }], ['/otp/verify', { token: 'x' }]]) {
    const refused = await stack.call('POST', path,
      { ip: newIp(), json: { ...json, client_ip: '203.0.113.9' } });
    assert.deepEqual([refused.status, refused.json.error, refused.json.member],
      [400, 'invalid_request', 'client_ip']);
  }
});

test('a few guesses at each of many people are limited by address', async () => {
  const ip = newIp();
  const guess = async (from, right) => {
    const phone = newPhone();
    await send(newIp(), { json: { phone } });
    const code = await stack.code(phone);
    return stack.call('POST', '/otp/verify',
      { ip: from, json: { phone, code: right ? code : wrong(code) } });
  };
  const answers = await statuses([false, true, false, true, false].map((right) =>
    () => guess(ip, right)));
  assert.deepEqual(answers, [401, 200, 401, 429, 429]);
  const refused = await guess(ip, true);
  assert.equal(refused.json.limit, 'ip_guesses');
  assert.equal((await guess(newIp(), true)).status, 200);
});

test('with a key the end user counts, in the limits and in the audit log', async () => {
  const made = await stack.admin('POST', '/admin/keys', { json: { name: 'backend' } });
  const headers = { Authorization: `Bearer ${made.json.secret}` };
  const server = newIp();
  const to = (client_ip, phone = newPhone()) => () => send(server, { headers, json: { client_ip, phone } });
  const [user, other] = [newIp(), newIp()];
  assert.deepEqual(await statuses([to(user), to(user), to(user), to(user), to(other)]),
    [202, 202, 202, 429, 202]);
  const net = '2001:db8:7:7:';
  assert.deepEqual(await statuses([to(`${net}:1`), to(`${net}:2`), to(`${net}:3`), to(`${net}:4`)]),
    [202, 202, 202, 429]);
  assert.equal((await send(server)).status, 202);  // its own is not charged with any of them
  for (const bad of ['203.0.113.9:80', '[::1]', '203.0.113.0/24', 'fe80::1%eth0', 'localhost', ' ']) {
    const refused = await to(bad)();
    assert.deepEqual([refused.status, refused.json.member], [400, 'client_ip'], bad);
  }

  const [client, phone] = [newIp(), newPhone()];
  const { json: { verification_id: id } } = await to(client, phone)();
  const code = await stack.code(phone);
  const opened = await stack.call('POST', '/otp/verify',
    { ip: server, headers, json: { phone, code, client_ip: client } });
  assert.equal(opened.status, 200, opened.body);
  const { events } = (await stack.admin('GET', `/admin/events?verification_id=${id}`)).json;
  for (const type of ['send', 'verify_success']) {
    assert.equal(events.find((one) => one.event_type === type).ip_address, client, type);
  }
});

test('whoever has no key says neither whose login it is nor what a message confirms', async () => {
  const made = await stack.admin('POST', '/admin/keys', { json: { name: 'logins' } });
  const headers = { Authorization: `Bearer ${made.json.secret}` };
  const ip = newIp();
  const body = { phone: newPhone(), user_id: randomUUID() };
  const context = { amount: '1.00', currency: 'USD', payee: 'https://evil.example/login' };
  for (const [member, json] of [['user_id', body],
    ['purpose', { phone: newPhone(), purpose: 'transaction', context }]]) {
    const refused = await fromPage(shop.origin, 'POST', '/otp/send', json);
    assert.deepEqual([refused.status, refused.body.error, refused.body.member],
      [400, 'invalid_request', member]);
    const allowed = await stack.call('POST', '/otp/send',
      { json: { ...json, client_ip: ip }, headers });
    assert.equal(allowed.status, 202, allowed.body);
  }
  // What the backend has begun, the user may end.
  const json = { phone: body.phone, code: await stack.code(body.phone) };
  const verified = await stack.call('POST', '/otp/verify', { json });
  assert.deepEqual([verified.status, verified.json.user_id], [200, body.user_id]);
});

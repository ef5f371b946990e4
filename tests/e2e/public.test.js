// Public mode: pages of other origins in real Chromium, callers without a key, and whose address
// counts.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, test } from 'node:test';
import { launch, newPage } from './support/browser.js';
import { newIp, newPhone, Stack } from './support/stack.js';

// A page of that port's origin, which is all that it is.
function serve() {
  const server = http.createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><title>A shop</title>');
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve({
      server, origin: `http://127.0.0.1:${server.address().port}`,
    }));
  });
}
const shop = await serve();
const stranger = await serve();
const stack = await Stack.start({
  env: {
    OTPD_AUTH_PUBLIC: 'true',
    OTPD_AUTH_CORS_ORIGINS: shop.origin,
    OTPD_LIMITS_IP_SENDS: '3', OTPD_FRICTION_IP_SENDS: '30',
  },
});
const browser = await launch();
after(async () => {
  await browser.close();
  for (const { server } of [shop, stranger]) {
    server.closeAllConnections();
    server.close();
  }
  await stack.stop();
});

// What a page of that origin gets for a request of its own.
async function fromPage(origin, method, path, json) {
  const page = await newPage(browser);
  await page.goto(origin);
  const answer = await page.evaluate(async ([url, init]) => {
    try {
      const response = await fetch(url, init);
      return {
        status: response.status, body: await response.json(),
        retryAfter: response.headers.get('Retry-After'), limit: response.headers.get('RateLimit'),
        id: response.headers.get('X-Request-Id'), date: response.headers.get('Date'),
      };
    } catch (error) {
      return { failed: error.name };
    }
  }, [stack.url + path, {
    method,
    ...(json && { body: JSON.stringify(json) }),
    headers: json ? { 'Content-Type': 'application/json', 'Idempotency-Key': `k-${json.phone}` } : {},
  }]);
  await page.context().close();
  return answer;
}

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

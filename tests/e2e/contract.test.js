// Every route of the real service against docs/openapi.yaml: statuses, headers, bodies. Ends by
// checking that every documented operation and error was seen.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import { ask, describedCarrier, note, seen, spec, stacks, start } from './support/contract.js';
import { payloadOf, solve } from './support/captcha.js';
import { factorTests } from './support/contract_factors.js';
import { keyTests } from './support/contract_keys.js';
import { operatorTests } from './support/contract_operators.js';
import { sessionTests } from './support/contract_sessions.js';
import { answersIn, call, exchange } from './support/http.js';
import { eventually } from './support/process.js';
import { Spec } from './support/spec.js';
import { buildDir, newPhone, sanitizerDir, wrong } from './support/stack.js';

// Documented, and not provoked here; each with its reason.
const notProvoked = {
  internal: 'only a defect answers it',
  too_many_keys: 'a thousand keys; the contract suite fills the record',
};

const send = (stack, json, expected = 202, options = {}) =>
  ask(stack, 'POST', '/otp/send', expected, { json, ...options });
const verify = (stack, json, expected = 200, options = {}) =>
  ask(stack, 'POST', '/otp/verify', expected, { json, ...options });
const solved = async (challenge) => payloadOf(challenge, await solve(challenge));
const context = { amount: '249.90', currency: 'EUR', payee: 'Blue Bottle Coffee' };

const main = await start();
after(async () => {
  for (const stack of stacks) await stack.stop();
});

test('send, verify and log out by phone', async () => {
  const phone = newPhone();
  const sent = await send(main, { phone });
  assert.deepEqual([sent.expires_in, sent.attempts_remaining, sent.resend_after], [300, 3, 30]);
  const code = await main.code(phone);
  const missed = await verify(main, { phone, code: wrong(code) }, [401, 'invalid_otp']);
  assert.equal(missed.attempts_remaining, 2);
  const opened = await verify(main, { phone, code, verification_id: sent.verification_id });
  assert.equal(opened.verification_id, sent.verification_id);
  assert.equal(opened.expires_in, 86_400);

  const token = opened.session_token;
  const alive = await ask(main, 'POST', '/session/introspect', 200, { form: { token } });
  assert.equal(alive.active, true);
  assert.equal(alive.sub, opened.user_id);
  assert.equal(alive.exp - alive.iat, 86_400);
  const listed = await ask(main, 'GET', `/users/${opened.user_id}/sessions`, 200);
  assert.deepEqual(listed.sessions.map((session) => session.session_id), [alive.jti]);
  await ask(main, 'POST', '/session/revoke', 200, { form: { token, token_type_hint: 'access_token' } });
  const dead = await ask(main, 'POST', '/session/introspect', 200, { json: { token } });
  assert.deepEqual(dead, { active: false });
  await verify(main, { phone, code }, [410, 'otp_expired']);
});

test('log out everywhere', async () => {
  const user_id = '0190c1f4-6f0a-8c3e-9b1d-2f5a7c9e1b3d';
  const tokens = [];
  for (let round = 0; round < 2; round += 1) {
    const phone = newPhone();
    await send(main, { phone, user_id });
    const opened = await verify(main, { phone, code: await main.code(phone) });
    assert.equal(opened.user_id, user_id);
    tokens.push(opened.session_token);
  }
  const sessions = (await ask(main, 'GET', `/users/${user_id}/sessions`, 200)).sessions;
  assert.equal(sessions.length, 2);
  const ended = await ask(main, 'POST', `/users/${user_id}/logout`, 200);
  assert.equal(ended.revoked, 2);
  for (const token of tokens) {
    const state = await ask(main, 'POST', '/session/introspect', 200, { json: { token } });
    assert.deepEqual(state, { active: false });
  }
  assert.equal((await ask(main, 'POST', `/users/${user_id}/logout`, 200, { json: {} })).revoked, 0);
});

test('by e-mail; a transaction; a password reset by code and by link', async () => {
  const email = `ada.${Date.now()}@example.com`;
  const sent = await send(main, { email, locale: 'de-CH' });
  assert.equal(sent.channel, 'email');
  const opened = await verify(main, { email, code: await main.code(email) });
  assert.ok(opened.session_token);

  const phone = newPhone();
  const deal = await send(main, { phone, purpose: 'transaction', context });
  assert.equal(deal.expires_in, 600);
  const code = await main.code(phone);
  const other = { ...context, amount: '2499.00' };
  const forged = await main.call('POST', '/otp/verify',
    { json: { phone, code, purpose: 'transaction', context: other } });
  note('POST', '/otp/verify', forged);
  assert.ok(forged.status >= 400, forged.body);
  const approved = await verify(main, { phone, code, purpose: 'transaction', context });
  assert.deepEqual(Object.keys(approved).sort(), ['user_id', 'verification_id']);

  const reset = `grace.${Date.now()}@example.com`;
  await send(main, { email: reset, purpose: 'password_reset' });
  const token = /[#?&]token=([A-Za-z0-9_-]+)/.exec((await main.message(reset)).text)[1];
  const proven = await verify(main, { token });
  assert.deepEqual(Object.keys(proven).sort(), ['user_id', 'verification_id']);
  assert.deepEqual(await verify(main, { token }), proven);
  await main.advance(10);
  await verify(main, { token }, [410, 'otp_expired']);
});

test('attempts run out', async () => {
  const phone = newPhone();
  await send(main, { phone });
  const code = await main.code(phone);
  for (const left of [2, 1]) {
    const missed = await verify(main, { phone, code: wrong(code) }, [401, 'invalid_otp']);
    assert.equal(missed.attempts_remaining, left);
  }
  await verify(main, { phone, code: wrong(code) }, [429, 'attempts_exhausted']);
  await verify(main, { phone, code }, [429, 'attempts_exhausted']);
});

test('a code expires; a verification is followed and canceled', async () => {
  const phone = newPhone();
  const { verification_id: id } = await send(main, { phone });
  const code = await main.code(phone);
  await main.advance(299);
  assert.notEqual((await ask(main, 'GET', `/otp/${id}`, 200)).status, 'expired');
  await main.advance(1);
  assert.equal((await ask(main, 'GET', `/otp/${id}`, 200)).status, 'expired');
  await verify(main, { phone, code }, [410, 'otp_expired']);

  const second = await send(main, { phone });
  assert.equal((await ask(main, 'DELETE', `/otp/${second.verification_id}`, 200)).status, 'canceled');
  assert.equal((await ask(main, 'DELETE', `/otp/${second.verification_id}`, 200)).status, 'canceled');
  const none = second.verification_id.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
  await ask(main, 'GET', `/otp/${none}`, [404, 'not_found']);
  await ask(main, 'DELETE', '/otp/nothing-of-ours', [404, 'not_found']);
});

test('limits: too early, too many for one recipient, too many wrong codes, too many from one address',
  async () => {
    const phone = newPhone();
    await send(main, { phone });
    const early = await send(main, { phone }, [429, 'rate_limited']);
    assert.equal(early.limit, 'resend');
    assert.equal(early.retry_after, 30);
    for (let sends = 1; sends < 5; sends += 1) {
      await main.advance(30);
      if (sends < 2) {
        await send(main, { phone });
        continue;
      }
      const { captcha } = await send(main, { phone }, [403, 'captcha_required']);
      assert.equal(captcha.parameters.data.level, sends - 2);
      await send(main, { phone, captcha: await solved(captcha) });
    }
    await main.advance(30);
    assert.equal((await send(main, { phone }, [429, 'rate_limited'])).limit, 'recipient');

    const small = await start({
      OTPD_LIMITS_IP_SENDS: '2', OTPD_FRICTION_IP_SENDS: '30',
      OTPD_LIMITS_RECIPIENT_GUESSES: '4', OTPD_LIMITS_USER_SENDS: '1',
    });
    const target = newPhone();
    await send(small, { phone: target });
    for (let guess = 0; guess < 3; guess += 1) {
      await small.call('POST', '/otp/verify', { json: { phone: target, code: '000000' } });
    }
    await small.advance(30);
    const again = await small.call('POST', '/otp/send', { json: { phone: target } });
    note('POST', '/otp/send', again);
    await small.call('POST', '/otp/verify', { json: { phone: target, code: '000000' } });
    const locked = await verify(small, { phone: target, code: '000000' }, [429, 'rate_limited']);
    assert.equal(locked.limit, 'guesses');
    const over = await send(small, { phone: newPhone() }, [429, 'rate_limited']);
    assert.equal(over.limit, 'ip');
  });

test('idempotency: the same answer, one message; another request is found out', async () => {
  const phone = newPhone();
  const headers = { 'Idempotency-Key': `key-${phone}` };
  const first = await send(main, { phone }, 202, { headers });
  const second = await send(main, { phone }, 202, { headers });
  assert.deepEqual(second, first);
  const third = await send(main, { phone, idempotency_key: `key-${phone}` });
  assert.deepEqual(third, first);
  await main.message(phone);
  assert.equal((await main.inbox(phone)).length, 1);
  await send(main, { phone: newPhone() }, [422, 'idempotency_key_reused'], { headers });
});

test('what cannot be used is refused by name', async () => {
  const refusals = [
    [{ phone: '12' }, [400, 'invalid_phone'], 'phone'],
    [{ email: 'ada@' }, [400, 'invalid_email'], 'email'],
    [{ phone: newPhone(), phonenumber: '1' }, [400, 'invalid_request'], 'phonenumber'],
    [{}, [400, 'invalid_request'], undefined],
    [{ phone: newPhone(), purpose: 'nonsense' }, [400, 'invalid_request'], 'purpose'],
    [{ phone: newPhone(), purpose: 'transaction' }, [400, 'invalid_request'], 'context'],
    [{ phone: newPhone(), captcha: 'e30=' }, [400, 'invalid_request'], 'captcha'],
    [{ phone: newPhone(), user_id: '7' }, [400, 'invalid_request'], 'user_id'],
    [{ phone: newPhone(), channel: 'voice' }, [422, 'recipient_not_allowed'], 'channel'],
  ];
  for (const [json, expected, member] of refusals) {
    const problem = await send(main, json, expected);
    if (member) assert.equal(problem.member, member);
  }
  const phone = newPhone();
  await verify(main, { phone: '12', code: '000000' }, [400, 'invalid_phone']);
  await verify(main, { email: '12', code: '000000' }, [400, 'invalid_email']);
  await verify(main, { phone, code: 'abcdef' }, [400, 'invalid_code']);
  await verify(main, { phone }, [400, 'invalid_request']);
  await verify(main, { token: 'not-one-of-ours' }, [400, 'invalid_code']);
  await verify(main, { phone, code: '000000' }, [410, 'otp_expired']);
  await ask(main, 'GET', '/users/7/sessions', [400, 'invalid_request']);
  await ask(main, 'POST', '/session/introspect', [400, 'invalid_request'], { form: {} });
});

test('HTTP itself: paths, methods, media types, sizes', async () => {
  await ask(main, 'GET', '/nothing', [404, 'not_found']);
  await ask(main, 'GET', '/demo/nothing.js', [404, 'not_found']);
  await ask(main, 'GET', '/otp/send', [405, 'method_not_allowed']);
  await ask(main, 'PUT', '/otp/send', [405, 'method_not_allowed']);
  await ask(main, 'POST', '/healthz', [405, 'method_not_allowed']);
  const text = { body: '{}', headers: { 'Content-Type': 'text/plain' } };
  for (const path of ['/otp/send', '/otp/verify', '/session/introspect', '/session/revoke']) {
    await ask(main, 'POST', path, [415, 'unsupported_media_type'], text);
    await ask(main, 'POST', path, [413, 'payload_too_large'], { json: { phone: '1'.repeat(17_000) } });
    await ask(main, 'POST', path, [431, 'header_too_large'],
      { json: {}, headers: { 'X-Long': 'x'.repeat(9000) } });
  }
});

test('a request id comes back; a bad one is replaced', async () => {
  const given = await main.call('GET', '/healthz', { headers: { 'X-Request-Id': 'web-7f3a' } });
  assert.equal(given.headers['x-request-id'], 'web-7f3a');
  const bad = await main.call('GET', '/healthz', { headers: { 'X-Request-Id': 'a b' } });
  assert.match(bad.headers['x-request-id'], /^[A-Za-z0-9._-]{8,64}$/);
});

test('operation: health, readiness, metrics, the contract, the demo page', async () => {
  await ask(main, 'GET', '/healthz', 200);
  await ask(main, 'GET', '/readyz', 200);
  await ask(main, 'GET', '/metrics', 200);
  await ask(main, 'GET', '/openapi.yaml', 200);
  for (const query of ['', '?purpose=password_reset', '?version=1']) {
    await ask(main, 'GET', `/captcha${query}`, 200);
  }
  await ask(main, 'GET', '/captcha?version=3', [400, 'invalid_request']);
  await ask(main, 'GET', '/demo', 200);
  const served = await main.call('GET', '/openapi.yaml');
  assert.deepEqual(new Spec(served.body).document, spec.document);
  const page = await main.call('GET', '/demo');
  for (const [, file] of page.body.matchAll(/(?:src|href)="(\/demo\/[^"]+)"/g)) {
    await ask(main, 'GET', file, 200);
  }
});

test('metrics are in the Prometheus text format, each described once', async () => {
  const { body } = await main.call('GET', '/metrics');
  const typed = [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map((match) => match[1]);
  assert.equal(new Set(typed).size, typed.length, 'a metric is described twice');
  for (const line of body.split('\n').filter((one) => one && !one.startsWith('#'))) {
    const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{.*\})? (\S+)$/.exec(line);
    assert.ok(match, line);
    assert.ok(Number.isFinite(Number(match[3])) || match[3] === 'NaN', line);
    const family = match[1].replace(/_(bucket|sum|count)$/, '');
    assert.ok(typed.includes(family) || typed.includes(match[1]), `no TYPE for ${line}`);
  }
});

test('admin: behind the token', async () => {
  const headers = { Authorization: `Bearer ${main.adminToken}` };
  for (const path of ['/admin/events', '/admin/dead-letters']) {
    await ask(main, 'GET', path, [401, 'unauthorized']);
    await ask(main, 'GET', path, [401, 'unauthorized'], { headers: { Authorization: 'Bearer x' } });
    await ask(main, 'GET', path, 200, { headers });
    await ask(main, 'GET', `${path}?limit=0`, [400, 'invalid_request'], { headers });
    await ask(main, 'GET', `${path}?nonsense=1`, [400, 'invalid_request'], { headers });
  }
  const phone = newPhone();
  const { verification_id: id } = await send(main, { phone });
  await main.message(phone);
  const found = await ask(main, 'GET', `/admin/events?verification_id=${id}`, 200, { headers });
  assert.ok(found.events.some((event) => event.event_type === 'send'));
});

test('a message that no carrier takes becomes a dead letter', async () => {
  const stack = await start({}, { sim: false });
  const { verification_id: id } = await send(stack, { phone: newPhone() });
  assert.equal((await ask(stack, 'GET', `/otp/${id}`, 200)).status, 'queued');
  await stack.advance(300);
  const headers = { Authorization: `Bearer ${stack.adminToken}` };
  const [letter] = await eventually('the dead letter', async () => {
    await stack.advance(31);  // a try in progress keeps its lease of 30 s
    const { dead_letters: letters } = await ask(stack, 'GET', '/admin/dead-letters', 200, { headers });
    return letters.length > 0 && letters;
  });
  assert.ok(letter.reason);
  const { events } = await ask(stack, 'GET', `/admin/events?verification_id=${id}`, 200, { headers });
  assert.ok(events.some((event) => event.event_type === 'delivery_failed'), JSON.stringify(events));
});

test('a carrier reports in its own words, behind its own proof', async () => {
  const stack = await start({ OTPD_DELIVERY_ROUTES_SMS: 'described', ...describedCarrier });
  await ask(stack, 'POST', '/callbacks/nobody', [404, 'not_found'], { json: {} });
  await ask(stack, 'POST', '/callbacks/described', [403, 'forbidden'], { json: { id: '1' } });
  await ask(stack, 'GET', '/callbacks/described?id=1&state=ok', [403, 'forbidden']);
  const headers = { 'X-Proof': 'receipt-secret' };
  const json = { id: '1', state: 'ok' };
  await ask(stack, 'POST', '/callbacks/described', 204, { json, headers });
  await ask(stack, 'GET', '/callbacks/described?id=1&state=ok', 204, { headers });
});

operatorTests(main, send);
factorTests(main);
sessionTests(main);
keyTests(main);

test('no carrier answers: a send is refused at once; a dead letter can be tried again', async () => {
  const stack = await start({ OTPD_BREAKER_OPEN_FAILURES: '1' }, { sim: false });
  const headers = { Authorization: `Bearer ${stack.adminToken}` };
  await send(stack, { phone: newPhone() });
  await eventually('an open circuit', async () => {
    const { providers } = await ask(stack, 'GET', '/admin/providers', 200, { headers });
    return providers.find((one) => one.name === 'twilio').state === 'open';
  });
  await send(stack, { phone: newPhone() }, [503, 'delivery_unavailable']);
  const nowhere = `/admin/dead-letters/${'0'.repeat(32)}/requeue`;
  await ask(stack, 'POST', nowhere, [404, 'not_found'], { headers });
  const gone = newPhone();
  const refusing = await start();
  const admin = { headers: { Authorization: `Bearer ${refusing.adminToken}` } };
  await call(refusing.simUrl, 'PUT', '/faults/twilio', { json: { reject_to: [gone] } });
  await send(refusing, { phone: gone });
  const letter = await eventually('the dead letter', async () =>
    (await ask(refusing, 'GET', '/admin/dead-letters', 200, admin)).dead_letters[0]);
  await call(refusing.simUrl, 'DELETE', '/faults');
  const again = await ask(refusing, 'POST', `/admin/dead-letters/${letter.id}/requeue`, 200, admin);
  assert.deepEqual(again, { id: letter.id, requeued: true });
  await refusing.message(gone);
});

test('API keys: asked for once there are any', async () => {
  const key = 'otpk_test_0123456789';
  const hash = createHash('sha256').update(key).digest('hex');
  const stack = await start({ OTPD_AUTH_API_KEYS: `web:${hash}` });
  await send(stack, { phone: newPhone() }, [401, 'unauthorized']);
  await verify(stack, { phone: newPhone(), code: '000000' }, [401, 'unauthorized']);
  const headers = { Authorization: `Bearer ${key}` };
  const sent = await send(stack, { phone: newPhone() }, 202, { headers });
  for (const [method, path] of [['GET', `/otp/${sent.verification_id}`],
    ['DELETE', `/otp/${sent.verification_id}`], ['POST', '/session/introspect'],
    ['POST', '/session/revoke'], ['POST', '/session/rotate'],
    ['DELETE', '/users/0190c1f4-6f0a-8c3e-9b1d-2f5a7c9e1b3d/sessions/Yk3o8dG5rTw'],
    ['GET', '/users/0190c1f4-6f0a-8c3e-9b1d-2f5a7c9e1b3d/sessions'],
    ['POST', '/users/0190c1f4-6f0a-8c3e-9b1d-2f5a7c9e1b3d/logout'],
    ['POST', '/users/0190c1f4-6f0a-8c3e-9b1d-2f5a7c9e1b3d/factors'],
    ['POST', '/users/0190c1f4-6f0a-8c3e-9b1d-2f5a7c9e1b3d/recovery-codes/verify']]) {
    await ask(stack, method, path, [401, 'unauthorized'], { headers: { Authorization: 'Bearer no' } });
  }
  await ask(stack, 'GET', `/otp/${sent.verification_id}`, 200, { headers });
});

test('over its capacity the service says so at once', async () => {
  const stack = await start({ OTPD_SERVER_MAX_IN_FLIGHT: '1' });
  const answers = await Promise.all(Array.from({ length: 40 }, () =>
    stack.call('POST', '/otp/send', { json: { phone: newPhone() } })));
  for (const answer of answers) note('POST', '/otp/send', answer);
  const refused = answers.filter((answer) => answer.json.error === 'overloaded');
  assert.ok(refused.length > 0, 'nothing was refused');
  assert.ok(refused.length < 40, 'everything was refused');
});

test('slow clients are cut off, slow answers are given up', async () => {
  const stack = await start({
    OTPD_SERVER_HEADER_TIMEOUT_MS: '300',
    OTPD_SERVER_REQUEST_TIMEOUT_MS: '150',
    OTPD_CRYPTO_HASH: 'argon2id',
    OTPD_CRYPTO_ARGON2_MEMORY_KIB: '131072',
    OTPD_CRYPTO_ARGON2_PASSES: '12',
  }, { from: sanitizerDir ?? buildDir });  // what is given up still runs when the service stops
  const [late] = answersIn(await exchange(stack.port, 'POST /otp/send HTTP/1.1\r\nHost: x\r\n'));
  note('POST', '/otp/send', late);
  assert.equal(late.json.error, 'request_timeout');

  const options = { json: { phone: newPhone() }, headers: { 'Idempotency-Key': 'slow-1' } };
  const first = note('POST', '/otp/send', await stack.call('POST', '/otp/send', options));
  assert.equal(first.json.error, 'unavailable');
  const second = note('POST', '/otp/send', await stack.call('POST', '/otp/send', options));
  assert.ok(['in_progress', 'unavailable'].includes(second.json.error), second.body);
});

test('every documented operation and error was seen', () => {
  const operations = spec.operations().map((operation) => operation.id);
  assert.deepEqual(operations.filter((id) => !seen.operations.has(id)), []);
  const missing = spec.errorNames().filter((name) => !seen.errors.has(name));
  assert.deepEqual(missing.filter((name) => !notProvoked[name]), []);
  assert.deepEqual(Object.keys(notProvoked).filter((name) => seen.errors.has(name)), [],
    'seen, and still excused');
});

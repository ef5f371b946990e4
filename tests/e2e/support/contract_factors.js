// The routes of authenticator apps and recovery codes, for contract.test.js.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { ask } from './contract.js';

const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

const hotp = (counter) =>
  execFileSync('oathtool', ['--base32', '--hotp', `--counter=${counter}`, secret]).toString().trim();

export function factorTests(main) {
  test('an authenticator app, from the enrolment to the removal', async () => {
    const user = `/users/${randomUUID()}`;
    const enrolled = await ask(main, 'POST', `${user}/factors`, 201,
      { json: { type: 'totp', name: 'Pixel', account: 'ada@example.com' } });
    assert.equal(enrolled.expires_in, 3_600);
    const fob = await ask(main, 'POST', `${user}/factors`, 201, { json: { type: 'hotp', secret } });
    const path = `${user}/factors/${fob.factor_id}`;
    await ask(main, 'POST', `${path}/confirm`, 200, { json: { code: hotp(0) } });
    await ask(main, 'POST', `${path}/verify`, 200, { json: { code: hotp(1) } });
    const opened = await ask(main, 'POST', `${path}/verify`, 200,
      { json: { code: hotp(50), next_code: hotp(51), session: true } });
    const claims = await ask(main, 'POST', '/session/introspect', 200, { json: { token: opened.session_token } });
    assert.deepEqual([claims.active, claims.purpose, `/users/${claims.sub}`], [true, 'factor', user]);
    await ask(main, 'POST', `${path}/verify`, [400, 'invalid_request'], { json: { code: hotp(52), session: 1 } });
    await ask(main, 'POST', `${path}/confirm`, [400, 'invalid_request'], { json: { code: hotp(52), session: true } });
    await ask(main, 'POST', `${path}/verify`, [401, 'invalid_otp'], { json: { code: hotp(51) } });
    await ask(main, 'POST', `${path}/verify`, [400, 'invalid_code'], { json: { code: '1234567' } });
    await ask(main, 'POST', `${path}/verify`, [400, 'invalid_request'], { json: { code: 123456 } });
    await ask(main, 'POST', `${user}/factors/${enrolled.factor_id}/verify`, [404, 'not_found'],
      { json: { code: '123456' } });
    await ask(main, 'POST', `${user}/factors`, [400, 'invalid_request'], { json: { type: 'sms' } });
    for (let left = 4; left > 0; left -= 1) {
      const wrong = await ask(main, 'POST', `${path}/verify`, [401, 'invalid_otp'],
        { json: { code: '000000' } });
      assert.equal(wrong.attempts_remaining, left);
    }
    await ask(main, 'POST', `${path}/confirm`, [429, 'rate_limited'], { json: { code: '000000' } });
    const closed = await ask(main, 'POST', `${path}/verify`, [429, 'rate_limited'],
      { json: { code: hotp(52) } });
    assert.deepEqual([closed.limit, closed.retry_after], ['factor', 30]);
    const listed = await ask(main, 'GET', `${user}/factors`, 200);
    assert.deepEqual(listed.factors.map((factor) => factor.status), ['pending', 'active']);
    assert.ok(listed.factors[1].locked_until);
    await ask(main, 'POST', `${user}/unlock`, 200);
    await ask(main, 'POST', `${path}/verify`, 200, { json: { code: hotp(52) } });
    await ask(main, 'DELETE', path, 200);
    await ask(main, 'DELETE', path, [404, 'not_found']);
  });

  test('operators see, open and remove what a user has', async () => {
    const user = randomUUID();
    const factor = await ask(main, 'POST', `/users/${user}/factors`, 201, { json: { type: 'hotp', secret } });
    for (let i = 0; i < 5; i += 1) {
      await ask(main, 'POST', `/users/${user}/factors/${factor.factor_id}/verify`,
        i < 4 ? [401, 'invalid_otp'] : [429, 'rate_limited'], { json: { code: '000000' } });
    }
    const there = `/admin/users/${user}`;
    const headers = { Authorization: `Bearer ${main.adminToken}` };
    const admin = (method, path, expected) => ask(main, method, `${there}${path}`, expected, { headers });
    assert.ok((await admin('GET', '/factors', 200)).factors[0].locked_until);
    await admin('POST', '/unlock', 200);
    assert.equal((await admin('GET', '/factors', 200)).factors[0].locked_until, undefined);
    await admin('GET', '/factors?application=nowhere', [400, 'invalid_request']);
    await admin('DELETE', `/factors/${factor.factor_id}`, 200);
    await admin('DELETE', `/factors/${factor.factor_id}`, [404, 'not_found']);
    assert.deepEqual((await admin('GET', '/factors', 200)).factors, []);
    await ask(main, 'GET', `${there}/factors`, [401, 'unauthorized']);
  });

  test('a user has ten factors at the most', async () => {
    const user = `/users/${randomUUID()}`;
    const json = { type: 'totp', secret };
    for (let i = 0; i < 10; i += 1) await ask(main, 'POST', `${user}/factors`, 201, { json });
    await ask(main, 'POST', `${user}/factors`, [409, 'too_many_factors'], { json });
  });

  test('recovery codes', async () => {
    const user = `/users/${randomUUID()}`;
    const verify = (code, expected) =>
      ask(main, 'POST', `${user}/recovery-codes/verify`, expected, { json: { code } });
    await verify('00000-00000', [404, 'not_found']);
    const { recovery_codes: codes } = await ask(main, 'POST', `${user}/recovery-codes`, 201);
    assert.equal(new Set(codes).size, 10);
    const used = await ask(main, 'POST', `${user}/recovery-codes/verify`, 200,
      { json: { code: codes[0], session: true } });
    assert.equal(used.recovery_codes_left, 9);
    assert.match(used.session_token, /^otps_/);
    assert.equal((await verify(codes[0], [401, 'invalid_otp'])).attempts_remaining, 4);
    await verify('not-a-code', [400, 'invalid_code']);
    const listed = await ask(main, 'GET', `${user}/factors`, 200);
    assert.equal(listed.recovery_codes.left, 9);
    for (let i = 0; i < 3; i += 1) await verify('00000-00000', [401, 'invalid_otp']);
    await verify('00000-00000', [429, 'rate_limited']);
    assert.equal((await verify(codes[1], [429, 'rate_limited'])).limit, 'recovery');
  });
}

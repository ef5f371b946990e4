// The routes of sessions, for contract.test.js.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { ask } from './contract.js';
import { newPhone } from './stack.js';

export function sessionTests(main) {
  // A user's further session.
  const open = async (user_id, more = {}) => {
    const phone = newPhone();
    await ask(main, 'POST', '/otp/send', 202, { json: { phone, user_id } });
    return ask(main, 'POST', '/otp/verify', 200,
      { json: { phone, code: await main.code(phone), ...more } });
  };
  const introspect = (token) => ask(main, 'POST', '/session/introspect', 200, { form: { token } });

  test('the devices of a user, and the end of one of them', async () => {
    const user_id = randomUUID();
    const phone = await open(user_id, { device: "Ada's phone 📱" });
    await open(user_id);
    const alive = await introspect(phone.session_token);
    assert.deepEqual([alive.device, alive.client_id, alive.iss],
      ["Ada's phone 📱", 'default', main.url]);
    const path = `/users/${user_id}/sessions`;
    const [newest, oldest] = (await ask(main, 'GET', path, 200)).sessions;
    assert.equal(oldest.device, "Ada's phone 📱");
    assert.equal(newest.device, undefined);
    assert.equal(Date.parse(oldest.idle_expires_at) - Date.parse(oldest.last_used_at), 28_860_000);
    await ask(main, 'DELETE', `/users/${randomUUID()}/sessions/${alive.jti}`, [404, 'not_found']);
    await ask(main, 'DELETE', `${path}/nothing`, [404, 'not_found']);
    await ask(main, 'DELETE', `${path}/${alive.jti}`, [400, 'invalid_request'], { json: { a: 1 } });
    await ask(main, 'DELETE', `/users/7/sessions/${alive.jti}`, [400, 'invalid_request']);
    await ask(main, 'DELETE', `${path}/${alive.jti}`, 200);
    await ask(main, 'DELETE', `${path}/${alive.jti}`, [404, 'not_found'], { json: {} });
    assert.deepEqual(await introspect(phone.session_token), { active: false });
    assert.equal((await ask(main, 'GET', path, 200)).sessions.length, 1);
  });

  test('what is no name of a device', async () => {
    const json = { phone: newPhone(), code: '000000' };
    for (const device of ['', ' x', 'a\nb', 'a\u202eb', '\u200b', 'x'.repeat(65), 7, null]) {
      const refused = await ask(main, 'POST', '/otp/verify', [400, 'invalid_request'],
        { json: { ...json, device } });
      assert.equal(refused.member, 'device');
    }
    const link = { token: 'A'.repeat(59), device: '\u200b' };
    await ask(main, 'POST', '/otp/verify', [400, 'invalid_request'], { json: link });
  });

  test('a token is rotated, told again, and its copy ends the session', async () => {
    const { session_token: token, user_id } = await open(randomUUID());
    const { jti, exp } = await introspect(token);
    const first = await ask(main, 'POST', '/session/rotate', 200, { form: { token } });
    assert.equal(first.session_id, jti);
    assert.notEqual(first.session_token, token);
    assert.deepEqual(await introspect(token), { active: false });
    const now = await introspect(first.session_token);
    assert.deepEqual([now.jti, now.exp, now.sub], [jti, exp, user_id]);
    const again = await ask(main, 'POST', '/session/rotate', 200, { json: { token } });
    assert.equal(again.session_token, first.session_token);
    await main.advance(10);
    await ask(main, 'POST', '/session/rotate', [404, 'not_found'], { form: { token } });
    assert.deepEqual(await introspect(first.session_token), { active: false });
    await ask(main, 'POST', '/session/rotate', [404, 'not_found'], { form: { token: 'none' } });
    await ask(main, 'POST', '/session/rotate', [400, 'invalid_request'], { form: {} });
    await ask(main, 'POST', '/session/rotate', [400, 'invalid_request'],
      { json: { token, device: 'x' } });
  });

  test('a session that is not used ends', async () => {
    const { session_token: token } = await open(randomUUID());
    for (const seconds of [28_800, 28_800]) {
      await main.advance(seconds);
      assert.equal((await introspect(token)).active, true);
    }
    await main.advance(28_860);
    assert.deepEqual(await introspect(token), { active: false });
  });

  // RFC 7662 section 2.2 and RFC 7009 section 2.2: an unknown token is no error, an unknown hint
  // neither; RFC 6749 section 5.1: nothing of it is for caches.
  test('introspection and revocation as their RFCs have them', async () => {
    const { session_token: token } = await open(randomUUID());
    for (const path of ['/session/introspect', '/session/revoke']) {
      for (const form of [{ token: 'none' }, { token, token_type_hint: 'something_else' }]) {
        const answer = await main.call('POST', path, { form });
        assert.equal(answer.status, 200, path);
        assert.equal(answer.headers['content-type'], 'application/json');
        assert.equal(answer.headers['cache-control'], 'no-store');
      }
      await ask(main, 'POST', path, [400, 'invalid_request'], { form: { token_type_hint: 'x' } });
      await ask(main, 'POST', path, [400, 'invalid_request'], { form: { token: '' } });
      await ask(main, 'POST', `${path}?token=${token}`, [400, 'invalid_request'], { form: {} });
      await ask(main, 'GET', path, [405, 'method_not_allowed']);
    }
    assert.deepEqual(await introspect(token), { active: false });
  });
}

// A form that is submitted twice: the same answer for who gave the right code, and for nobody else.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ask, stacks, start } from './support/contract.js';
import { newIp, newPhone, wrong } from './support/stack.js';

const main = await start({ OTPD_AUTH_PUBLIC: 'true' });
after(async () => {
  for (const stack of stacks) await stack.stop();
});

const verify = (json, expected = 200, options = {}) =>
  ask(main, 'POST', '/otp/verify', expected, { json, ...options });

async function sent() {
  const phone = newPhone();
  await ask(main, 'POST', '/otp/send', 202, { json: { phone } });
  return { phone, code: await main.code(phone) };
}

test('the same caller is answered the same for 10 seconds, with one session', async () => {
  const asked = await sent();
  const first = await verify(asked);
  assert.deepEqual(await verify(asked), first);
  const user = `/users/${first.user_id}/sessions`;
  assert.equal((await ask(main, 'GET', user, 200)).sessions.length, 1);
  await main.advance(10);
  await verify(asked, [410, 'otp_expired']);
});

test('two submissions at once are answered the same', async () => {
  const asked = await sent();
  const [one, two] = await Promise.all([verify(asked), verify(asked)]);
  assert.deepEqual(one, two);
});

test('another address is told that there is no such code, as before any was sent', async () => {
  const never = await main.call('POST', '/otp/verify',
    { json: { phone: newPhone(), code: '000000' }, ip: newIp() });
  const asked = await sent();
  const first = await verify(asked, 200, { ip: newIp() });
  const other = await main.call('POST', '/otp/verify', { json: asked, ip: newIp() });
  assert.equal(other.status, 410);
  assert.equal(other.body, never.body);
  assert.ok(first.session_token);
});

test('one wrong code ends it', async () => {
  const asked = await sent();
  await verify(asked);
  await verify({ ...asked, code: wrong(asked.code) }, [410, 'otp_expired']);
  await verify(asked, [410, 'otp_expired']);
});

test('a session that was ended is not handed out again', async () => {
  const asked = await sent();
  const { session_token: token } = await verify(asked);
  await ask(main, 'POST', '/session/revoke', 200, { form: { token } });
  await verify(asked, [410, 'otp_expired']);
});

// Who is sent to: test recipients, and phones that are not served.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ask, stacks, start } from './support/contract.js';
import { newPhone } from './support/stack.js';

const reviewer = '+14155550123';
const day = (ahead) => new Date(Date.now() + ahead * 86_400_000).toISOString().slice(0, 10);
const main = await start({
  OTPD_TEST_RECIPIENTS_REVIEW_ADDRESS: reviewer,
  OTPD_TEST_RECIPIENTS_REVIEW_CODE: '246810',
  OTPD_TEST_RECIPIENTS_REVIEW_EXPIRES_ON: day(2),
  OTPD_DESTINATIONS_DENIED_COUNTRIES: 'FR',
});
const shadow = await start({
  OTPD_DESTINATIONS_DENIED_COUNTRIES: 'FR',
  OTPD_DESTINATIONS_SHADOW: 'true',
});
after(async () => {
  for (const stack of stacks) await stack.stop();
});

const send = (stack, json, expected = 202) => ask(stack, 'POST', '/otp/send', expected, { json });
const events = async (stack, type) => (await ask(stack, 'GET', `/admin/events?event_type=${type}`,
  200, { headers: { Authorization: `Bearer ${stack.adminToken}` } })).events;

test('phones that are not served are refused, and the audit log says why', async () => {
  const refused = await send(main, { phone: '+33612345678' }, [422, 'recipient_not_allowed']);
  assert.equal(refused.member, 'phone');
  await send(main, { phone: '+44 90 1234 5678' }, [422, 'recipient_not_allowed']);
  const lines = await events(main, 'not_allowed');
  assert.deepEqual(lines.map(({ country, detail }) => `${country} ${detail}`).sort(),
    ['FR country_denied', 'GB type_premium_rate']);
  await send(main, { phone: newPhone() });
});

test('a shadow refuses nothing and records what it would have', async () => {
  const phone = '+33612345678';
  await send(shadow, { phone });
  await shadow.code(phone);
  const [line] = await events(shadow, 'not_allowed_shadow');
  assert.equal(line.detail, 'country_denied');
});

test('a test recipient logs in with its fixed code until its day has passed', async () => {
  for (let n = 0; n < 7; n += 1) await send(main, { phone: reviewer });
  const json = { phone: reviewer, code: '246810' };
  const opened = await ask(main, 'POST', '/otp/verify', 200, { json });
  assert.ok(opened.session_token);
  assert.equal((await main.inbox(reviewer)).length, 0);
  const [line] = await events(main, 'verify_success');
  assert.equal(line.detail, 'test_recipient');

  const other = newPhone();
  await send(main, { phone: other });
  await main.code(other);
  await ask(main, 'POST', '/otp/verify', [401, 'invalid_otp'], { json: { ...json, phone: other } });

  await main.advance(3 * 86_400);
  await send(main, { phone: reviewer });
  assert.match(await main.code(reviewer), /^\d{6}$/);
});

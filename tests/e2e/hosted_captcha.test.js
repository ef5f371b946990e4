// Turnstile, hCaptcha and reCAPTCHA: a real otpd against a vendor that keeps to its documentation,
// and one that does not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { payloadOf, solve } from './support/captcha.js';
import { CaptchaVendor, secret } from './support/captcha_vendor.js';
import { stacks, start, ask, note } from './support/contract.js';
import { eventually } from './support/process.js';
import { newPhone } from './support/stack.js';

let vendor;
before(async () => { vendor = await CaptchaVendor.start(); });
after(async () => {
  for (const stack of stacks) await stack.stop();
  await vendor.stop();
});

const settings = (kind, more = {}) => ({
  OTPD_FRICTION_RECIPIENT_SENDS: '1',
  OTPD_FRICTION_CAPTCHA: kind,
  OTPD_FRICTION_CAPTCHA_SITE_KEY: 'site-key_1',
  OTPD_FRICTION_CAPTCHA_SECRET: secret,
  OTPD_FRICTION_CAPTCHA_VERIFY_URL: `${vendor.url}${vendor.pathOf(kind)}`,
  OTPD_FRICTION_CAPTCHA_HOSTS: 'otp.example,login.example',
  ...more,
});

const send = (stack, captcha, expected = 202, more = {}) =>
  ask(stack, 'POST', '/otp/send', expected, { json: { phone: newPhone(), captcha, ...more } });
const refused = [403, 'captcha_required'];

for (const kind of ['turnstile', 'hcaptcha', 'recaptcha']) {
  test(`${kind}: shown, solved, taken once, and only as it was solved`, async () => {
    const stack = await start(settings(kind));
    const shown = { type: kind, site_key: 'site-key_1', action: 'login' };
    assert.deepEqual((await send(stack, undefined, refused)).captcha, shown);
    assert.deepEqual(await ask(stack, 'GET', '/captcha', 200), shown);

    const token = vendor.issue({ action: kind === 'hcaptcha' ? undefined : 'login' });
    await send(stack, token);
    const { path, form } = vendor.asked.at(-1);
    assert.equal(path, vendor.pathOf(kind));
    const sitekey = kind === 'hcaptcha' ? { sitekey: 'site-key_1' } : {};
    assert.deepEqual(form, { secret, response: token, ...sitekey });
    await send(stack, token, refused);

    await send(stack, 'never-issued', refused);
    await send(stack, vendor.issue({ hostname: 'evil.example' }), refused);
    await send(stack, vendor.issue({ hostname: 'login.example' }));
    await send(stack, vendor.issue({ action: 'password_reset' }), refused);
    await send(stack, vendor.issue({ at: new Date(Date.now() - 400_000) }), refused);
    await send(stack, vendor.issue({ score: 0.3 }), kind === 'recaptcha' ? refused : 202);
    await send(stack, 'not a token', [400, 'invalid_request']);
  });
}

test('a vendor that is away, broken or of another opinion lets nothing through', async () => {
  const stack = await start(settings('turnstile'));
  for (const fault of [500, 503, 302, 'html', 'cut']) {
    vendor.fault = fault;
    await send(stack, vendor.issue(), [503, 'unavailable']);
  }
  vendor.fault = 'silent';
  const begun = Date.now();
  await send(stack, vendor.issue(), [503, 'unavailable']);
  const waited = Date.now() - begun;
  assert.ok(waited > 2_500 && waited < 5_000, `${waited} ms`);
  vendor.fault = null;
  await send(stack, vendor.issue());
  const wrong = await start(settings('turnstile', { OTPD_FRICTION_CAPTCHA_SECRET: 'mistyped' }));
  await send(wrong, vendor.issue(), [503, 'unavailable']);
});

test('while the vendor is away, ALTCHA stands in where that is configured', async () => {
  const stack = await start(settings('hcaptcha', { OTPD_FRICTION_CAPTCHA_WHEN_AWAY: 'altcha' }));
  vendor.fault = 500;
  const phone = newPhone();
  assert.equal((await send(stack, undefined, refused)).captcha.type, 'hcaptcha');
  const { captcha: challenge } = await send(stack, vendor.issue(), refused, { phone });
  const captcha = payloadOf(challenge, await solve(challenge));
  await send(stack, captcha, 202, { phone });
  vendor.fault = null;
  await send(stack, captcha, refused);
  await send(stack, vendor.issue());
});

test('neither the secret nor a token is logged', async () => {
  const stack = await start(settings('turnstile'));
  const token = vendor.issue();
  vendor.fault = 'html';
  note('POST', '/otp/send', await stack.call('POST', '/otp/send',
    { json: { phone: newPhone(), captcha: token } }));
  vendor.fault = null;
  await send(stack, token);
  await eventually('the vendor is in the log', () => /vendor does not judge/.test(stack.log));
  assert.ok(!stack.log.includes(token) && !stack.log.includes(secret));
});

// Events reach the customer's endpoint, signed so that the reference library believes them, again
// and again until it says yes, through a kill -9.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { Endpoint } from './support/endpoint.js';
import { eventually } from './support/process.js';
import { Spec } from './support/spec.js';
import { newPhone, Stack, wrong } from './support/stack.js';

const oldSecret = `whsec_${Buffer.from('an old secret of thirty-two byte').toString('base64')}`;
const newSecret = `whsec_${Buffer.from('a new secret of thirty-two bytes').toString('base64')}`;
const spec = new Spec();

const started = [];
after(async () => {
  for (const one of started.reverse()) await one.stop();
});

async function start(env = {}) {
  const endpoint = await Endpoint.start();
  started.push(endpoint);
  const stack = await Stack.start({ env: {
    OTPD_WEBHOOKS_URL: endpoint.url,
    OTPD_WEBHOOKS_SECRETS: `${newSecret} ${oldSecret}`,
    OTPD_WEBHOOKS_ALLOW_PRIVATE: 'true',
    ...env,
  } });
  started.push(stack);
  return { endpoint, stack };
}

async function send(stack) {
  const phone = newPhone();
  const sent = await stack.call('POST', '/otp/send', { json: { phone } });
  assert.equal(sent.status, 202, sent.body);
  return { phone, id: sent.json.verification_id };
}

test('every event of a code is told, and either secret verifies it', async () => {
  const { endpoint, stack } = await start({ OTPD_TESTING_VIRTUAL_CLOCK: undefined });
  const used = await send(stack);
  const code = await stack.code(used.phone);
  await stack.call('POST', '/otp/verify', { json: { phone: used.phone, code } });
  await endpoint.until('otp.verified');
  const guessed = await send(stack);
  const real = await stack.code(guessed.phone);
  for (let i = 0; i < 3; ++i) {
    await stack.call('POST', '/otp/verify', { json: { phone: guessed.phone, code: wrong(real) } });
  }
  const [exhausted] = await endpoint.until('otp.exhausted');
  assert.equal(exhausted.json.data.verification_id, guessed.id);
  const [sent] = await endpoint.until('otp.sent', 2);
  assert.equal(sent.json.data.provider, 'twilio');
  for (const event of endpoint.got) {
    for (const secret of [oldSecret, newSecret]) {
      assert.deepEqual(new Webhook(secret).verify(event.body, event.headers), event.json);
    }
    assert.throws(() => new Webhook(newSecret).verify(event.body.replace('otp.', 'OTP.'),
      event.headers));
    for (const { phone } of [used, guessed]) assert.ok(!event.body.includes(phone.slice(1)));
    for (const secret of [code, real]) assert.ok(!event.body.includes(`"${secret}"`));
  }
});

test('an event outlives kill -9 and is tried again with its id', async () => {
  const { endpoint, stack } = await start();
  endpoint.answer = () => 500;
  await send(stack);
  await endpoint.until('otp.sent');
  await stack.crash();
  await stack.startOtpd();
  endpoint.answer = () => 204;
  // Other events may have been told meanwhile.
  const triesOf = () => endpoint.got.filter(({ json }) => json.type === 'otp.sent');
  await eventually('the second try', async () => {
    await stack.advance(60);
    return triesOf().length > 1;
  }, 20_000, 300);
  const tries = triesOf();
  assert.ok(tries.length >= 2);
  assert.equal(new Set(tries.map(({ id }) => id)).size, 1);
  assert.equal(new Set(tries.map(({ body }) => body)).size, 1);
});

test('an expiry is told though nobody asks, also after a restart', async () => {
  const { endpoint, stack } = await start();
  const first = await send(stack);
  await endpoint.until('otp.sent');
  await stack.advance(299);
  await stack.crash();
  // The virtual clock starts at the present again.
  await stack.startOtpd();
  await stack.advance(301);
  const [expired] = await endpoint.until('otp.expired');
  assert.equal(expired.json.data.verification_id, first.id);
});

test('a 410 disables the endpoint until an operator enables it', async () => {
  const { endpoint, stack } = await start();
  endpoint.answer = () => 410;
  const ask = async (method, target) => {
    const answer = await stack.admin(method, target);
    assert.deepEqual(spec.check(method, target, answer), []);
    assert.equal(answer.status, 200, answer.body);
    return answer.json;
  };
  assert.deepEqual(await ask('GET', '/admin/webhook'),
    { application: 'default', url: endpoint.url, disabled: false, failing: false });
  await send(stack);
  await eventually('disabled', async () => (await ask('GET', '/admin/webhook')).disabled);
  const events = await ask('GET', '/admin/events?event_type=admin_webhook_disabled');
  assert.equal(events.events.length, 1);
  await stack.crash();
  await stack.startOtpd();
  await eventually('still disabled', async () => (await ask('GET', '/admin/webhook')).disabled);
  endpoint.answer = () => 204;
  const before = endpoint.got.length;
  assert.equal((await ask('POST', '/admin/webhook/enable')).disabled, false);
  await send(stack);
  await eventually('told again', () => endpoint.got.length > before);
});

test('an address that is not public is not called', async () => {
  const endpoint = await Endpoint.start();
  started.push(endpoint);
  const stack = await Stack.start({ env: {
    OTPD_WEBHOOKS_URL: endpoint.url.replace('http:', 'https:'),
    OTPD_WEBHOOKS_SECRETS: newSecret,
  } });
  started.push(stack);
  let connections = 0;
  endpoint.server.on('connection', () => { connections += 1; });
  await send(stack);
  await eventually('a failed try', async () =>
    /otpd_webhooks_total\{result="failed"\} [1-9]/.test((await stack.admin('GET', '/metrics')).body));
  assert.equal(connections, 0);
});

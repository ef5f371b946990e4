// Friction from the outside: npm altcha-lib solves our captchas and finds them genuine, otpd takes
// its solutions once, and two processes of one key ring agree.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { verifySolution } from 'altcha-lib';
import * as v1 from 'altcha-lib/v1';
import { deriveKey, payloadOf, solve } from './support/captcha.js';
import { Spec } from './support/spec.js';
import { newIp, newPhone, Stack } from './support/stack.js';

let stack;
before(async () => { stack = await Stack.start({ env: { OTPD_AUTH_PUBLIC: 'true' } }); });
after(() => stack.stop());

const send = (json, options) => stack.call('POST', '/otp/send', { json, ...options });

// Two sends, and the challenge that answers the third.
async function asked(phone, options) {
  for (let i = 0; i < 2; i += 1) {
    assert.equal((await send({ phone }, options)).status, 202);
    await stack.advance(30);
  }
  const third = await send({ phone }, options);
  assert.deepEqual([third.status, third.json.error], [403, 'captcha_required']);
  return third.json.captcha;
}

// The secrets as the key ring gives them: each part is preceded by its length.
async function secret(use) {
  const ring = JSON.parse(await readFile(path.join(stack.dataDir, 'keys.json'), 'utf8'));
  const index = Buffer.from(ring.index, 'base64url');
  const mac = createHmac('sha256', index);
  for (const part of ['captcha', 'default', use]) {
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(part.length));
    mac.update(size).update(part);
  }
  return mac.digest('hex');
}

test('altcha-lib solves what the third send is answered with, and otpd takes it once', async () => {
  const phone = newPhone();
  const challenge = await asked(phone);
  const solution = await solve(challenge);
  const captcha = payloadOf(challenge, solution);
  assert.equal((await send({ phone, captcha })).status, 202);
  await stack.message(phone, 3);

  const other = newPhone();
  await asked(other);
  const moved = await send({ phone: other, captcha });
  assert.deepEqual([moved.status, moved.json.error], [403, 'captcha_required']);
});

test('altcha-lib finds our challenges genuine, by key signature and by derivation', async () => {
  // Its clock is the real one.
  const { epoch } = (await stack.call('GET', '/admin/test-clock')).json;
  await stack.call('POST', '/admin/test-clock', { json: { epoch: Math.floor(Date.now() / 1000) } });
  const challenge = (await stack.call('GET', '/captcha')).json;
  const solution = await solve(challenge);
  const hmacSignatureSecret = await secret('challenge');
  const hmacKeySignatureSecret = await secret('solution');
  const genuine = { challenge, solution, deriveKey, hmacSignatureSecret };
  assert.equal((await verifySolution({ ...genuine, hmacKeySignatureSecret })).verified, true);
  assert.equal((await verifySolution(genuine)).verified, true);
  const weaker = { ...challenge, parameters: { ...challenge.parameters, cost: 1 } };
  assert.equal((await verifySolution({ ...genuine, challenge: weaker })).invalidSignature, true);

  const old = (await stack.call('GET', '/captcha?version=1')).json;
  const { number } = await v1.solveChallenge(old.challenge, old.salt, old.algorithm, old.maxnumber)
    .promise;
  const { maxnumber: _, ...given } = old;
  assert.equal(await v1.verifySolution({ ...given, number }, await secret('version 1')), true);
  await stack.call('POST', '/admin/test-clock', { json: { epoch } });
});

test('version 1, as altcha-lib solves it, lets a send through once', async () => {
  const phone = newPhone();
  const ip = newIp();
  await asked(phone, { ip });
  const { maxnumber, ...given } = (await stack.call('GET', '/captcha?version=1', { ip })).json;
  const { number, took } = await v1.solveChallenge(given.challenge, given.salt, given.algorithm,
    maxnumber).promise;
  const captcha = Buffer.from(JSON.stringify({ ...given, number, took })).toString('base64');
  assert.equal((await send({ phone, captcha }, { ip })).status, 202);
  const other = newPhone();
  await asked(other, { ip });
  assert.equal((await send({ phone: other, captcha }, { ip })).json.error, 'captcha_required');
});

test('a crash forgets no captcha that was used', async () => {
  const ip = newIp();
  const [phone, other] = [newPhone(), newPhone()];
  await asked(phone, { ip });
  await asked(other, { ip });
  const challenge = (await stack.call('GET', '/captcha', { ip })).json;
  const captcha = payloadOf(challenge, await solve(challenge));
  assert.equal((await send({ phone, captcha }, { ip })).status, 202);
  const { epoch } = (await stack.call('GET', '/admin/test-clock')).json;
  await stack.crash();
  await stack.startOtpd();
  await stack.call('POST', '/admin/test-clock', { json: { epoch } });
  assert.equal((await send({ phone: other, captcha }, { ip })).json.error, 'captcha_required');
});

test('an address fetches so many captchas, and no more', async () => {
  const limited = await Stack.start({ env: { OTPD_LIMITS_IP_CAPTCHAS: '2' } });
  const fetched = [];
  for (let i = 0; i < 3; i += 1) fetched.push(await limited.call('GET', '/captcha'));
  await limited.stop();
  assert.deepEqual(fetched.map(({ status }) => status), [200, 200, 429]);
  assert.deepEqual([fetched[2].json.error, fetched[2].json.limit], ['rate_limited', 'captcha']);
  const spec = new Spec();
  for (const answer of fetched) assert.deepEqual(spec.check('GET', '/captcha', answer), []);
});

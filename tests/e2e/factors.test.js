// Authenticator apps: what oathtool and otplib make of the secret that we show is accepted, once; our QR
// codes, read by ZBar, say exactly the otpauth URI; what was used or closed outlives a restart.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { generate } from 'otplib';
import { ask, stacks, start } from './support/contract.js';
import { buildDir } from './support/stack.js';

const run = promisify(execFile);
const main = await start();
const folder = await mkdtemp(path.join(tmpdir(), 'otpd-factors-'));
after(async () => {
  for (const stack of stacks) await stack.stop();
  await rm(folder, { recursive: true });
});

const epoch = async () => (await main.admin('GET', '/admin/test-clock')).json.epoch;

// The code that oathtool makes of what was shown, for the service's time or that counter.
async function oathCode(secret, { algorithm = 'SHA1', digits = 6, period = 30, counter } = {}) {
  const how = counter === undefined
    ? [`--totp=${algorithm}`, `--now=@${await epoch()}`, `--time-step-size=${period}`]
    : ['--hotp', `--counter=${counter}`];
  const { stdout } = await run('oathtool', ['--base32', `--digits=${digits}`, ...how, secret]);
  return stdout.trim();
}

async function readPicture(bytes, name) {
  const file = path.join(folder, name);
  await writeFile(file, bytes);
  const { stdout } = await run('zbarimg', ['--quiet', '--raw', '-Sdisable', '-Sqrcode.enable', file]);
  return stdout.trimEnd();
}

// The SVG as a grey picture, 4 pixels a unit: every stroke of its dark path is a row of modules.
function rasterize(svg) {
  const [, size] = svg.match(/viewBox="0 0 (\d+) \1"/);
  const edge = Number(size) * 4;
  const pixels = Buffer.alloc(edge * edge, 255);
  const dark = svg.match(/<path d="([^"]*)"/)[1];
  for (const [, x, y, width, back] of dark.matchAll(/M(\d+) (\d+)h(\d+)v1h-(\d+)z/g)) {
    assert.equal(width, back);
    for (let row = y * 4; row < y * 4 + 4; row += 1) {
      pixels.fill(0, row * edge + x * 4, row * edge + (Number(x) + Number(width)) * 4);
    }
  }
  return Buffer.concat([Buffer.from(`P5\n${edge} ${edge}\n255\n`), pixels]);
}

const enrol = (user, json) => ask(main, 'POST', `/users/${user}/factors`, 201, { json });
const guess = (user, factor, what, json, expected = 200) =>
  ask(main, 'POST', `/users/${user}/factors/${factor.factor_id}/${what}`, expected, { json });

test('codes by oathtool are accepted, each once, whatever the algorithm', async () => {
  const user = randomUUID();
  for (const params of [
    {}, { algorithm: 'SHA256', digits: 8 }, { algorithm: 'SHA512', digits: 7, period: 60 }]) {
    const factor = await enrol(user, { type: 'totp', ...params });
    const code = await oathCode(factor.secret, params);
    await guess(user, factor, 'confirm', { code });
    await guess(user, factor, 'verify', { code }, [401, 'invalid_otp']);
    await main.advance(params.period ?? 30);
    const answers = await Promise.all(Array.from({ length: 16 }, async () =>
      main.call('POST', `/users/${user}/factors/${factor.factor_id}/verify`,
        { json: { code: await oathCode(factor.secret, params) } })));
    assert.equal(answers.filter((answer) => answer.status === 200).length, 1);
    assert.equal(answers.filter((answer) => answer.status === 401).length, 15);
  }
});

test('codes that otplib makes of what ZBar reads from our QR code are accepted', async () => {
  for (const json of [
    { type: 'totp', account: 'ada@example.com' }, { type: 'hotp' },
    { type: 'totp', algorithm: 'SHA256', digits: 7, period: 60 }, { type: 'totp', algorithm: 'SHA512', digits: 8 }]) {
    const user = randomUUID();
    const factor = await enrol(user, json);
    const uri = new URL(await readPicture(Buffer.from(factor.qr_png, 'base64'), 'otplib.png'));
    const said = (name, otherwise) => uri.searchParams.get(name) ?? otherwise;
    const code = await generate({
      strategy: uri.host,
      secret: said('secret'),
      algorithm: said('algorithm', 'SHA1').toLowerCase(),
      digits: Number(said('digits', 6)),
      period: Number(said('period', 30)),
      counter: Number(said('counter', 0)),
      epoch: await epoch(),
    });
    await guess(user, factor, 'confirm', { code });
  }
});

test('the steps before and after are accepted, farther ones not; a clock set back opens nothing', async () => {
  const user = randomUUID();
  const factor = await enrol(user, { type: 'totp' });
  const now = await epoch();
  const at = async (seconds) => {
    await main.admin('POST', '/admin/test-clock', { json: { epoch: now + seconds } });
    return oathCode(factor.secret);
  };
  const codes = {};
  for (const seconds of [-60, -30, 0, 30, 60]) codes[seconds] = await at(seconds);
  await at(0);
  await guess(user, factor, 'confirm', { code: codes[-60] }, [401, 'invalid_otp']);
  await guess(user, factor, 'confirm', { code: codes[60] }, [401, 'invalid_otp']);
  await guess(user, factor, 'confirm', { code: codes[-30] });
  await guess(user, factor, 'verify', { code: codes[30] });
  await guess(user, factor, 'verify', { code: codes[0] }, [401, 'invalid_otp']);
  await at(-30);
  for (const seconds of [-60, -30, 0]) {
    await guess(user, factor, 'verify', { code: codes[seconds] }, [401, 'invalid_otp']);
  }
  await at(60);
  await guess(user, factor, 'verify', { code: codes[60] });
});

test('HOTP by oathtool: look-ahead, and two codes for a counter that ran away', async () => {
  const user = randomUUID();
  const factor = await enrol(user, { type: 'hotp' });
  const code = (counter) => oathCode(factor.secret, { counter });
  await guess(user, factor, 'confirm', { code: await code(0) });
  await guess(user, factor, 'verify', { code: await code(11) });
  await guess(user, factor, 'verify', { code: await code(11) }, [401, 'invalid_otp']);
  await guess(user, factor, 'verify', { code: await code(400) }, [401, 'invalid_otp']);
  await guess(user, factor, 'verify', { code: await code(400), next_code: await code(401) });
  await guess(user, factor, 'verify', { code: await code(402) });
});

test('both QR codes say the URI, and nothing else', async () => {
  for (const json of [
    { type: 'totp' },
    { type: 'totp', issuer: 'Crédit & Fils', account: 'zoë+test@example.com', algorithm: 'SHA512' },
    { type: 'hotp', account: 'a'.repeat(128), digits: 8 }]) {
    const factor = await enrol(randomUUID(), json);
    const png = Buffer.from(factor.qr_png, 'base64');
    assert.equal(await readPicture(png, 'code.png'), factor.otpauth_uri);
    assert.equal(await readPicture(rasterize(factor.qr_svg), 'code.pgm'), factor.otpauth_uri);
    const uri = new URL(factor.otpauth_uri);
    assert.equal(uri.searchParams.get('secret'), factor.secret);
    assert.equal(uri.searchParams.get('issuer'), json.issuer ?? 'otpd');
    if (json.account) {
      assert.equal(decodeURIComponent(uri.pathname).split(':')[1], json.account);
    }
  }
});

test('an existing secret is imported', async () => {
  const user = randomUUID();
  const { stdout } = await run('oathtool', ['--verbose', '--totp', '3132333435363738393031323334353637383930']);
  const secret = stdout.match(/Base32 secret: (\S+)/)[1];
  const factor = await enrol(user, { type: 'totp', secret: secret.toLowerCase() });
  assert.equal(factor.secret, secret);
  assert.equal(factor.expires_in, undefined);
  await guess(user, factor, 'verify', { code: await oathCode(secret) });
});

test('a used code, a lock and what is left of the recovery codes outlive a restart', async () => {
  const user = randomUUID();
  const factor = await enrol(user, { type: 'totp', name: 'Pixel' });
  const other = await enrol(user, { type: 'totp' });
  const code = await oathCode(factor.secret);
  await guess(user, factor, 'confirm', { code });
  const wrong = code === '000000' ? '000001' : '000000';
  for (let left = 4; left > 0; left -= 1) {
    const refused = await guess(user, other, 'confirm', { code: wrong }, [401, 'invalid_otp']);
    assert.equal(refused.attempts_remaining, left);
  }
  await guess(user, other, 'confirm', { code: wrong }, [429, 'rate_limited']);
  const made = await ask(main, 'POST', `/users/${user}/recovery-codes`, 201);
  const recover = (text, expected = 200) =>
    ask(main, 'POST', `/users/${user}/recovery-codes/verify`, expected, { json: { code: text } });
  assert.equal((await recover(made.recovery_codes[0])).recovery_codes_left, 9);

  const time = await epoch();
  await main.otpd.stop();
  await main.startOtpd();
  await main.admin('POST', '/admin/test-clock', { json: { epoch: time } });
  await guess(user, factor, 'verify', { code }, [401, 'invalid_otp']);
  const right = await oathCode(other.secret);
  await guess(user, other, 'confirm', { code: right }, [429, 'rate_limited']);
  await recover(made.recovery_codes[0], [401, 'invalid_otp']);
  assert.equal((await recover(made.recovery_codes[1].toUpperCase())).recovery_codes_left, 8);
  const listed = await ask(main, 'GET', `/users/${user}/factors`, 200);
  assert.deepEqual(listed.factors.map((one) => one.status), ['active', 'pending']);
  assert.equal(listed.recovery_codes.left, 8);

  await ask(main, 'POST', `/users/${user}/unlock`, 200);
  await guess(user, other, 'confirm', { code: right });
  await ask(main, 'DELETE', `/users/${user}/factors/${other.factor_id}`, 200);
  await guess(user, other, 'verify', { code: right }, [404, 'not_found']);
});

test('the support desk has a command for each of it', async () => {
  const user = randomUUID();
  const factor = await enrol(user, { type: 'totp', name: 'Pixel' });
  const otpd = (...words) => run(path.join(buildDir, 'otpd'), ['factor', ...words], { env: main.environment() });
  const wrong = (await oathCode(factor.secret)) === '000000' ? '000001' : '000000';
  for (let i = 0; i < 5; i += 1) {
    await main.call('POST', `/users/${user}/factors/${factor.factor_id}/confirm`, { json: { code: wrong } });
  }
  const locked = (await otpd('list', user)).stdout;
  assert.match(locked, new RegExp(`${factor.factor_id} +totp +pending .*20\\d\\d-.* Pixel\\n`));
  assert.match(locked, /recovery codes left: 0\n/);
  assert.match((await otpd('unlock', randomUUID())).stdout, /^nothing to unlock/);
  assert.equal((await otpd('unlock', user)).stdout, 'unlocked\n');
  assert.match((await otpd('unlock', user)).stdout, /^nothing to unlock/);
  assert.doesNotMatch((await otpd('list', user)).stdout, /20\d\d-/);
  assert.equal((await otpd('remove', user, factor.factor_id)).stdout, 'removed\n');
  await assert.rejects(otpd('remove', user, factor.factor_id), /no such factor/);
  await assert.rejects(otpd('list', user, '--app', 'nowhere'), /no such application/);
});

test('what every factor did is in the audit log, with no secret in it', async () => {
  const user = randomUUID();
  const factor = await enrol(user, { type: 'totp' });
  await guess(user, factor, 'confirm', { code: await oathCode(factor.secret) });
  const answer = await main.admin('GET', `/admin/events?user_id=${user}`);
  assert.deepEqual(answer.json.events.map((event) => event.event_type).sort(),
    ['factor_confirmed', 'factor_enrolled']);
  assert.ok(answer.json.events.every((event) => event.detail === factor.factor_id));
  assert.ok(!answer.body.includes(factor.secret));
});

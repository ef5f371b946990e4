// After a run by phone and by e-mail: no code, token or address in the data folder, the logs, the
// metrics or the audit log, in any usual spelling.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { codeIn, newPhone, Stack, wrong } from './support/stack.js';

// Codes of ten digits: six would turn up by chance among so many numbers.
const long = Object.fromEntries(['LOGIN', 'TRANSACTION', 'PASSWORD_RESET']
  .map((purpose) => [`OTPD_PURPOSES_${purpose}_DIGITS`, '10']));

// The spellings under which a secret could hide: plain, the other letter case, reversed, hex,
// base64 and base64url at each of the three alignments, UTF-16.
function spellings(secret) {
  const plain = Buffer.from(secret);
  const hex = plain.toString('hex');
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), plain]).toString('base64').replaceAll('=', '');
    return text.slice(shift + 1, -1);
  });
  const url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  return [...new Set([secret, secret.toLowerCase(), secret.toUpperCase(), [...secret].reverse().join(''),
    hex, hex.toUpperCase(), ...base64, ...url])].map((text) => Buffer.from(text))
    .concat(Buffer.from(secret, 'utf16le'));
}

const files = (folder) => readdirSync(folder, { withFileTypes: true, recursive: true })
  .filter((entry) => entry.isFile())
  .map((entry) => path.join(entry.path ?? folder, entry.name));

// Where any of the secrets stands among the named texts.
function findings(secrets, texts) {
  return secrets.flatMap(({ what, secret }) => spellings(secret).flatMap((bytes) =>
    Object.entries(texts).filter(([, text]) => text.includes(bytes)).map(([name]) => `${what} in ${name}`)));
}

const context = { amount: '249.90', currency: 'EUR', payee: 'Blue Bottle Coffee' };
const secrets = [];
const keep = (what, secret) => {
  secrets.push({ what, secret });
  return secret;
};

async function runOnce(stack, to, purpose, count) {
  const extra = purpose === 'login' ? {} : { purpose, ...(purpose === 'transaction' && { context }) };
  const key = keep('an idempotency key', `key-${Math.random().toString(36).slice(2)}-${purpose}`);
  const sent = await stack.call('POST', '/otp/send',
    { json: { ...to, ...extra }, headers: { 'Idempotency-Key': key } });
  assert.equal(sent.status, 202, sent.body);
  const address = to.phone ?? to.email;
  const { text } = await stack.message(address, count);
  const code = keep('a code', codeIn(text.replace(/https?:\S+/g, '')));
  const token = /[#?&]token=([A-Za-z0-9_-]+)/.exec(text)?.[1];
  if (token) keep('a link token', token);
  const guess = keep('a wrong guess', wrong(code));
  const missed = await stack.call('POST', '/otp/verify', { json: { ...to, ...extra, code: guess } });
  assert.equal(missed.status, 401, missed.body);
  await stack.call('POST', '/otp/verify', { json: { ...to, ...extra, code: `${code}x` } });
  const right = await stack.call('POST', '/otp/verify', { json: { ...to, ...extra, code } });
  assert.equal(right.status, 200, right.body);
  if (right.json.session_token) {
    const session = keep('a session token', right.json.session_token);
    await stack.call('POST', '/session/introspect', { json: { token: session } });
    await stack.call('POST', '/session/revoke', { form: { token: session } });
  }
  return sent.json.verification_id;
}

async function refusals(stack, address) {
  const odd = keep('a refused address', `mallory.${Date.now()}@example.org`);
  await stack.call('POST', '/otp/send', { json: { email: `${odd} ` } });
  await stack.call('POST', '/otp/send', { body: `{"email":"${odd}"`, headers: { 'Content-Type': 'application/json' } });
  await stack.call('GET', `/otp/${encodeURIComponent(address)}`);
  await stack.call('GET', `/nothing?phone=${encodeURIComponent(address)}`);
  await stack.call('GET', `/admin/events?limit=${encodeURIComponent(address)}`,
    { headers: { Authorization: `Bearer ${keep('a wrong admin token', 'Zk3Lq9wXyT0pVb7n')}` } });
}

// Two secrets of an API key, used; afterwards nothing is open without one.
async function useApiKey(stack) {
  const made = await stack.admin('POST', '/admin/keys', { json: { name: 'shop' } });
  const turned = await stack.admin('POST', `/admin/keys/${made.json.id}/rotate`);
  for (const secret of [made.json.secret, turned.json.secret]) {
    const headers = { Authorization: `Bearer ${keep('an API key', secret)}` };
    const asked = await stack.call('POST', '/session/introspect', { json: { token: 'x' }, headers });
    assert.equal(asked.status, 200, asked.body);
  }
}

async function collect(stack) {
  const everything = Object.fromEntries(
    files(stack.dataDir).map((file) => [path.relative(stack.dir, file), readFileSync(file)]));
  const dump = execFileSync('sqlite3', ['-readonly', path.join(stack.dataDir, 'otpd.db'), '.dump'],
    { maxBuffer: 1 << 28 });
  return { ...everything, 'the dump of the database': dump, 'the log': Buffer.from(stack.log) };
}

test('nothing secret is written anywhere', async (t) => {
  const stack = await Stack.start({ env: {
    ...long, OTPD_LOG_LEVEL: 'debug', OTPD_FRICTION_RECIPIENT_SENDS: '10',
    OTPD_LIMITS_RECIPIENT_SENDS: '10',
  } });
  t.after(() => stack.stop());
  const phone = newPhone();
  const local = `ada.${Math.random().toString(36).slice(2, 12)}`;
  const email = `${local}@example.com`;
  keep('a phone', phone.slice(2));
  keep('an e-mail address', email);
  keep('the local part of an address', local);

  const ids = [];
  for (const [index, purpose] of ['login', 'transaction', 'password_reset'].entries()) {
    for (const to of [{ phone }, { email }]) {
      ids.push(await runOnce(stack, to, purpose, index + 1));
      await stack.call('DELETE', `/otp/${ids.at(-1)}`);
      await stack.advance(30);
    }
  }
  await refusals(stack, phone);
  await useApiKey(stack);
  const pages = {
    'the API keys': Buffer.from((await stack.admin('GET', '/admin/keys')).body),
    'the metrics': Buffer.from((await stack.call('GET', '/metrics')).body),
    'the audit log': Buffer.from((await stack.admin('GET', '/admin/events?limit=1000')).body),
    'the dead letters': Buffer.from((await stack.admin('GET', '/admin/dead-letters')).body),
  };
  const alive = await collect(stack);
  assert.ok(Object.keys(alive).some((name) => name.endsWith('-wal')), Object.keys(alive).join());
  assert.deepEqual(findings(secrets, { ...pages, ...alive }), []);

  // The search would find something: what may be seen is seen.
  const visible = [{ what: 'an id', secret: ids[0] }];
  for (const place of ['the audit log', 'the dump of the database']) {
    assert.ok(findings(visible, { place: { ...pages, ...alive }[place] }).length > 0, place);
  }
  assert.match(stack.log, /"route":"\/otp\/verify"/);
  assert.ok(secrets.length > 20);

  await stack.otpd.stop();
  assert.deepEqual(findings(secrets, await collect(stack)), []);
});

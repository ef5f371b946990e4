// Floods that mean nothing: ids and tokens that nobody was given leave no trace in memory or on the
// disk, and guesses, however many at once, are hashed a few at a time. OTPD_FLOOD says how many
// requests of each kind.
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { newPhone, Stack } from './support/stack.js';

const count = Number(process.env.OTPD_FLOOD ?? 20_000);
const inFlight = 64;
const mostMiB = 8;

// As many random bytes as that text has, written as it is.
const randomLike = (text) => randomBytes(Buffer.from(text, 'base64url').length).toString('base64url');
const post = (target, body) => {
  const text = JSON.stringify(body);
  return `POST ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n`
    + `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
};
const get = (target) => `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;

// Requests of every kind that names something, each about something else that is not there. What is
// real, and so looks right, comes in `sample`.
const kinds = (sample) => ({
  'a verification': [404, () => get(`/otp/${randomLike(sample.id)}`)],
  'a code of a stranger': [410, () => post('/otp/verify', { phone: newPhone(), code: '481623' })],
  'a link': [410, () => post('/otp/verify', { token: sample.link() })],
  'a session': [200, () => post('/session/introspect', { token: `otps_${randomLike(sample.session.slice(5))}` })],
  'an authenticator app': [404, () => post(`/users/${randomUUID()}/factors/${randomBytes(8).toString('hex')}/verify`,
    { code: '481623' })],
});

// Sends `total` requests over one connection, `inFlight` at a time; how many were answered how.
function flood(port, total, make) {
  const statuses = {};
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    let [sent, answered, rest] = [0, 0, ''];
    const more = () => {
      let text = '';
      for (; sent < total && sent - answered < inFlight; sent += 1) text += make();
      if (text) socket.write(text);
    };
    socket.setEncoding('latin1');
    socket.on('connect', more);
    socket.on('error', reject);
    socket.on('data', (text) => {
      rest += text;
      for (const [, status] of rest.matchAll(/HTTP\/1\.1 (\d{3}) /g)) {
        statuses[status] = (statuses[status] ?? 0) + 1;
        answered += 1;
      }
      rest = rest.slice(rest.lastIndexOf('HTTP/1.1 ') + 13);  // what the last match has not reached
      if (answered === total) socket.end(() => resolve(statuses));
      else more();
    });
  });
}

async function memory(stack, what = 'VmRSS') {
  const status = await readFile(`/proc/${stack.otpd.pid}/status`, 'utf8');
  return Number(new RegExp(`^${what}:\\s+(\\d+)`, 'm').exec(status)[1]) / 1024;
}

async function bytesOnDisk(stack) {
  const files = await readdir(stack.dataDir);
  const sizes = await Promise.all(files.map(async (file) => (await stat(path.join(stack.dataDir, file))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

test(`${count} requests of each kind about what is not there`, { timeout: 3_600_000 }, async (t) => {
  const stack = await Stack.start();
  t.after(() => stack.stop());
  const phone = newPhone();
  const { json: { verification_id: id } } = await stack.call('POST', '/otp/send', { json: { phone } });
  const verified = await stack.call('POST', '/otp/verify', { json: { phone, code: await stack.code(phone) } });
  const link = () => randomBytes(Buffer.from(id, 'base64url').length + 16).toString('base64url');
  const all = kinds({ id, link, session: verified.json.session_token });
  for (const [, make] of Object.values(all)) await flood(stack.port, 2_000, make);
  const [memoryBefore, diskBefore] = [await memory(stack), await bytesOnDisk(stack)];
  for (const [kind, [status, make]] of Object.entries(all)) {
    const statuses = await flood(stack.port, count, make);
    assert.deepEqual(statuses, { [status]: count }, kind);
    t.diagnostic(`${kind}: ${(await memory(stack) - memoryBefore).toFixed(1)} MiB more than before`);
  }
  assert.ok(await memory(stack) - memoryBefore < mostMiB);
  assert.ok(await bytesOnDisk(stack) - diskBefore < 1_000_000);
});

test('sixty-four guesses at once take the memory of the hashes that run, not of all', async (t) => {
  const hashMiB = 64;
  const stack = await Stack.start({
    env: { OTPD_CRYPTO_HASH: 'argon2id', OTPD_CRYPTO_ARGON2_MEMORY_KIB: String(hashMiB * 1024),
      OTPD_CRYPTO_ARGON2_PASSES: '1', OTPD_CRYPTO_HASH_THREADS: '2', OTPD_CRYPTO_HASH_QUEUE: '64' },
  });
  t.after(() => stack.stop());
  const phones = Array.from({ length: 62 }, newPhone);
  for (const phone of phones) await stack.call('POST', '/otp/send', { json: { phone } });
  const guesses = await Promise.all(phones.map(async (phone) =>
    stack.call('POST', '/otp/verify', { json: { phone, code: '000000' } })));
  // Those that find the queue full are refused at once.
  assert.ok(guesses.every(({ status }) => status === 401 || status === 503));
  assert.ok(guesses.filter(({ status }) => status === 401).length > 2);
  const peak = await memory(stack, 'VmHWM');
  t.diagnostic(`at the most ${peak.toFixed(0)} MiB`);
  assert.ok(peak < 2 * hashMiB + 64, `${peak} MiB`);
});

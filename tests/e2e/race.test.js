// Races over HTTP: clients that are let go at the same moment.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, test } from 'node:test';
import { answersIn } from './support/http.js';
import { newIp, newPhone, Stack, wrong } from './support/stack.js';

const rounds = Number(process.env.OTPD_RACE_ROUNDS ?? 200);

// One otpd per backend, and one with the real hash.
const roomy = { OTPD_AUTH_PUBLIC: 'true', OTPD_CRYPTO_HASH_QUEUE: '1000' };
const start = (env) => Stack.start({ env: { ...roomy, ...env } });
const stacks = {
  sqlite: await start({}),
  memory: await start({ OTPD_DATA_BACKEND: 'memory' }),
  argon2id: await start({ OTPD_CRYPTO_HASH: 'argon2id' }),
};
after(async () => {
  for (const stack of Object.values(stacks)) await stack.stop();
});

// A connection on which everything but the last byte of a request has been sent.
function prepared(port, body, ip) {
  const payload = JSON.stringify(body);
  const request = 'POST /otp/verify HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n'
    + `X-Forwarded-For: ${ip}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(payload)}\r\n\r\n${payload}`;
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    const chunks = [];
    socket.on('data', (bytes) => chunks.push(bytes));
    socket.on('error', reject);
    const answered = new Promise((done) => {
      socket.on('close', () => done(answersIn(Buffer.concat(chunks).toString('latin1'))[0]));
    });
    socket.write(request.slice(0, -1), () => resolve({
      go: () => socket.write(request.slice(-1)), answered,
    }));
  });
}

// The answers to all bodies, sent at the same moment, each from an address of its own or all from
// that one.
async function atOnce(stack, bodies, ip) {
  const clients = await Promise.all(bodies.map((body) =>
    prepared(stack.port, body, ip ?? newIp())));
  for (const client of clients) client.go();
  return Promise.all(clients.map((client) => client.answered));
}

async function newCode(stack) {
  const phone = newPhone();
  const sent = await stack.call('POST', '/otp/send', { json: { phone }, ip: newIp() });
  assert.equal(sent.status, 202, sent.body);
  return { phone, code: await stack.code(phone), id: sent.json.verification_id };
}

const tally = (answers) => {
  const counts = {};
  for (const { status, json } of answers) {
    const name = json?.error ?? String(status);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
};

// How many hashes have had a thread so far.
async function hashes(stack) {
  const { body } = await stack.call('GET', '/metrics');
  const match = /^otpd_hash_wait_seconds_count (\d+)/m.exec(body);
  assert.ok(match, 'no otpd_hash_wait_seconds');
  return Number(match[1]);
}

for (const backend of ['sqlite', 'memory']) {
  test(`64 clients with the right code: exactly one is let in, ${rounds} rounds on ${backend}`,
    async () => {
      const stack = stacks[backend];
      for (let round = 0; round < rounds; round += 1) {
        const { phone, code } = await newCode(stack);
        const answers = await atOnce(stack, Array(64).fill({ phone, code }));
        const counts = tally(answers);
        assert.equal(counts['200'], 1, JSON.stringify(counts));
        assert.equal(answers.filter(({ json }) => json.session_token).length, 1);
        assert.equal((counts.otp_expired ?? 0) + (counts.attempts_exhausted ?? 0)
          + (counts.invalid_otp ?? 0), 63, JSON.stringify(counts));
      }
    });
}

test('one caller with the right code 64 times at once: one session', async () => {
  const stack = stacks.sqlite;
  for (let round = 0; round < rounds / 10; round += 1) {
    const { phone, code } = await newCode(stack);
    const answers = await atOnce(stack, Array(64).fill({ phone, code }), newIp());
    const yes = answers.filter(({ status }) => status === 200);
    assert.ok(yes.length >= 1);
    assert.equal(new Set(yes.map(({ json }) => json.session_token)).size, 1);
    const user = `/users/${yes[0].json.user_id}/sessions`;
    assert.equal((await stack.call('GET', user)).json.sessions.length, 1);
  }
});

test('200 wrong guesses at once: exactly 3 are hashed', async () => {
  const stack = stacks.argon2id;
  const { phone, code, id } = await newCode(stack);
  const before = await hashes(stack);
  const guesses = Array.from({ length: 200 }, (_, by) => ({ phone, code: wrong(code, by + 1) }));
  const counts = tally(await atOnce(stack, guesses));
  assert.equal(await hashes(stack) - before, 3);
  // Two of the three that were hashed may have been told before all attempts were taken.
  const { invalid_otp: told = 0, attempts_exhausted: exhausted, ...others } = counts;
  assert.deepEqual(others, {});
  assert.ok(told <= 2 && told + exhausted === 200, JSON.stringify(counts));
  assert.equal((await stack.call('GET', `/otp/${id}`)).json.status, 'exhausted');
  const right = await stack.call('POST', '/otp/verify', { json: { phone, code } });
  assert.equal(right.json.error, 'attempts_exhausted');
});

test('one right code among wrong ones: at most one is let in, at most 3 are hashed', async () => {
  const stack = stacks.argon2id;
  for (let round = 0; round < rounds / 10; round += 1) {
    const { phone, code } = await newCode(stack);
    const before = await hashes(stack);
    const bodies = Array.from({ length: 32 }, (_, by) => ({ phone, code: wrong(code, by) }));
    const counts = tally(await atOnce(stack, bodies));
    assert.ok((counts['200'] ?? 0) <= 1, JSON.stringify(counts));
    assert.ok(await hashes(stack) - before <= 3);
  }
});

test('one idempotency key, 32 sends at once: one message', async () => {
  const stack = stacks.sqlite;
  const phone = newPhone();
  const headers = { 'Idempotency-Key': `race-${phone}` };
  const ip = newIp();
  const answers = await Promise.all(Array.from({ length: 32 }, () =>
    stack.call('POST', '/otp/send', { json: { phone }, headers, ip })));
  const ids = new Set(answers.filter(({ status }) => status === 202)
    .map(({ json }) => json.verification_id));
  assert.equal(ids.size, 1);
  for (const answer of answers) assert.ok([202, 409].includes(answer.status), answer.body);
  const { body } = await stack.call('GET', `/otp/${[...ids][0]}`);
  assert.match(body, /"status":"(queued|sent|delivered)"/);
  await stack.message(phone);
  assert.equal((await stack.inbox(phone)).length, 1);
});

test('sends at once from one address: never more than its limit', async () => {
  const stack = stacks.sqlite;
  const ip = newIp();
  const answers = await Promise.all(Array.from({ length: 130 }, () =>
    stack.call('POST', '/otp/send', { json: { phone: newPhone() }, ip })));
  // The last that fits is also the first that needs a captcha.
  assert.deepEqual(tally(answers), { 202: 99, captcha_required: 1, rate_limited: 30 });
});

test('sends at once to one recipient: one, then the cool-down', async () => {
  const stack = stacks.sqlite;
  const phone = newPhone();
  const answers = await Promise.all(Array.from({ length: 32 }, () =>
    stack.call('POST', '/otp/send', { json: { phone }, ip: newIp() })));
  assert.deepEqual(tally(answers), { 202: 1, rate_limited: 31 });
});

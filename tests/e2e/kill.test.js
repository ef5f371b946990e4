// kill -9 at random moments under load, OTPD_KILL_ROUNDS times, each time restarted on the same
// data. What was acknowledged must hold: a send is delivered or visibly failed, nothing is
// verified twice, no audit line is missing.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { eventually, sleep } from './support/process.js';
import { codeIn, newIp, newPhone, Stack, wrong } from './support/stack.js';

const rounds = Number(process.env.OTPD_KILL_ROUNDS ?? 50);
const clients = 12;

// What clients were told: sends by verification id, and verdicts.
const sends = new Map();      // id -> phone
const verified = new Map();   // id -> how often 200
const guessed = new Map();    // id -> how often 401
const known = [];             // {phone, code, id} of codes that were read
const bump = (counts, id) => counts.set(id, (counts.get(id) ?? 0) + 1);

const told = (stack, target, options) => stack.call('POST', target, options).catch(() => null);

async function verify(stack, { phone, id }, code) {
  const answer = await told(stack, '/otp/verify', { json: { phone, code }, ip: newIp() });
  if (answer?.status === 200) {
    assert.equal(answer.json.verification_id, id);
    bump(verified, id);
  }
  if (answer?.status === 401) bump(guessed, id);
}

// One client: sends, reads, guesses wrong, and twice at once right, until told to stop.
async function client(stack, isOver) {
  while (!isOver()) {
    const phone = newPhone();
    const sent = await told(stack, '/otp/send', { json: { phone }, ip: newIp() });
    if (sent?.status !== 202) continue;
    const id = sent.json.verification_id;
    sends.set(id, phone);
    const message = await eventually('the message', async () =>
      (await stack.inbox(phone))[0] ?? isOver(), 20_000, 5);
    if (message === true) return;
    const one = { phone, id, code: codeIn(message.text) };
    known.push(one);
    await verify(stack, one, wrong(one.code));
    await Promise.all([verify(stack, one, one.code), verify(stack, one, one.code)]);
  }
}

async function oneRound(stack) {
  let over = false;
  const work = Array.from({ length: clients }, () => client(stack, () => over));
  await sleep(50 + Math.random() * 450);
  const killed = stack.crash();
  over = true;
  await killed;
  await Promise.all(work);
  await stack.startOtpd();
}

// Rows of the audit log as {verification_id: {event_type: count}}.
function audited(stack) {
  const rows = execFileSync('sqlite3', ['-readonly', '-separator', ' ',
    path.join(stack.dataDir, 'otpd.db'),
    'SELECT verification_id, event_type, count(*) FROM otp_events GROUP BY 1, 2'],
  { maxBuffer: 1 << 28 }).toString();
  const counts = {};
  for (const row of rows.trim().split('\n')) {
    const [id, type, count] = row.split(' ');
    (counts[id] ??= {})[type] = Number(count);
  }
  return counts;
}

test(`nothing acknowledged is lost over ${rounds} kills`, async (t) => {
  const stack = await Stack.start({
    env: {
      OTPD_TESTING_VIRTUAL_CLOCK: undefined,
      OTPD_AUTH_PUBLIC: 'true',
      OTPD_LOG_LEVEL: 'warn',
      OTPD_DELIVERY_PROVIDER_TIMEOUT_MS: '1000',
      OTPD_DELIVERY_LEASE_S: '5',
    },
  });
  t.after(() => stack.stop());
  for (let round = 0; round < rounds; round += 1) await oneRound(stack);
  assert.ok(sends.size > rounds, `only ${sends.size} sends were acknowledged`);
  assert.ok(verified.size > 0, 'nothing was verified');

  // Every acknowledged send arrives, or is said to have failed.
  for (const [id, phone] of sends) {
    await eventually(`the message of ${id}`, async () => {
      if ((await stack.inbox(phone)).length > 0) return true;
      const { status, json } = await stack.call('GET', `/otp/${id}`);
      assert.equal(status, 200);
      return json.status === 'failed';
    }, 20_000, 100);
  }

  // Nobody is let in twice: neither before, nor by trying again now.
  for (const one of known) await verify(stack, one, one.code);
  assert.deepEqual([...verified].filter(([, count]) => count > 1), []);

  // Every acknowledged event has its line; a verification has one success at the most.
  const lines = audited(stack);
  for (const id of sends.keys()) assert.ok(lines[id]?.send >= 1, `no line of send ${id}`);
  for (const id of verified.keys()) {
    assert.equal(lines[id].verify_success, 1, `lines of verification ${id}`);
  }
  for (const [id, count] of guessed) {
    assert.ok((lines[id].verify_fail ?? 0) + (lines[id].exhausted ?? 0) >= count, `guesses of ${id}`);
  }
  for (const [id, counts] of Object.entries(lines)) {
    assert.ok((counts.verify_success ?? 0) <= 1, `${id} was verified twice`);
  }
  t.diagnostic(`${sends.size} sends, ${verified.size} verified, ${rounds} kills`);
});

// The audit log as operators and auditors use it: search, export, and proof against a forger, of
// the file and of the database.
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import {
  audit, hashAnew, hashOf, noHash, readRecords, run, signAnew, writeRecords,
} from './support/audit.js';
import { eventually } from './support/process.js';
import { newPhone, Stack, wrong } from './support/stack.js';

let stack;
const phone = newPhone();
const user_id = '0190c1f4-6f0a-8c3e-9b1d-2f5a7c9e1b3d';

// A send, a wrong code, the right one.
async function login(to, user) {
  const json = { phone: to, user_id: user };
  const sent = await stack.call('POST', '/otp/send', { json });
  assert.equal(sent.status, 202, sent.body);
  const code = await stack.code(to);
  await stack.call('POST', '/otp/verify', { json: { phone: to, code: wrong(code) } });
  const verdict = await stack.call('POST', '/otp/verify', { json: { phone: to, code } });
  assert.equal(verdict.status, 200, verdict.body);
  return verdict.json;
}

const checkpoints = async () =>
  (await stack.admin('GET', '/admin/audit/checkpoints')).json.checkpoints;

// Every line so far is signed.
const signed = () => eventually('a checkpoint of the last line', async () => {
  const [chain] = (await stack.admin('GET', '/admin/audit/chains')).json.chains;
  return (await checkpoints()).at(-1)?.number === chain.number && chain.number;
});

before(async () => {
  stack = await Stack.start({ env: {
    OTPD_AUDIT_CHECKPOINT_S: '1', OTPD_LIMITS_IP_SENDS: '1000', OTPD_FRICTION_IP_SENDS: '1000',
  } });
  for (let round = 0; round < 3; round += 1) {
    if (round === 0) await login(phone, user_id);
    else await login(newPhone());
    await signed();
    await stack.advance(86_400);
  }
  await eventually('three checkpoints', async () => (await checkpoints()).length >= 3);
});
after(() => stack.stop());

const file = (name) => path.join(stack.dir, name);

// What `otpd audit verify` says of these records, with no otpd and no configuration at hand.
async function verify(records, ...args) {
  const name = file('tampered.ndjson');
  writeRecords(name, records);
  return audit(stack, ['verify', name, ...args], {});
}

async function exported() {
  const done = await audit(stack, ['export', '--out', file('whole.ndjson')]);
  assert.deepEqual([done.code, done.err], [0, '']);
  return readRecords(file('whole.ndjson'));
}

const linesOf = (records) => records.filter((one) => one.line).map((one) => one.line);

test('search finds a recipient in any spelling, and never shows the address', async () => {
  const [area, prefix, number] = [phone.slice(2, 5), phone.slice(5, 8), phone.slice(8)];
  const spelled = `+1 (${area}) ${prefix}-${number}`;
  const found = await audit(stack, ['search', '--phone', spelled, '--format', 'ndjson']);
  assert.deepEqual([found.code, found.err], [0, '']);
  const events = found.out.trimEnd().split('\n').map((line) => JSON.parse(line));
  const types = events.map((one) => one.event_type);
  for (const type of ['send', 'sent', 'verify_fail', 'verify_success']) {
    assert.ok(types.includes(type), `no ${type} in ${types}`);
  }
  assert.equal(new Set(events.map((one) => one.channel_hash)).size, 1);
  assert.ok(!found.out.includes(phone.slice(1)));
  assert.ok(!stack.log.includes(phone.slice(1)));

  const [fail] = events.filter((one) => one.event_type === 'verify_fail');
  const table = await audit(stack, ['search', `--verification=${fail.verification_id}`,
    '--type', 'verify_fail']);
  assert.equal(table.out.trimEnd().split('\n').length, 1, table.out);
  assert.match(table.out, /^\d{4}-\d{2}-\d{2}T\S+Z {2}verify_fail +\S+ /);
  const byUser = await audit(stack, ['search', '--user', user_id, '--format', 'ndjson']);
  const ofUser = byUser.out.trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.ok(ofUser.some((one) => one.event_type === 'session_opened'), byUser.out);
  assert.deepEqual([...new Set(ofUser.map((one) => one.user_id))], [user_id]);
});

test('search by day, to the limit, and in CSV that another parser reads', async () => {
  const { out } = await audit(stack, ['search', '--format', 'ndjson', '--limit', '5000']);
  const all = out.trimEnd().split('\n').map((line) => JSON.parse(line));
  const first = all.at(-1).created_at;
  const day = (at, days) => new Date(Date.parse(at) + days * 86_400_000).toISOString();
  const ofDay = await audit(stack, ['search', '--from', day(first, 0), '--to', day(first, 0.5),
    '--format', 'ndjson']);
  const expected = all.filter((one) => one.created_at < day(first, 0.5)).map((one) => one.id);
  assert.deepEqual(ofDay.out.trimEnd().split('\n').map((line) => JSON.parse(line).id), expected);
  const few = await audit(stack, ['search', '--limit', '2', '--format', 'ndjson']);
  assert.deepEqual(few.out.trimEnd().split('\n').map((line) => JSON.parse(line)), all.slice(0, 2));

  const csv = await audit(stack, ['search', '--format', 'csv', '--limit', '5000']);
  writeFileSync(file('events.csv'), csv.out);
  const parser = `import csv, json, sys
print(json.dumps(list(csv.DictReader(open(sys.argv[1], newline=""), strict=True))))`;
  const rows = JSON.parse((await run('python3', ['-c', parser, file('events.csv')])).out);
  // An id that begins like a formula is marked as none.
  const known = (row) => Object.fromEntries(Object.entries(row).filter(([, value]) => value)
    .map(([name, value]) => [name, value.replace(/^'(?=[=+@-])/, '')]));
  assert.deepEqual(rows.map(known), all);
});

test('misuse ends with 2, and says why', async () => {
  for (const [args, why] of [
    [['search', '--from', 'yesterday'], /--from needs a day or a time/],
    [['search', '--format', 'xml'], /--format is one of/],
    [['search', '--phone', '1', '--email', 'a@b'], /either --phone or --email/],
    [['export', '--from', '2026-01-02', '--to', '2026-01-01'], /--from must be before --to/],
    [['verify', '--public-key', 'abc'], /64 hexadecimal digits/],
    [['verify', 'x', '--from', '2026-01-01'], /checked as a whole/],
    [['verify', file('nothing.ndjson')], /cannot read/],
    [['frobnicate'], /unknown argument/],
  ]) {
    const { code, err } = await audit(stack, args);
    assert.equal(code, 2, err);
    assert.match(err, why);
  }
  const refused = await audit(stack, ['search', '--phone', '12']);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /^otpd: /);
});

test('an export is proven offline, and by another program', async () => {
  const records = await exported();
  const [header] = records;
  assert.equal(header.otpd_audit_export, 1);
  const chains = (await stack.admin('GET', '/admin/audit/chains')).json;
  assert.equal(header.public_key, chains.public_key);
  assert.equal(statSync(file('whole.ndjson')).mode & 0o777, 0o600);
  const lines = linesOf(records);
  assert.deepEqual(lines.map((line) => line.number), lines.map((_, index) => index + 1));
  assert.equal(lines.length, chains.chains[0].number);
  let hash = noHash;
  for (const line of lines) {
    hash = hashOf(hash, line);
    assert.equal(line.hash, hash, `line ${line.number}`);
  }
  assert.ok(stack.log.includes(`"hash":"${hash}"`), 'no checkpoint of it in the log');

  const proven = await verify(records);
  assert.equal(proven.code, 0, proven.out + proven.err);
  assert.match(proven.out, new RegExp(`${lines.length} lines proven, 1 to ${lines.length}\n`));
  assert.match(proven.out, new RegExp(`vouches for them up to line ${lines.length}\n`));
  assert.match(proven.err, /warning: the public key \w{64} comes from the file/);
  const known = await verify(records, '--public-key', header.public_key);
  assert.deepEqual([known.code, known.err], [0, '']);
  const piped = (await audit(stack, ['export'])).out.trimEnd().split('\n');
  assert.deepEqual(linesOf(piped.map((line) => JSON.parse(line))), lines);
});

test('a day of it is proven, and so is a day on which nothing happened', async () => {
  const lines = linesOf(await exported());
  const third = lines.findLast((line) => line.event.event_type === 'send');
  const at = (offset) => new Date(Date.parse(third.event.created_at) + offset).toISOString();
  const range = ['--from', at(-3_600_000), '--to', at(3_600_000)];
  const part = await audit(stack, ['export', ...range, '--out', file('day.ndjson')]);
  assert.equal(part.code, 0, part.err);
  const records = readRecords(file('day.ndjson'));
  assert.equal(records[1].range.first, third.number);
  assert.ok(records[2].checkpoint, 'it does not begin after a checkpoint');
  assert.ok(linesOf(records).length < lines.length);
  const proven = await verify(records);
  assert.equal(proven.code, 0, proven.out);
  const online = await audit(stack, ['verify', ...range]);
  assert.equal(online.code, 0, online.out);
  assert.equal(online.out, proven.out);
  const quiet = await audit(stack, ['verify', '--from', at(-7_200_000), '--to', at(-3_600_000)]);
  assert.equal(quiet.code, 0, quiet.out);
  assert.match(quiet.out, /no line in this time/);
  // Its beginning and its end cannot be left out.
  for (const gone of [third.number, records[1].range.last]) {
    const cut = await verify(records.filter((one) => one.line?.number !== gone));
    assert.equal(cut.code, 1);
    assert.match(cut.out, new RegExp(`BROKEN: chain 0, line ${gone}: it is missing`));
  }
});

test('whatever a forger does to an export, the line is named', async () => {
  const whole = await exported();
  const last = linesOf(whole).length;
  const vouching = whole.filter((one) => one.checkpoint).map((one) => one.checkpoint.number);
  const target = vouching[0] + 2;
  const next = vouching.find((number) => number >= target);
  const broken = async (change, why, ...args) => {
    const records = structuredClone(whole);
    const { code, out } = await verify(change(records) ?? records, ...args);
    assert.equal(code, 1, out);
    assert.match(out, why);
    assert.match(out, /not complete and unaltered/);
  };
  const named = (line, words) => new RegExp(`BROKEN: chain 0, line ${line}: ${words}`);
  const line = (records, number) => linesOf(records).find((one) => one.number === number);

  await broken((r) => { line(r, target).event.ip_address = '198.51.100.1'; },
    named(target, 'it, or the line before it, is not the one'));
  await broken((r) => r.filter((one) => one.line?.number !== target),
    named(target, 'it is missing'));
  await broken((r) => r.filter((one) => !((one.line ?? one.checkpoint)?.number > target)),
    named(target + 1, 'it is missing'));
  await broken((r) => r.filter((one) => !(one.line?.number < 3)), named(1, 'it is missing'));
  await broken((r) => {
    line(r, target).event.ip_address = '198.51.100.1';
    hashAnew(linesOf(r));
  }, named(next, 'its hash is not the one of its checkpoint'));
  await broken((r) => { r[0].public_key = 'ab'.repeat(32); },
    named(vouching[0], 'the checkpoint about it is not genuine'));
  await broken((r) => { r.splice(5, 0, structuredClone(r[4])); }, /BROKEN: chain 0, line \d+: /);
  await broken((r) => { line(r, target).event.note = 'forged'; }, /BROKEN: line \d+ of the file/);
  await broken((r) => r.slice(0, 1), /BROKEN: chain 0 is missing/);
  writeFileSync(file('cut.ndjson'), readFileSync(file('whole.ndjson')).subarray(0, -20));
  const cut = await audit(stack, ['verify', file('cut.ndjson')], {});
  assert.equal(cut.code, 1);
  assert.match(cut.out, /BROKEN: line \d+ of the file/);

  // Who signs it all anew is found out by who knows the key, and by nobody else: hence the warning.
  const forge = (r) => {
    line(r, last).event.ip_address = '198.51.100.1';
    hashAnew(linesOf(r));
    r[0].public_key = signAnew(r);
  };
  const forged = structuredClone(whole);
  forge(forged);
  const fooled = await verify(forged);
  assert.equal(fooled.code, 0);
  assert.match(fooled.err, /warning/);
  await broken(forge, named(vouching[0], 'the checkpoint about it is not genuine'),
    '--public-key', whole[0].public_key);
  await broken((r) => { r[0].public_key = 'ab'.repeat(32); },
    /names the public key (ab){32}, which/, '--public-key', whole[0].public_key);
});

const database = () => path.join(stack.dataDir, 'otpd.db');
const sql = async (text) => {
  const done = await run('sqlite3', [database(), text]);
  assert.equal(done.code, 0, done.err);
  return done.out.trim();
};

// Works on the database while otpd is away, and asks it to verify when it is back.
async function tampered(work) {
  await stack.otpd.stop();
  await sql('PRAGMA wal_checkpoint(TRUNCATE)');
  copyFileSync(database(), file('kept.db'));
  await work();
  await stack.startOtpd();
  const verdict = await audit(stack, ['verify', '--public-key',
    (await stack.admin('GET', '/admin/audit/chains')).json.public_key]);
  const { log } = stack;
  await stack.otpd.stop();
  await sql('PRAGMA wal_checkpoint(TRUNCATE)');
  copyFileSync(file('kept.db'), database());
  await stack.startOtpd();
  return { ...verdict, log };
}

test('whatever a forger does to the database, the line is named', async () => {
  const last = await signed();
  const whole = await exported();
  const [early, middle] = (await checkpoints()).map((one) => one.number);
  const target = early + 2;
  const next = middle;
  assert.ok(target <= middle && middle < last);
  const expect = async (work, why) => {
    const { code, out } = await tampered(work);
    assert.equal(code, 1, out);
    assert.match(out, why);
  };
  const named = (line, words) => new RegExp(`BROKEN: chain 0, line ${line}: ${words}`);

  const elsewhere = "ip_address = '198.51.100.1'";
  await expect(() => sql(`UPDATE otp_events SET ${elsewhere} WHERE number = ${target}`),
    named(target, 'it, or the line before it, is not the one'));
  await expect(() => sql(`UPDATE otp_events SET hash = x'00' WHERE number = ${target}`),
    named(target, 'it, or the line before it, is not the one'));
  await expect(() => sql(`DELETE FROM otp_events WHERE number = ${target}`),
    named(target, 'it is missing'));
  await expect(() => sql(`DELETE FROM otp_events WHERE number > ${last - 2}`),
    named(last - 1, 'it is missing'));
  await expect(async () => {
    const lines = linesOf(whole);
    lines[target - 1].event.ip_address = '198.51.100.1';
    hashAnew(lines);
    const changes = lines.map(({ number, hash }) =>
      `UPDATE otp_events SET hash = x'${hash}' WHERE number = ${number};`);
    await sql(`${changes.join('')} UPDATE otp_events SET ${elsewhere} WHERE number = ${target}`);
  }, named(next, 'its hash is not the one of its checkpoint'));
  const another = '(SELECT hash FROM otp_events WHERE number = 1)';
  await expect(() => sql(`UPDATE audit_checkpoints SET hash = ${another} WHERE number = ${early}`),
    named(early, 'the checkpoint about it is not genuine'));

  // A tail that is cut off is noticed at the start, too.
  const { log } = await tampered(() => sql(`DELETE FROM otp_events WHERE number > ${last - 2}`));
  assert.match(log, /the audit log is not what its last checkpoint says/);
  const healed = await audit(stack, ['verify']);
  assert.equal(healed.code, 0, healed.out);
});

test('more lines than a page holds, and while they are written', async () => {
  const sends = async (count) => {
    for (let i = 0; i < count; i += 1) {
      const json = { phone: newPhone() };
      const sent = await stack.call('POST', '/otp/send', { json });
      assert.equal(sent.status, 202, sent.body);
    }
  };
  const writing = Promise.all(Array.from({ length: 8 }, () => sends(60)));
  let busy = true;
  writing.finally(() => { busy = false; });
  const verdicts = [];
  while (busy) {
    verdicts.push(await audit(stack, ['verify']));
    await audit(stack, ['export', '--out', file('busy.ndjson')]);
    verdicts.push(await audit(stack, ['verify', file('busy.ndjson')], {}));
  }
  await writing;
  for (const { code, out } of verdicts) assert.equal(code, 0, out);
  const last = await signed();
  assert.ok(last > 1000, `${last} lines`);
  const whole = await audit(stack, ['verify']);
  assert.match(whole.out, new RegExp(`^chain 0: ${last} lines proven, 1 to ${last}\n`));
  assert.equal(linesOf(await exported()).length, last);
  const { out } = await audit(stack, ['search', '--format', 'ndjson', '--limit', '100000']);
  const ids = out.trimEnd().split('\n').map((line) => JSON.parse(line).id);
  assert.equal(new Set(ids).size, last);
  assert.equal(ids.length, last);
});

test('the end of the log is signed when otpd ends', async () => {
  const other = await Stack.start({ env: { OTPD_AUDIT_CHECKPOINT_S: '86400' } });
  try {
    const to = newPhone();
    await other.call('POST', '/otp/send', { json: { phone: to } });
    await other.message(to);
    const unsigned = await audit(other, ['verify']);
    assert.match(unsigned.out, /no checkpoint vouches for any of them/);
    assert.doesNotMatch(other.otpd.output, /"audit checkpoint"/);
    await other.otpd.stop();
    assert.match(other.otpd.output, /"audit checkpoint"/);
    await other.startOtpd();
    const { out } = await audit(other, ['verify']);
    const [, last] = /lines proven, 1 to (\d+)\n/.exec(out);
    assert.match(out, new RegExp(`vouches for them up to line ${last}\n`));
  } finally {
    await other.stop();
  }
});

test('past its retention the log begins with the oldest line that is kept', async () => {
  const { code, out } = await tampered(() => sql('DELETE FROM otp_events WHERE number <= 5'));
  assert.equal(code, 0, out);
  assert.match(out, /chain 0: begins at line 6 of \S+Z; what was before is not kept/);
  assert.match(out, /lines proven, 7 to /);
});

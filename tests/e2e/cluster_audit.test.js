// Processes killed at random and PostgreSQL stopped, under load: every accepted send is delivered,
// and the audit log is complete to the line.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ClusterLoad } from './support/cluster_load.js';
import { ClusterStack } from './support/cluster_stack.js';
import { eventually, sleep } from './support/process.js';

const outageMs = Number(process.env.OTPD_OUTAGE_SECONDS ?? 10) * 1000;

const stack = await ClusterStack.start({
  roles: ['api', 'worker', 'worker', 'audit', 'audit'],
  redisOptions: { options: ['appendonly yes'] },
  env: { OTPD_CLUSTER_DURABILITY: 'async', OTPD_DELIVERY_LEASE_S: '3',
    OTPD_DELIVERY_PROVIDER_TIMEOUT_MS: '1000' },
});
after(() => stack.stop());

test('workers and audit processes die at random, PostgreSQL is away, nothing is lost', async () => {
  const load = new ClusterLoad(stack, { perSecond: 40 });
  await sleep(1000);
  await stack.postgres.stopServer();
  const back = performance.now() + outageMs;
  let kills = 0;
  const mortals = stack.processes.filter(({ role }) => role !== 'api');
  while (performance.now() < back) {
    const victim = mortals[Math.floor(Math.random() * mortals.length)];
    await victim.program.kill();
    kills += 1;
    // An audit process that starts without PostgreSQL waits for it.
    if (victim.role === 'worker') await stack.launch(victim);
    else stack.spawn(victim);
    await sleep(300);
  }
  await stack.postgres.restart();
  for (let i = 0; i < 6; i += 1) {
    const victim = mortals[i % mortals.length];
    await victim.program.kill();
    kills += 1;
    stack.spawn(victim);
    await sleep(500);
  }
  await sleep(2000);
  await load.stop();
  assert.ok(kills >= 8);
  assert.deepEqual(load.failures.map(({ status, error }) => `${status} ${error}`), []);
  for (const sent of load.accepted) assert.ok(sent.verified, `${sent.phone} was not served`);

  const expected = load.accepted.length;
  const counts = await eventually('the log is complete', async () => {
    const now = await stack.auditCounts();
    return now.send === expected && now.verify_success === expected
      && now.session_opened === expected && now.sent >= expected ? now : null;
  }, 30_000, 200).catch(async (error) => {
    throw new Error(`${error.message}: ${expected} sends, ${JSON.stringify(await stack.auditCounts())}`);
  });
  assert.equal(counts.sent, expected);
  const doubled = await stack.postgres.sql(
    'SELECT count(*) FROM (SELECT id FROM otp_events GROUP BY id HAVING count(*) > 1) AS twice');
  assert.equal(doubled, '0');
  const ids = new Set((await stack.postgres.sql(
    "SELECT verification_id FROM otp_events WHERE event_type = 'send'")).split('\n'));
  for (const { id } of load.accepted) assert.ok(ids.has(id), `no line for ${id}`);

  // A message is there twice only where a worker died between the carrier's yes and its own note,
  // and then with the same code.
  let repeated = 0;
  for (const { phone } of load.accepted) {
    const texts = (await stack.inbox(phone)).map(({ text }) => text);
    if (texts.length > 1) repeated += 1;
    assert.equal(new Set(texts).size, 1, phone);
  }
  assert.ok(repeated <= 5 * kills, `${repeated} repeated messages after ${kills} kills`);
});

test('the chains of the log are whole', async () => {
  const gaps = await stack.postgres.sql(
    'SELECT chain, count(*), min(number), max(number) FROM otp_events GROUP BY chain '
    + 'HAVING count(*) <> max(number) OR min(number) <> 1');
  assert.equal(gaps, '');
});

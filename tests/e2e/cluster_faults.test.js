// What a Redis Cluster does to those who trust it: masters that die, replicas that lag, slots that
// move. No code is ever accepted twice where that is promised, and nothing acknowledged is lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClusterLoad } from './support/cluster_load.js';
import { ClusterStack } from './support/cluster_stack.js';
import { call } from './support/http.js';
import { eventually, sleep } from './support/process.js';
import { newIp, newPhone } from './support/stack.js';

const nodeTimeoutMs = 1500;
const start = (durability, env = {}) => ClusterStack.start({
  redis: 'cluster',
  redisOptions: { nodeTimeoutMs, options: ['repl-backlog-size 16kb', 'repl-diskless-sync-delay 5'] },
  roles: ['api', 'api', 'worker', 'audit'],
  env: { OTPD_CLUSTER_DURABILITY: durability, ...env },
});

const verify = (stack, phone, code) =>
  call(stack.api.url, 'POST', '/otp/verify', { json: { phone, code }, ip: newIp() });

async function codes(stack, count) {
  return Promise.all(Array.from({ length: count }, async () => {
    const phone = newPhone();
    const sent = await call(stack.api.url, 'POST', '/otp/send', { json: { phone }, ip: newIp() });
    assert.equal(sent.status, 202, sent.body);
    return { phone, code: await stack.code(phone) };
  }));
}

// How many of the codes are let in.
async function lettingIn(stack, people) {
  const answers = await Promise.all(people.map(({ phone, code }) => verify(stack, phone, code)));
  return answers.filter(({ status }) => status === 200).length;
}

// Every master dies while its replica is in the middle of a new full copy and still has the old
// data; each replica is then made master as it is.
async function promoteInTheMiddleOfTheCopy(stack, consume) {
  const { redis } = stack;
  const masters = await redis.masters();
  const pairs = await Promise.all(masters.map(async (master) =>
    [master, await redis.replicaOf(master)]));
  for (const [, replica] of pairs) replica.freeze();
  const consumed = await consume();
  for (const [master] of pairs) {
    // The replica's link ends, and what it missed no longer fits the backlog: a full copy.
    await master.cli('client', 'kill', 'type', 'replica');
    for (let i = 0; i < 3; i += 1) {
      const key = await keyOn(master);
      await master.cli('set', key, 'x'.repeat(40_000), 'ex', '60');
    }
  }
  for (const [, replica] of pairs) replica.thaw();
  for (const [, replica] of pairs) {
    await eventually('the replica copies', async () =>
      (await replica.cli('info', 'replication')).includes('master_sync_in_progress:1'), 10_000, 10);
  }
  for (const [master] of pairs) await master.kill();
  for (const [, replica] of pairs) {
    await eventually('the replica is master', async () => {
      await replica.cli('cluster', 'failover', 'takeover');
      return (await replica.cli('role')).startsWith('master');
    }, 10_000, 100);
  }
  await eventually('the cluster serves again', async () =>
    (await redis.alive[0].cli('cluster', 'info')).includes('cluster_state:ok'), 20_000, 100);
  return consumed;
}

// A key that lives on that master.
async function keyOn(master) {
  for (let n = 0; ; n += 1) {
    const key = `filler-${n}`;
    const answer = await master.cli('get', key).catch((error) => error.message);
    if (!/MOVED/.test(answer)) return key;
  }
}

for (const durability of ['strict', 'async']) {
  test(`replicas promoted in the middle of their copy, durability ${durability}`, async () => {
    const stack = await start(durability);
    try {
      const people = await codes(stack, 40);
      await sleep(1500); // the replicas have the codes
      const first = await promoteInTheMiddleOfTheCopy(stack, () => lettingIn(stack, people));
      assert.equal(first, 40);
      await eventually('otpd serves again', async () =>
        (await verify(stack, newPhone(), '000000')).status < 500, 20_000, 100);
      const again = await lettingIn(stack, people);
      if (durability === 'strict') {
        assert.equal(again, 0, 'a code was accepted twice');
        const { body } = await call(stack.of('api')[0].url, 'GET', '/metrics');
        const { body: other } = await call(stack.of('api')[1].url, 'GET', '/metrics');
        const caught = [body, other].reduce((sum, text) =>
          sum + Number(/otpd_consumed_before_total (\d+)/.exec(text)?.[1] ?? 0), 0);
        assert.ok(caught > 0, 'the ledger was never needed: the test shows nothing');
      } else {
        assert.ok(again > 0, 'the window that async leaves open was not there');
      }
    } finally {
      await stack.abandon();
    }
  });
}

test('kill -9 of a master under load: nothing acknowledged is lost, and soon all is well',
  async () => {
    const stack = await start('replicated');
    try {
      const load = new ClusterLoad(stack, { perSecond: 50 });
      await sleep(3000);
      const [victim] = await stack.redis.masters();
      const killed = performance.now();
      await victim.kill();
      await sleep(2 * nodeTimeoutMs + 6000);
      await load.stop();
      const back = load.lastFailureAfter(killed);
      assert.ok(back <= 2 * nodeTimeoutMs + 2000, `requests failed for ${back} ms`);
      assert.ok(load.accepted.length > 200);
      for (const sent of load.accepted) {
        assert.ok(sent.code, `the message to ${sent.phone} never arrived`);
      }
      // Every code once more: nobody is let in a second time.
      const used = load.sends.filter(({ verified }) => verified);
      assert.equal(await lettingIn(stack, used), 0);
    } finally {
      await stack.abandon();
    }
  });

test('slots move under load: no error reaches a client', async () => {
  const stack = await start('replicated');
  try {
    const load = new ClusterLoad(stack, { perSecond: 40 });
    await sleep(2000);
    const [from, to] = await stack.redis.masters();
    await stack.redis.moveSlots(from, to, 3000);
    await sleep(1000);
    await stack.redis.moveSlots(to, from, 3000);
    await sleep(1000);
    await load.stop();
    assert.deepEqual(load.failures.map(({ status, error }) => `${status} ${error}`), []);
    assert.ok(load.sends.every(({ verified }) => verified));
  } finally {
    await stack.abandon();
  }
});

// What an operation costs beyond one machine: Redis's CPU beside that of a plain SET, otpd's own
// beside the embedded mode, PostgreSQL's, and what a recipient takes in memory. All in one run.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { ClusterStack } from './support/cluster_stack.js';
import { call } from './support/http.js';
import { eventually, sleep } from './support/process.js';
import { codeIn, newIp, newPhone, Stack } from './support/stack.js';

const run = promisify(execFile);
// Beside the other tests a short look at a busy machine, with room for its noise; `make figures`
// measures at length and gives no room.
const strict = process.env.OTPD_FIGURES === 'strict';
const perRound = strict ? 3000 : 600;
const rounds = strict ? 5 : 1;
// No power of two is near, at which Redis would enlarge its tables.
const recipients = strict ? 1_200_000 : 100_000;
const room = strict ? 1 : 2;
const atOnce = 32;
const most = { redisMicroseconds: 80 * room, otpdRatio: 1.5 * room, flat: 1.2 * room,
  recipientBytes: 1.2 * 1024 };

const cluster = await ClusterStack.start({
  roles: ['all'], env: { OTPD_CLUSTER_DURABILITY: 'async', OTPD_SERVER_MAX_IN_FLIGHT: '4096' },
});
const embedded = await Stack.start({ env: { OTPD_AUTH_PUBLIC: 'true', OTPD_TESTING_VIRTUAL_CLOCK: 'false',
  OTPD_DELIVERY_RECEIPTS: 'false', OTPD_SERVER_THREADS: '1', OTPD_LOG_LEVEL: 'warn' } });
after(async () => {
  await embedded.stop();
  await cluster.stop();
});
const [{ program: clusterOtpd, url: clusterUrl }] = cluster.processes;

// Seconds of CPU of all threads of a process, to the nanosecond.
async function cpuOf(pid) {
  let sum = 0;
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    const file = `/proc/${pid}/task/${thread}/schedstat`;
    sum += Number((await readFile(file, 'utf8').catch(() => '0')).split(' ')[0]) / 1e9;
  }
  return sum;
}

// Of PostgreSQL with all its processes.
async function cpuOfTree(pid) {
  let sum = await cpuOf(pid);
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    if (stat.split(') ')[1]?.split(' ')[1] === String(pid)) sum += await cpuOf(entry).catch(() => 0);
  }
  return sum;
}

const clocks = async () => ({
  redis: await cpuOf(cluster.redis.program.pid),
  otpd: await cpuOf(clusterOtpd.pid),
  postgres: await cpuOfTree(cluster.postgres.program.pid),
  embedded: await cpuOf(embedded.otpd.pid),
});

// What the processes use of a second when nothing is asked of them.
async function idleShares() {
  await sleep(3000);
  const before = await clocks();
  await sleep(3000);
  const now = await clocks();
  return Object.fromEntries(Object.keys(now).map((name) => [name, (now[name] - before[name]) / 3]));
}
let idle = await idleShares();

// What `work` used beyond that, in microseconds per operation.
async function costOf(count, work) {
  const before = await clocks();
  const begun = performance.now();
  await work();
  const now = await clocks();
  const seconds = (performance.now() - begun) / 1000;
  return Object.fromEntries(Object.keys(now).map((name) =>
    [name, (now[name] - before[name] - idle[name] * seconds) * 1e6 / count]));
}

async function inParallel(items, one) {
  const left = [...items];
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (left.length > 0) await one(left.pop());
  }));
}

const accepted = async (simUrl) => (await call(simUrl, 'GET', '/stats.json')).json.accepted;

async function sendTo(url, simUrl, phones) {
  const before = await accepted(simUrl);
  await inParallel(phones, async (phone) => {
    const { status, body } = await call(url, 'POST', '/otp/send', { json: { phone }, ip: newIp() });
    assert.equal(status, 202, body);
  });
  await eventually('all are delivered', async () =>
    await accepted(simUrl) >= before + phones.length, 60_000, 50);
}

async function codesFor(simUrl, phones) {
  const { json } = await call(simUrl, 'GET', `/inbox.json?limit=${phones.length}`);
  const codes = new Map(json.map(({ to, text }) => [to, codeIn(text)]));
  return phones.map((phone) => ({ phone, code: codes.get(phone) }));
}

const verifyAll = (url, people) => inParallel(people, async (person) => {
  const { status, body } = await call(url, 'POST', '/otp/verify', { json: person, ip: newIp() });
  assert.equal(status, 200, body);
});

// Until the audit log has been moved and nothing is under way.
async function quiet() {
  let before = await clocks();
  await eventually('all is quiet', async () => {
    await sleep(300);
    const now = await clocks();
    const used = Object.keys(now).reduce((sum, name) => sum + now[name] - before[name], 0);
    before = now;
    return used < 0.03 + 0.3 * Object.values(idle).reduce((sum, one) => sum + one, 0);
  }, 30_000, 10);
}

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

// One round on both; what each operation used.
async function round() {
  const of = {};
  for (const [name, url, simUrl] of [['embedded', embedded.url, embedded.simUrl],
    ['cluster', clusterUrl, cluster.simUrl]]) {
    const phones = Array.from({ length: perRound }, newPhone);
    const send = await costOf(perRound, async () => {
      await sendTo(url, simUrl, phones);
      await quiet();
    });
    const people = await codesFor(simUrl, phones);
    const verify = await costOf(perRound, async () => {
      await verifyAll(url, people);
      await quiet();
    });
    of[name] = { send, verify };
  }
  return of;
}

// A plain SET of a kilobyte, pipelined as much.
async function plainSet() {
  const count = 100_000;
  const { redis } = await costOf(count, () => run('redis-benchmark', ['-p', String(cluster.redis.port),
    '-t', 'set', '-n', String(count), '-d', '300', '-P', '16', '-c', '4', '-r', '1000000', '-q']));
  await cluster.redis.cli('eval', "for _, k in ipairs(redis.call('keys', 'key:*')) do redis.call('unlink', k) end", '0');
  return redis;
}

const usedBytes = async () => Number(/used_memory:(\d+)/.exec(
  await cluster.redis.cli('info', 'memory'))[1]);

test('CPU of an operation', async (t) => {
  await round(); // warm
  const set = await plainSet();
  const all = [];
  for (let i = 0; i < rounds; i += 1) all.push(await round());
  const of = (mode, what, part) => median(all.map((one) => one[mode][what][part]));
  const show = (what) => t.diagnostic(`${what}: Redis ${of('cluster', what, 'redis').toFixed(1)} us `
    + `(a plain SET ${set.toFixed(1)}), PostgreSQL ${of('cluster', what, 'postgres').toFixed(1)} us, `
    + `otpd ${of('cluster', what, 'otpd').toFixed(1)} us `
    + `(embedded ${of('embedded', what, 'embedded').toFixed(1)} us)`);
  t.diagnostic(`idle, of a core: ${Object.entries(idle).map(([name, share]) =>
    `${name} ${(share * 100).toFixed(2)} %`).join(', ')}`);
  show('send');
  show('verify');
  for (const what of ['send', 'verify']) {
    const redis = of('cluster', what, 'redis');
    assert.ok(redis <= most.redisMicroseconds, `Redis ${redis} us per ${what}`);
    const ratio = of('cluster', what, 'otpd') / of('embedded', what, 'embedded');
    t.diagnostic(`${what}: otpd's CPU in a cluster is ${ratio.toFixed(2)} of the embedded mode's`);
    assert.ok(ratio <= most.otpdRatio, `${ratio} of the embedded mode's per ${what}`);
  }
});

test('memory of a live recipient', async (t) => {
  await quiet();
  const before = await usedBytes();
  const phones = Array.from({ length: 4000 }, newPhone);
  await sendTo(clusterUrl, cluster.simUrl, phones);
  await quiet();
  const bytes = (await usedBytes() - before) / phones.length;
  t.diagnostic(`${bytes.toFixed(0)} bytes of Redis per recipient with a live code`);
  assert.ok(bytes <= most.recipientBytes, `${bytes} bytes`);
});

// Live recipients are copied inside Redis, record by record, to new keys of the same partitions.
const copyRecords = `
  local made, cursor = 0, '0'
  repeat
    local page = redis.call('SCAN', cursor, 'MATCH', '*:r:r*', 'COUNT', 1000)
    cursor = page[1]
    for _, key in ipairs(page[2]) do
      local value = redis.call('GET', key)
      for copy = 1, tonumber(ARGV[1]) do
        local name = string.sub(key, 1, -9) .. string.char(math.random(0, 255), math.random(0, 255),
          math.random(0, 255), math.random(0, 255), math.random(0, 255), math.random(0, 255),
          math.random(0, 255), math.random(0, 255))
        redis.call('SET', name, value, 'EX', 3000)
        made = made + 1
        if made >= tonumber(ARGV[2]) then return made end
      end
    end
  until cursor == '0'
  return made`;

test('the cost of an operation does not grow with the recipients', async (t) => {
  const records = async () => Number(/keys=(\d+)/.exec(await cluster.redis.cli('info', 'keyspace'))[1]);
  const few = [];
  const many = [];
  const measure = async () => (await round()).cluster;
  for (let i = 0; i < rounds; i += 1) few.push(await measure());
  const started = await records();
  const target = recipients;
  for (let made = 0; made < target;) {
    const more = Number(await cluster.redis.cli('eval', copyRecords, '0', '40', '100000'));
    made += more;
    assert.ok(more > 0);
  }
  const ended = await records();
  assert.ok(ended - started > target * 0.9, `${ended - started} more keys`);
  // Redis enlarges its tables a millisecond at a time; not while it is measured.
  await cluster.redis.cli('config', 'set', 'hz', '500');
  await sleep(8000);
  await cluster.redis.cli('config', 'set', 'hz', '10');
  idle = await idleShares();
  t.diagnostic(`idle with ${ended} keys, of a core: redis ${(idle.redis * 100).toFixed(2)} %`);
  await measure(); // warm
  for (let i = 0; i < rounds; i += 1) many.push(await measure());
  for (const what of ['send', 'verify']) {
    const [a, b] = [few, many].map((all) => median(all.map((one) => one[what].redis)));
    t.diagnostic(`${what}: Redis ${a.toFixed(1)} us with ${started} keys, ${b.toFixed(1)} us with `
      + `${ended}: ${(b / a).toFixed(2)}`);
    assert.ok(b <= a * most.flat, `${b / a} of the cost`);
  }
});

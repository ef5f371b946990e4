// What delivery costs: a thousand sends that a carrier leaves hanging need no thread and little
// memory; a worker hands over thousands of messages a second to a carrier that is fast.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { faults, heal, provider, sendOne, twoCarriers } from './support/carriers.js';
import { call } from './support/http.js';
import { eventually } from './support/process.js';
import { Stack } from './support/stack.js';

const hanging = 1000;
const mostMiB = 64;
const waiting = 6000;
const leastPerSecond = 2000;
const pauseSeconds = 15;  // enough to accept those that wait

async function start(t, env) {
  const stack = await Stack.start({
    env: { ...twoCarriers, OTPD_DELIVERY_ROUTES_SMS: 'twilio', OTPD_SERVER_MAX_IN_FLIGHT: '4096', ...env },
  });
  t.after(() => stack.stop());
  return stack;
}

// `count` sends, 64 at a time; all must be accepted.
async function sendMany(stack, count) {
  let left = count;
  const one = async () => {
    while (left > 0) {
      left -= 1;
      const send = await sendOne(stack);
      assert.equal(send.status, 202, send.error);
    }
  };
  await Promise.all(Array.from({ length: 64 }, one));
}

const acceptedBy = async (stack) => (await call(stack.simUrl, 'GET', '/stats.json')).json.accepted;
const arrived = (stack, count) =>
  eventually(`${count} messages`, async () => (await acceptedBy(stack)) >= count, 60_000, 50);

// {threads, mib} of otpd as the kernel counts them.
async function cost(stack) {
  const status = await readFile(`/proc/${stack.otpd.pid}/status`, 'utf8');
  const number = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)[1]);
  return { threads: number('Threads'), mib: number('VmRSS') / 1024 };
}

test(`${hanging} sends hanging at 8 s each`, async (t) => {
  const stack = await start(t, {
    OTPD_DELIVERY_IN_FLIGHT: '2000',
    OTPD_PROVIDERS_TWILIO_MAX_IN_FLIGHT: '2000',
    OTPD_BREAKER_OPEN_FAILURES: '1000',
    OTPD_BREAKER_MIN_VOLUME: '100000',
  });
  await sendMany(stack, 200);
  await arrived(stack, 200);
  const before = await cost(stack);
  await faults(stack, 'twilio', { hang: true });
  const begun = performance.now();
  await sendMany(stack, hanging);
  await eventually('all of them hang', async () =>
    (await provider(stack, 'twilio')).in_flight === hanging, 8000, 50);
  const during = await cost(stack);
  assert.ok(performance.now() - begun < 8000, 'some were given up before all were on their way');
  t.diagnostic(`threads ${before.threads} and then ${during.threads}; `
    + `memory ${before.mib.toFixed(1)} MiB and then ${during.mib.toFixed(1)} MiB`);
  assert.equal(during.threads, before.threads);
  assert.ok(during.mib - before.mib < mostMiB, `${during.mib - before.mib} MiB more`);
  await heal(stack);
});

// Seconds of CPU that the thread of delivery has used.
async function workerSeconds(stack) {
  const tasks = `/proc/${stack.otpd.pid}/task`;
  for (const id of await readdir(tasks)) {
    if (!(await readFile(`${tasks}/${id}/comm`, 'utf8')).startsWith('worker')) continue;
    const stat = (await readFile(`${tasks}/${id}/stat`, 'utf8')).split(') ')[1].split(' ');
    return (Number(stat[11]) + Number(stat[12])) / 100;
  }
  throw new Error('otpd has no thread of that name');
}

// Messages a second, out of a queue that filled while the carrier had asked for a pause.
async function drain(t, stack) {
  await call(stack.simUrl, 'DELETE', '/inbox.json');
  await faults(stack, 'twilio', { throttle_rate: 1, retry_after: pauseSeconds });
  const first = await sendOne(stack);
  await eventually('the pause', async () =>
    (await stack.admin('GET', `/admin/verifications/${first.id}`)).json.timeline
      .some((one) => one.what === 'delivery_retry'));
  await heal(stack);
  await sendMany(stack, waiting - 1);
  assert.equal(await acceptedBy(stack), 0, 'the pause was too short to fill the queue');
  const before = await workerSeconds(stack);
  await arrived(stack, waiting);
  const cpu = await workerSeconds(stack) - before;
  const { json } = await call(stack.simUrl, 'GET', '/inbox.json?limit=10000');
  assert.equal(new Set(json.map((message) => message.to)).size, waiting);
  const times = json.map((message) => Date.parse(message.received_at)).sort((a, b) => a - b);
  const perSecond = waiting * 1000 / (times.at(-1) - times[0]);
  t.diagnostic(`${Math.round(perSecond)} messages a second; the worker's thread used `
    + `${cpu.toFixed(2)} s of CPU for ${waiting}`);
  return { perSecond, perCore: waiting / Math.max(cpu, 0.01) };
}

// Of a core: what others that use this computer, too, take from it does not count.
test('a worker and a fast carrier', async (t) => {
  const stack = await start(t, {});
  const { perSecond, perCore } = await drain(t, stack);
  assert.ok(perCore >= leastPerSecond, `${perCore} a second of its core`);
  assert.ok(perSecond >= leastPerSecond / 4, `${perSecond} a second`);
});

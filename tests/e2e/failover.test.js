// The first carrier fails in every way it can while 100 people a second ask for a code; the second
// one is there. Every code arrives, nobody waits long, and nobody gets two messages unless an answer
// was lost. When the carrier is back, so is the traffic. OTPD_FAULT_SECONDS is how long each fault
// lasts; from 30 on, provider time-outs are those of production.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  faults, heal, inboxByRecipient, inState, percentile, provider, sendSteadily, simArgs, twoCarriers,
} from './support/carriers.js';
import { call } from './support/http.js';
import { eventually, sleep } from './support/process.js';
import { codeIn, Stack } from './support/stack.js';

const faultSeconds = Number(process.env.OTPD_FAULT_SECONDS ?? 6);
const isSoak = faultSeconds >= 30;
const timeoutMs = isSoak ? 8000 : 2000;
const probeSeconds = isSoak ? { first: 5, longest: 10 } : { first: 1, longest: 2 };
const perSecond = 100;
const smoothMs = 2000;  // once the circuit is open

let stack;
before(async () => {
  stack = await Stack.start({
    simArgs,
    env: {
      ...twoCarriers,
      OTPD_DELIVERY_PROVIDER_TIMEOUT_MS: String(timeoutMs),
      OTPD_BREAKER_OPEN_FOR_S: String(probeSeconds.first),
      OTPD_BREAKER_OPEN_MAX_S: String(probeSeconds.longest),
    },
  });
});
after(() => stack.stop());

// The moment at which twilio's circuit opened, once it has; `stop()` ends the watch.
function watchCircuit() {
  const watch = { openedAt: Infinity, over: false };
  watch.done = (async () => {
    while (!watch.over && watch.openedAt === Infinity) {
      if (['open', 'half_open'].includes((await provider(stack, 'twilio')).state)) {
        watch.openedAt = Date.now();
      }
      await sleep(20);
    }
  })();
  watch.stop = () => {
    watch.over = true;
    return watch.done;
  };
  return watch;
}

// Whether nearly all of the newest messages went by twilio.
async function carries() {
  const newest = await call(stack.simUrl, 'GET', '/inbox.json?limit=50');
  return newest.json.filter((message) => message.face === 'twilio').length >= 45;
}

// Sends all the time, with the fault in the middle; {sends, openedAt, healedAt}.
async function through(plan) {
  let over = false;
  const sending = sendSteadily(stack, perSecond, () => over);
  await eventually('twilio carries', carries);
  await call(stack.simUrl, 'DELETE', '/inbox.json');
  const brokenAt = Date.now();
  await faults(stack, 'twilio', plan);
  const watch = watchCircuit();
  await sleep(faultSeconds * 1000);
  await watch.stop();
  const healedAt = Date.now();
  await heal(stack);
  await inState(stack, 'twilio', 'closed', 90_000);
  await sleep(1000);
  await eventually('twilio carries again', carries, 90_000, 100);
  over = true;
  const sends = (await sending).filter((send) => send.askedAt > brokenAt);
  return { sends, openedAt: watch.openedAt, healedAt };
}

// How long after the end of the fault twilio carried nearly everything again.
function backAfter({ sends, healedAt }, inbox) {
  const first = (send) => inbox.get(send.phone).at(-1).face;  // they come newest first
  const later = sends.filter((send) => send.at > healedAt);
  const back = later.findIndex((_, at) =>
    later.slice(at, at + 50).filter((send) => first(send) === 'twilio').length >= 45);
  return back < 0 ? Infinity : later[back].at - healedAt;
}

const show = (numbers) => `p50 ${Math.round(percentile(numbers, 0.5))} ms, `
  + `p99 ${Math.round(percentile(numbers, 0.99))} ms (${numbers.length} sends)`;

// How long each of these sends took from its 202 to the inbox.
const waits = (sends, inbox) => sends.map((send) =>
  Math.max(0, Math.min(...inbox.get(send.phone).map((one) => Date.parse(one.received_at))) - send.at));

function checkCopies(sends, inbox, mayRepeat) {
  const repeated = sends.filter((send) => inbox.get(send.phone).length > 1);
  // On a busy computer a carrier can be slow for a moment, and another is asked beside it.
  const most = mayRepeat ? Infinity : sends.length / 200;
  assert.ok(repeated.length <= most, `${repeated.length} of ${sends.length} came twice`);
  for (const { phone } of repeated) {
    const codes = new Set(inbox.get(phone).map((message) => codeIn(message.text)));
    assert.equal(codes.size, 1, 'two messages with two codes');
  }
  return repeated.length;
}

const kinds = [
  { name: 'is down', plan: { outage: true } },
  { name: 'hangs', plan: { hang: true }, mayRepeat: true },
  { name: 'throttles', plan: { throttle_rate: 1, retry_after: 1 } },
  { name: 'flaps', plan: { outage: { every_s: 2, for_s: 1 } } },
  { name: 'answers garbage', plan: { garbage_rate: 1 } },
  { name: 'refuses', plan: { error_rate: 1 } },
  { name: 'takes messages without an answer', plan: { accept_then_drop_connection: 1 }, mayRepeat: true },
];

for (const { name, plan, mayRepeat = false } of kinds) {
  test(`a carrier that ${name}`, async (t) => {
    await inState(stack, 'twilio', 'closed');
    const run = await through(plan);
    const { sends, openedAt, healedAt } = run;
    const refused = sends.filter((send) => send.status !== 202);
    assert.deepEqual(refused.slice(0, 3), [], `${refused.length} of ${sends.length} refused`);
    const inbox = await eventually('every code arrives', async () => {
      const found = await inboxByRecipient(stack);
      return sends.every((send) => found.has(send.phone)) && found;
    }, 30_000, 200);
    const backMs = backAfter(run, inbox);
    const repeated = checkCopies(sends, inbox, mayRepeat);

    const early = waits(sends.filter((send) => send.at < Math.min(openedAt, healedAt)), inbox);
    const late = waits(sends.filter((send) => send.at >= openedAt && send.at < healedAt), inbox);
    t.diagnostic(`before the circuit opened: ${show(early)}; after: ${show(late)}; `
      + `${repeated} came twice; back after ${backMs} ms`);
    assert.ok(percentile(early, 0.99) < timeoutMs + 1000, show(early));
    assert.ok(percentile(late, 0.99) < smoothMs, show(late));
    assert.ok(backMs <= 2 * probeSeconds.longest * 1000 + 1000, `back after ${backMs} ms`);
  });
}

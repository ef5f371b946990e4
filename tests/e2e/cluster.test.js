// Several processes over one Redis and one PostgreSQL: what one does, all know.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, test } from 'node:test';
import { ClusterStack } from './support/cluster_stack.js';
import { call } from './support/http.js';
import { eventually, Program, sleep } from './support/process.js';
import { buildDir, newIp, newPhone, wrong } from './support/stack.js';

const rounds = Number(process.env.OTPD_RACE_ROUNDS ?? 30);

const stack = await ClusterStack.start({
  redisOptions: { options: ['appendonly yes'] },
  env: { OTPD_CLUSTER_DURABILITY: 'strict', OTPD_DELIVERY_ROUTES_SMS: 'twilio',
    OTPD_DELIVERY_LEASE_S: '3', OTPD_DELIVERY_PROVIDER_TIMEOUT_MS: '1000' },
});
after(() => stack.stop());

const [one, two] = stack.of('api');
const send = (api, phone = newPhone(), extra = {}) =>
  call(api.url, 'POST', '/otp/send', { json: { phone }, ip: newIp(), ...extra });
const verify = (api, phone, code) =>
  call(api.url, 'POST', '/otp/verify', { json: { phone, code }, ip: newIp() });

async function newCode() {
  const phone = newPhone();
  const sent = await send(stack.api, phone);
  assert.equal(sent.status, 202, sent.body);
  return { phone, code: await stack.code(phone), id: sent.json.verification_id };
}

test('sent through one process, verified through another, the session known to both', async () => {
  const phone = newPhone();
  const sent = await send(one, phone);
  assert.equal(sent.status, 202, sent.body);
  const code = await stack.code(phone);
  assert.equal((await verify(two, phone, wrong(code))).status, 401);
  const { status, json } = await verify(two, phone, code);
  assert.equal(status, 200);
  const ask = (api) => call(api.url, 'POST', '/session/introspect',
    { form: { token: json.session_token } });
  assert.equal((await ask(one)).json.active, true);
  assert.equal((await call(two.url, 'POST', '/session/revoke',
    { form: { token: json.session_token } })).status, 200);
  assert.equal((await ask(one)).json.active, false);
  assert.equal((await call(one.url, 'GET', `/otp/${sent.json.verification_id}`)).json.status,
    'approved');
});

test(`64 clients of two processes with the right code: one is let in, ${rounds} rounds`,
  async () => {
    for (let round = 0; round < rounds; round += 1) {
      const { phone, code } = await newCode();
      const answers = await Promise.all(Array.from({ length: 64 }, (_, i) =>
        verify(i % 2 ? one : two, phone, code)));
      assert.equal(answers.filter(({ status }) => status === 200).length, 1);
      assert.ok(answers.every(({ status }) => status < 500), 'an error');
    }
  });

test('wrong guesses at both processes at once: three attempts in all', async () => {
  const { phone, code, id } = await newCode();
  await Promise.all(Array.from({ length: 60 }, (_, i) =>
    verify(i % 2 ? one : two, phone, wrong(code, i + 1))));
  assert.equal((await verify(one, phone, code)).json.error, 'attempts_exhausted');
  assert.equal((await call(two.url, 'GET', `/otp/${id}`)).json.status, 'exhausted');
});

test('limits and idempotency keys hold across the processes', async () => {
  const ip = newIp();
  const answers = await Promise.all(Array.from({ length: 130 }, (_, i) =>
    send(i % 2 ? one : two, newPhone(), { ip })));
  // The last that fits is also the first that needs a captcha.
  assert.equal(answers.filter(({ status }) => status === 202).length, 99);
  assert.equal(answers.filter(({ status }) => status === 403).length, 1);
  assert.equal(answers.filter(({ status }) => status === 429).length, 30);

  const phone = newPhone();
  const headers = { 'Idempotency-Key': `cluster-${phone}` };
  const same = await Promise.all(Array.from({ length: 32 }, (_, i) =>
    send(i % 2 ? one : two, phone, { headers })));
  const ids = new Set(same.filter(({ status }) => status === 202)
    .map(({ json }) => json.verification_id));
  assert.equal(ids.size, 1);
  await stack.code(phone);
  await sleep(300);
  assert.equal((await stack.inbox(phone)).length, 1);
});

test('a process serves what its role is for, and says how it is', async () => {
  for (const { url, role } of stack.processes) {
    assert.equal((await call(url, 'GET', '/healthz')).status, 200);
    assert.deepEqual((await call(url, 'GET', '/readyz')).json.checks,
      { redis: 'ok', postgres: 'ok' });
    assert.match((await call(url, 'GET', '/metrics')).body, /otpd_queue_waiting/);
    const sent = await call(url, 'POST', '/otp/send', { json: { phone: newPhone() }, ip: newIp() });
    assert.equal(sent.status, role === 'api' ? 202 : 404);
  }
});

test('every line of the audit log reaches PostgreSQL and is found there', async () => {
  const { phone, code, id } = await newCode();
  await verify(one, phone, wrong(code));
  await verify(two, phone, code);
  const lines = await eventually('four lines', async () => {
    const { json } = await stack.admin('GET', `/admin/events?verification_id=${id}`);
    return json.events.length >= 4 ? json.events : null;
  }).catch(async (error) => {
    const { body } = await stack.admin('GET', '/admin/events?limit=5');
    throw new Error(`${error.message}: ${body}\n${stack.log.slice(-2000)}`);
  });
  assert.deepEqual(lines.map(({ event_type: type }) => type).sort(),
    ['send', 'sent', 'verify_fail', 'verify_success']);
});

test('a worker that dies is taken over within its lease', async () => {
  // The carrier hangs, so that both workers hold jobs when one dies.
  await call(stack.simUrl, 'PUT', '/faults/twilio', { json: { hang: true } });
  const sent = await Promise.all(Array.from({ length: 30 }, () => send(stack.api)));
  assert.ok(sent.every(({ status }) => status === 202));
  await sleep(300);
  const [victim] = stack.of('worker');
  await victim.program.kill();
  await call(stack.simUrl, 'PUT', '/faults/twilio', { json: {} });
  const killed = performance.now();
  // The dead one can note nothing any more: who says "sent" took its job.
  await eventually('every message is noted as sent', async () => {
    const states = await Promise.all(sent.map(({ json }) =>
      stack.call('GET', `/otp/${json.verification_id}`)));
    return states.every(({ json }) => json.status === 'sent');
  }, 20_000);
  assert.ok(performance.now() - killed < 15_000);
  await stack.launch(victim);
});

test('a carrier that fails one worker is known to all within a second', async () => {
  const usable = async (one) => /otpd_lane_usable{lane="twilio"} (\d)/.exec(
    (await call(one.url, 'GET', '/metrics')).body)?.[1];
  await eventually('all lanes are in use', async () =>
    (await Promise.all(stack.processes.map(usable))).every((value) => value === '1'), 20_000);
  await call(stack.simUrl, 'PUT', '/faults/twilio', { json: { error_rate: 1, status: 401 } });
  await send(stack.api);
  const seen = {};
  await eventually('all know', async () => {
    for (const { url, role, port } of stack.processes) {
      if (role !== 'audit' && seen[port] === undefined && await usable({ url }) === '0') {
        seen[port] = performance.now();
      }
    }
    return Object.keys(seen).length === 4;
  }, 10_000, 10);
  const times = Object.values(seen);
  assert.ok(Math.max(...times) - Math.min(...times) < 1000, JSON.stringify(seen));
  const refused = await send(one);
  assert.equal(refused.json.error, 'delivery_unavailable');
  await call(stack.simUrl, 'PUT', '/faults/twilio', { json: {} });
  await eventually('the lane is back', async () => (await send(stack.api)).status === 202, 60_000,
    250);
});

test('an operator takes a carrier out of use everywhere', async () => {
  await eventually('it is in use', async () => (await send(stack.api)).status === 202, 60_000, 250);
  assert.equal((await stack.admin('POST', '/admin/providers/twilio/disable')).status, 200);
  await eventually('both refuse', async () => {
    const answers = await Promise.all([send(one), send(two)]);
    return answers.every(({ json }) => json.error === 'delivery_unavailable');
  }, 3000);
  assert.equal((await stack.admin('POST', '/admin/providers/twilio/enable')).status, 200);
  await eventually('both accept', async () => {
    const answers = await Promise.all([send(one), send(two)]);
    return answers.every(({ status }) => status === 202);
  }, 3000);
});

test('another number of partitions is refused for ever', async () => {
  const other = new Program('otpd', path.join(buildDir, 'otpd'), [], {
    cwd: stack.dir, env: { ...stack.environment('all', 0), OTPD_REDIS_PARTITIONS: '32' },
  });
  const { code } = await other.exit;
  assert.equal(code, 1);
  assert.match(other.output, /64/);
  assert.match(other.output, /32/);
});

test('every key in Redis ends some day', async () => {
  const keys = (await stack.redis.cli('--scan')).split('\n').filter(Boolean);
  assert.ok(keys.length > 50);
  const forever = [];
  for (const key of keys.filter((name) => !name.endsWith(':partitions'))) {
    if (/[^\x20-\x7e]|"|\\/.test(key)) continue; // a name that the shell tool cannot repeat
    if (await stack.redis.cli('ttl', key) === '-1') forever.push(key);
  }
  assert.deepEqual(forever, []);
});

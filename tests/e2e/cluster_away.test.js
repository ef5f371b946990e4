// Redis that is away, and a network that delays, cuts and swallows: precise answers, soon, and
// nothing to restart afterwards.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, test } from 'node:test';
import { ClusterStack } from './support/cluster_stack.js';
import { call } from './support/http.js';
import { eventually, freePort, sleep } from './support/process.js';
import { newIp, newPhone } from './support/stack.js';

// Passes bytes on to a port, in the manner that `mode` says.
class Proxy {
  static async start(target) {
    const proxy = new Proxy();
    Object.assign(proxy, { target, mode: 'pass', delayMs: 0, sockets: new Set() });
    proxy.port = await freePort();
    proxy.server = net.createServer((client) => proxy.join(client));
    await new Promise((resolve) => { proxy.server.listen(proxy.port, '127.0.0.1', resolve); });
    return proxy;
  }

  join(client) {
    const behind = net.connect(this.target, '127.0.0.1');
    for (const socket of [client, behind]) {
      this.sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.sockets.delete(socket);
        if (this.mode !== 'swallow') [client, behind].forEach((one) => one.destroy());
      });
    }
    client.on('data', (bytes) => this.pass(bytes, behind));
    behind.on('data', (bytes) => this.pass(bytes, client));
  }

  pass(bytes, to) {
    if (this.mode === 'swallow') return;
    if (this.delayMs > 0) setTimeout(() => to.destroyed || to.write(bytes), this.delayMs);
    else to.write(bytes);
  }

  // Not resetAndDestroy(): a handle that is reset while it shuts down can keep node from ending.
  cut() { for (const socket of this.sockets) socket.destroy(); }
  stop() {
    this.cut();
    this.server.close();
  }
}

let proxy;
const stack = await ClusterStack.start({
  roles: ['all'], redisOptions: { options: ['appendonly yes', 'appendfsync always'] },
  env: { OTPD_CLUSTER_DURABILITY: 'async', OTPD_SERVER_THREADS: '2' },
});
after(async () => {
  proxy?.stop();
  await stack.stop();
});

const send = async () => {
  const at = performance.now();
  const answer = await stack.call('POST', '/otp/send', { json: { phone: newPhone() }, ip: newIp() });
  return { ...answer, took: performance.now() - at };
};
const verify = async (phone, code) => {
  const at = performance.now();
  const answer = await stack.call('POST', '/otp/verify', { json: { phone, code }, ip: newIp() });
  return { ...answer, took: performance.now() - at };
};
const works = () => eventually('it works again', async () => (await send()).status === 202, 10_000);

test('without Redis: 503 within 200 ms, and it says which part; back without a restart',
  async () => {
    const phone = newPhone();
    assert.equal((await stack.call('POST', '/otp/send', { json: { phone }, ip: newIp() })).status,
      202);
    const code = await stack.code(phone);
    await stack.redis.kill();
    for (let i = 0; i < 20; i += 1) {
      for (const answer of [await send(), await verify(phone, code)]) {
        assert.equal(answer.status, 503, answer.body);
        assert.equal(answer.json.error, 'unavailable');
        assert.ok(answer.headers['retry-after']);
        assert.ok(answer.took < 200, `${answer.took} ms`);
      }
    }
    const ready = await stack.call('GET', '/readyz');
    assert.equal(ready.status, 503);
    assert.deepEqual(ready.json.checks, { redis: 'failed', postgres: 'ok' });
    await stack.redis.restart();
    await works();
    assert.equal((await verify(phone, code)).status, 200);
    assert.equal((await stack.call('GET', '/readyz')).status, 200);
  });

test('Redis that is there and answers nothing: no request hangs', async () => {
  stack.redis.freeze();
  const answers = await Promise.all(Array.from({ length: 20 }, send));
  for (const { status, took } of answers) {
    assert.equal(status, 503);
    assert.ok(took < 2500, `${took} ms`);
  }
  const later = await send();
  assert.equal(later.status, 503);
  assert.ok(later.took < 200, `known to be away, and yet ${later.took} ms`);
  stack.redis.thaw();
  await works();
});

test('a network that delays, cuts and swallows', async (t) => {
  proxy = await Proxy.start(stack.redis.port);
  const [only] = stack.processes;
  await only.program.stop();
  stack.env.OTPD_REDIS_NODES = `127.0.0.1:${proxy.port}`;
  await stack.launch(only);

  await t.test('delay', async () => {
    proxy.delayMs = 40;
    const { status, took } = await send();
    assert.equal(status, 202);
    assert.ok(took > 80 && took < 2000, `${took} ms`);
    proxy.delayMs = 0;
  });
  await t.test('cut', async () => {
    for (let round = 0; round < 10; round += 1) {
      const under = Promise.all(Array.from({ length: 10 }, send));
      await sleep(5);
      proxy.cut();
      for (const { status, took } of await under) {
        assert.ok([202, 503].includes(status), String(status));
        assert.ok(took < 2500, `${took} ms`);
      }
    }
    await works();
  });
  await t.test('half open', async () => {
    proxy.mode = 'swallow';
    const answers = await Promise.all(Array.from({ length: 20 }, send));
    for (const { status, took } of answers) {
      assert.equal(status, 503);
      assert.ok(took < 2500, `${took} ms`);
    }
    proxy.mode = 'pass';
    proxy.cut();
    await works();
  });
});

test('PostgreSQL away: the hot path does not notice, readiness tells', async () => {
  await stack.postgres.stopServer();
  const answers = [];
  for (let i = 0; i < 20; i += 1) answers.push(await send());
  assert.ok(answers.every(({ status, took }) => status === 202 && took < 500));
  const ready = await stack.call('GET', '/readyz');
  assert.equal(ready.status, 200);
  assert.deepEqual(ready.json.checks, { redis: 'ok', postgres: 'failed' });
  await stack.postgres.restart();
  await eventually('it is back', async () =>
    (await stack.call('GET', '/readyz')).json.checks.postgres === 'ok', 20_000);
});

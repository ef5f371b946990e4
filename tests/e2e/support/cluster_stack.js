// otpd beyond one machine: processes of every role over real Redis and PostgreSQL servers, and
// sms-sim, all on free ports of the loopback interface.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { call } from './http.js';
import { plenty } from './plenty.js';
import { eventually, freePort, Program } from './process.js';
import { Postgres, RedisCluster, RedisServer } from './servers.js';
import { buildDir, codeIn } from './stack.js';

const inherited = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('OTPD_')));

export class ClusterStack {
  // `roles`: one otpd for each name; `redis`: 'single' or 'cluster'; `env` adds to the settings of
  // every process.
  static async start({
    roles = ['api', 'api', 'worker', 'worker', 'audit'], redis = 'single', redisOptions = {},
    env = {}, simArgs = [],
  } = {}) {
    const stack = new ClusterStack();
    Object.assign(stack, { env, simArgs, processes: [] });
    stack.dir = await mkdtemp(path.join(tmpdir(), 'otpd-cluster-'));
    stack.dataDir = path.join(stack.dir, 'data');
    try {
      stack.postgres = await Postgres.start(stack.dir);
      stack.redis = redis === 'cluster' ? await RedisCluster.start(stack.dir, redisOptions)
        : await RedisServer.start(stack.dir, redisOptions.options);
      await stack.startSim();
      for (const role of roles) await stack.startProcess(role);
      stack.adminToken = (await readFile(path.join(stack.dataDir, 'admin.token'), 'utf8')).trim();
    } catch (error) {
      await stack.abandon();
      throw error;
    }
    return stack;
  }

  async startSim() {
    this.simPort = await freePort();
    this.sim = new Program('sms-sim', path.join(buildDir, 'sms-sim'),
      [`--listen=127.0.0.1:${this.simPort}`, '--no-smtp', '--no-smpp', ...this.simArgs],
      { cwd: this.dir, env: inherited });
    await eventually('sms-sim answers', async () => {
      if (this.sim.ended) throw new Error(this.sim.tail());
      const answer = await call(this.simUrl, 'GET', '/inbox.json').catch(() => undefined);
      return answer?.status === 200;
    });
  }

  get simUrl() { return `http://127.0.0.1:${this.simPort}`; }
  get nodes() { return this.redis instanceof RedisCluster ? this.redis.addresses : [`127.0.0.1:${this.redis.port}`]; }

  environment(role, port) {
    return {
      ...inherited,
      OTPD_SERVER_MODE: 'cluster',
      OTPD_SERVER_ROLE: role,
      OTPD_SERVER_LISTEN: `127.0.0.1:${port}`,
      OTPD_SERVER_TRUSTED_PROXIES: '127.0.0.1',
      OTPD_SERVER_THREADS: '1',
      OTPD_DATA_DIR: this.dataDir,
      OTPD_CRYPTO_HASH: 'hmac',
      OTPD_AUTH_PUBLIC: 'true',
      OTPD_FRICTION_CAPTCHA_WORK: '10',
      OTPD_FRICTION_IP_SENDS: '100',
      ...plenty,
      OTPD_REDIS_NODES: this.nodes.join(','),
      OTPD_REDIS_CLUSTER: String(this.redis instanceof RedisCluster),
      OTPD_POSTGRES_URL: this.postgres.url,
      OTPD_PROVIDERS_TWILIO_BASE_URL: this.simUrl,
      OTPD_DELIVERY_RECEIPTS: 'false',
      OTPD_LOG_LEVEL: 'warn',
      ...this.env,
    };
  }

  // Starts one more process and waits until it can serve.
  async startProcess(role) {
    const one = { role, port: await freePort() };
    await this.launch(one);
    this.processes.push(one);
    return one;
  }

  // Starts it, and does not wait.
  spawn(one) {
    one.program = new Program(`otpd ${one.role}`, path.join(buildDir, 'otpd'), [],
      { cwd: this.dir, env: this.environment(one.role, one.port) });
    one.url = `http://127.0.0.1:${one.port}`;
  }

  async launch(one) {
    this.spawn(one);
    await eventually(`otpd ${one.role} answers`, async () => {
      if (one.program.ended) throw new Error(`otpd ${one.role} ended:\n${one.program.tail()}`);
      const answer = await call(one.url, 'GET', '/readyz').catch(() => undefined);
      return answer?.status === 200;
    });
  }

  of(role) { return this.processes.filter((one) => one.role === role); }

  // One of the processes that answer requests, in turn.
  get api() {
    const all = this.processes.filter(({ role, program }) =>
      (role === 'api' || role === 'all') && !program.ended);
    this.turn = ((this.turn ?? -1) + 1) % all.length;
    return all[this.turn];
  }

  call(method, target, options) { return call(this.api.url, method, target, options); }

  admin(method, target, options = {}) {
    const headers = { Authorization: `Bearer ${this.adminToken}`, ...options.headers };
    return this.call(method, target, { ...options, headers });
  }

  async inbox(to) {
    const answer = await call(this.simUrl, 'GET', `/inbox.json?to=${encodeURIComponent(to)}`);
    return answer.json;
  }

  async code(to, count = 1) {
    const message = await eventually(`message ${count} to ${to}`, async () => {
      const messages = await this.inbox(to);
      return messages.length >= count ? messages[0] : null;
    });
    return codeIn(message.text);
  }

  // The audit lines that PostgreSQL has, by type.
  async auditCounts() {
    const rows = await this.postgres.sql(
      'SELECT event_type, count(*) FROM otp_events GROUP BY event_type');
    return Object.fromEntries(rows.split('\n').filter(Boolean).map((row) => {
      const [type, count] = row.split('|');
      return [type, Number(count)];
    }));
  }

  get log() { return this.processes.map(({ program }) => program.output).join(''); }

  async stop() {
    const problems = [];
    for (const { program } of this.processes) {
      if (!program.ended) await program.stop().catch((error) => problems.push(error.message));
    }
    await this.abandon();
    if (problems.length) throw new Error(problems.join('\n'));
  }

  async abandon() {
    for (const { program } of this.processes) if (!program.ended) await program.kill();
    if (this.sim && !this.sim.ended) await this.sim.kill();
    await this.redis?.stop();
    await this.postgres?.stop();
    await rm(this.dir, { recursive: true, force: true });
  }
}

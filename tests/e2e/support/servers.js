// Real servers for the tests: Redis, Redis Cluster and PostgreSQL on free ports of the loopback
// interface, with their data in a temporary folder.
import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { eventually, freePort, Program, sleep } from './process.js';

const run = promisify(execFile);

// What a redis-server says to one command, as text.
export async function redisCli(port, ...words) {
  const { stdout } = await run('redis-cli', ['-p', String(port), ...words.map(String)]);
  return stdout.trim();
}

// One redis-server; `options` are lines of its configuration.
export class RedisServer {
  static async start(dir, options = [], port = undefined) {
    const server = new RedisServer();
    server.port = port ?? await freePort();
    server.dir = path.join(dir, `redis-${server.port}`);
    await mkdir(server.dir, { recursive: true });
    server.file = path.join(server.dir, 'redis.conf');
    await writeFile(server.file, [
      `port ${server.port}`, 'bind 127.0.0.1', `dir ${server.dir}`, 'save ""',
      'maxmemory-policy noeviction', ...options, ''].join('\n'));
    await server.restart();
    return server;
  }

  async restart() {
    this.program = new Program(`redis ${this.port}`, 'redis-server', [this.file], { cwd: this.dir });
    await eventually(`redis answers on ${this.port}`, async () => {
      if (this.program.ended) throw new Error(`redis ended at once:\n${this.program.tail()}`);
      return (await this.cli('ping').catch(() => '')) === 'PONG';
    });
  }

  cli(...words) { return redisCli(this.port, ...words); }
  kill() { return this.program.kill(); }
  async stop() { if (!this.program.ended) await this.program.kill(); }
  // SIGSTOP and SIGCONT: it is there, and answers nothing.
  freeze() { process.kill(this.program.pid, 'SIGSTOP'); }
  thaw() { process.kill(this.program.pid, 'SIGCONT'); }
}

// Three masters with a replica each.
export class RedisCluster {
  // `nodeTimeoutMs`: cluster-node-timeout.
  static async start(dir, { nodeTimeoutMs = 1500, options = [] } = {}) {
    const cluster = new RedisCluster();
    cluster.nodeTimeoutMs = nodeTimeoutMs;
    cluster.dir = dir;
    const lines = ['cluster-enabled yes', `cluster-node-timeout ${nodeTimeoutMs}`,
      'cluster-config-file nodes.conf', 'appendonly yes', 'appendfsync everysec',
      'repl-diskless-sync-delay 0', 'cluster-allow-replica-migration no', ...options];
    cluster.nodes = [];
    for (let i = 0; i < 6; i += 1) {
      // The cluster bus listens 10,000 above the port.
      let port = await freePort();
      while (port > 55_000) port = await freePort();
      cluster.nodes.push(await RedisServer.start(dir, lines, port));
    }
    await run('redis-cli', ['--cluster', 'create', ...cluster.addresses,
      '--cluster-replicas', '1', '--cluster-yes']);
    await cluster.settled();
    return cluster;
  }

  get addresses() { return this.nodes.map(({ port }) => `127.0.0.1:${port}`); }
  get alive() { return this.nodes.filter(({ program }) => !program.ended); }

  // What one live node says of all: [{id, port, master, link, slots}].
  async topology() {
    const text = await this.alive[0].cli('cluster', 'nodes');
    return text.split('\n').map((line) => {
      const [id, address, flags, master, , , , link, ...slots] = line.split(' ');
      return {
        id, port: Number(address.split('@')[0].split(':').pop()), flags: flags.split(','), master,
        link, slots: slots.join(' '),
      };
    });
  }

  // All slots served, every node known by all, and every replica in step.
  async settled(limitMs = 30_000) {
    await eventually('the cluster has settled', async () => {
      for (const node of this.alive) {
        const info = await node.cli('cluster', 'info').catch(() => '');
        if (!info.includes('cluster_state:ok')) return false;
        if (!/cluster_slots_ok:16384/.test(info)) return false;
        const replication = await node.cli('info', 'replication');
        if (replication.includes('role:slave')
          && !replication.includes('master_link_status:up')) return false;
      }
      const shown = await this.topology();
      const masters = shown.filter(({ flags }) => flags.includes('master')
        && !flags.includes('fail'));
      return masters.length >= 3;
    }, limitMs, 100);
  }

  node(port) { return this.nodes.find((node) => node.port === port); }

  async masters() {
    const shown = await this.topology();
    return shown.filter(({ flags, slots }) => flags.includes('master')
      && !flags.some((flag) => flag.startsWith('fail')) && slots !== '')
      .map(({ port }) => this.node(port));
  }

  // The live replica of that master.
  async replicaOf(node) {
    const shown = await this.topology();
    const { id } = shown.find(({ port }) => port === node.port);
    const replica = shown.find(({ flags, master }) => flags.includes('slave') && master === id);
    return replica && this.node(replica.port);
  }

  // Moves `count` slots from one master to another, as an operator does.
  async moveSlots(from, to, count) {
    const shown = await this.topology();
    const id = (node) => shown.find(({ port }) => port === node.port).id;
    await run('redis-cli', ['--cluster', 'reshard', `127.0.0.1:${from.port}`, '--cluster-from',
      id(from), '--cluster-to', id(to), '--cluster-slots', String(count), '--cluster-yes',
      '--cluster-pipeline', '5'], { maxBuffer: 64 << 20 });
  }

  async stop() { await Promise.all(this.nodes.map((node) => node.stop())); }
}

const binaries = '/usr/lib/postgresql/15/bin';

// One PostgreSQL 15. It refuses to run as root, so root runs it as nobody.
export class Postgres {
  static async start(dir) {
    const server = new Postgres();
    server.port = await freePort();
    server.dir = path.join(dir, 'postgres');
    await mkdir(server.dir, { recursive: true });
    server.asRoot = process.getuid() === 0;
    if (server.asRoot) {
      const [uid, gid] = [65534, 65534];
      await chown(server.dir, uid, gid);
      // Its way in, for a temporary folder that only its owner can enter.
      for (let up = path.dirname(server.dir); up !== '/' && up !== '/tmp'; up = path.dirname(up)) {
        await chmod(up, 0o755).catch(() => {});
      }
    }
    await server.execute(`${binaries}/initdb`, ['-D', `${server.dir}/data`, '-U', 'otpd', '-A',
      'trust', '-N', '--no-instructions']);
    await server.restart();
    await server.sql('CREATE DATABASE otpd', 'postgres');
    return server;
  }

  // The command as the user that may run it.
  command(file, args) {
    return this.asRoot
      ? ['setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', file, ...args]]
      : [file, args];
  }

  execute(file, args) { return run(...this.command(file, args), { cwd: this.dir }); }

  async restart() {
    const [file, args] = this.command(`${binaries}/postgres`, ['-D', `${this.dir}/data`, '-p',
      String(this.port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=',
      '-c', 'fsync=off', '-c', 'max_connections=100']);
    this.program = new Program('postgres', file, args, { cwd: this.dir });
    await eventually('postgres answers', async () => {
      if (this.program.ended) throw new Error(`postgres ended at once:\n${this.program.tail()}`);
      return this.sql('SELECT 1', 'postgres').catch(() => false);
    }, 30_000, 50);
  }

  get url() { return `postgresql://otpd@127.0.0.1:${this.port}/otpd`; }

  // The rows as text, columns separated by "|".
  async sql(statement, database = 'otpd') {
    const { stdout } = await run('psql', ['-h', '127.0.0.1', '-p', String(this.port), '-U', 'otpd',
      '-d', database, '-v', 'ON_ERROR_STOP=1', '-Atqc', statement], { maxBuffer: 256 << 20 });
    return stdout.trim();
  }

  // As an operator stops it: at once, with every connection.
  async stopServer() {
    this.program.child.kill('SIGINT');
    await this.program.exit;
  }

  async stop() {
    if (!this.program || this.program.ended) return;
    await Promise.race([this.stopServer(), sleep(5000)]);
    if (!this.program.ended) await this.program.kill();
  }
}

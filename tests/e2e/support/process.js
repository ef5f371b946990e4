// Child processes that cannot outlive a test, and free ports for them.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';

const running = new Set();
process.on('exit', () => { for (const child of running) child.kill('SIGKILL'); });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

export const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

// The first value of `probe()` that is neither undefined, null nor false; throws after `limitMs`.
export async function eventually(what, probe, limitMs = 20_000, everyMs = 20) {
  const end = performance.now() + limitMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== null && value !== false) return value;
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`);
    await sleep(everyMs);
  }
}

// A port of the loopback interface that nobody listens on at this moment.
export async function freePort() {
  const server = createServer();
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address();
  await new Promise((resolve) => { server.close(resolve); });
  return port;
}

// A running program. `exit` settles to {code, signal} when it is gone; `output` is all that it
// has said so far on both streams.
export class Program {
  constructor(name, file, args, { cwd, env }) {
    this.name = name;
    this.chunks = [];
    this.child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(this.child);
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on('data', (bytes) => this.chunks.push(bytes));
    }
    this.ended = false;
    this.exit = new Promise((resolve) => {
      this.child.once('error', (error) => this.finish(resolve, { error }));
      this.child.once('close', (code, signal) => this.finish(resolve, { code, signal }));
    });
  }

  finish(resolve, how) {
    running.delete(this.child);
    this.ended = true;
    resolve(how);
  }

  get pid() { return this.child.pid; }
  get output() { return Buffer.concat(this.chunks).toString(); }

  // kill -9, and the end of it.
  async kill() {
    this.child.kill('SIGKILL');
    await this.exit;
  }

  // SIGTERM; throws unless it then ends by itself with status 0.
  async stop(limitMs = 20_000) {
    this.child.kill('SIGTERM');
    let timer;
    const late = new Promise((resolve) => { timer = setTimeout(resolve, limitMs, 'late'); });
    const how = await Promise.race([this.exit, late]);
    clearTimeout(timer);
    if (how === 'late') {
      await this.kill();
      throw new Error(`${this.name} did not end within ${limitMs} ms of SIGTERM\n${this.tail()}`);
    }
    if (how.code !== 0) {
      throw new Error(`${this.name} ended with ${JSON.stringify(how)}\n${this.tail()}`);
    }
  }

  // The last lines of its output; of a sanitizer's report the first, which say what and where.
  tail() {
    const lines = this.output.split('\n');
    const report = lines.findIndex((line) => /ERROR: \w+Sanitizer|runtime error:/.test(line));
    return (report < 0 ? lines.slice(-30) : lines.slice(report, report + 80)).join('\n');
  }
}

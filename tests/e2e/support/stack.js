// The real thing: otpd and sms-sim from the build folder, on free ports, with their data in a
// temporary folder.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { call } from './http.js';
import { eventually, freePort, Program } from './process.js';
import { plenty } from './plenty.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

// Where the programs are; OTPD_BUILD_DIR says otherwise.
export const buildDir = path.resolve(process.env.OTPD_BUILD_DIR ?? path.join(root, 'build/release'));

// The sanitizer build beside it, if there is one.
export const sanitizerDir = [path.join(root, 'build/asan')]
  .find((folder) => existsSync(path.join(folder, 'otpd')));

// What the tests want different from the defaults: a cheap hash, cheap captchas and hardly one for
// who sends to many, time that stands still, and many client addresses.
const usual = {
  OTPD_CRYPTO_HASH: 'hmac',
  OTPD_FRICTION_CAPTCHA_WORK: '10',
  OTPD_FRICTION_IP_SENDS: '100',
  ...plenty,
  OTPD_TESTING_VIRTUAL_CLOCK: 'true',
  OTPD_SERVER_TRUSTED_PROXIES: '127.0.0.1',
};

const inherited = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('OTPD_')));

export class Stack {
  // Starts both and waits until they can serve. `env` adds to or (with undefined) takes from the
  // usual settings; a function there gets the stack; `simArgs` are for sms-sim; `sim: false` leaves
  // the carriers unreachable.
  static async start({ env = {}, sim = true, simArgs = [], from = buildDir } = {}) {
    const stack = new Stack(from, env);
    stack.simArgs = simArgs;
    stack.dir = await mkdtemp(path.join(tmpdir(), 'otpd-e2e-'));
    stack.dataDir = path.join(stack.dir, 'data');
    [stack.port, stack.simPort, stack.smtpPort] =
      [await freePort(), await freePort(), await freePort()];
    try {
      if (sim) await stack.startSim();
      await stack.startOtpd();
    } catch (error) {
      await stack.abandon();
      throw error;
    }
    return stack;
  }

  constructor(from, env) {
    Object.assign(this, { from, extra: env, sim: null, otpd: null, pastOutput: '' });
  }

  get url() { return `http://127.0.0.1:${this.port}`; }
  get simUrl() { return `http://127.0.0.1:${this.simPort}`; }

  environment() {
    const settings = {
      ...usual,
      OTPD_SERVER_LISTEN: `127.0.0.1:${this.port}`,
      OTPD_DATA_DIR: this.dataDir,
      OTPD_PROVIDERS_TWILIO_BASE_URL: this.simUrl,
      OTPD_PROVIDERS_MAIL_URL: `smtp://127.0.0.1:${this.smtpPort}`,
      ...this.extra,
    };
    const given = Object.entries(settings)
      .map(([name, value]) => [name, typeof value === 'function' ? value(this) : value])
      .filter(([, value]) => value !== undefined);
    return { ...inherited, ...Object.fromEntries(given) };
  }

  async startSim() {
    this.sim = new Program('sms-sim', path.join(this.from, 'sms-sim'),
      [`--listen=127.0.0.1:${this.simPort}`, `--smtp=127.0.0.1:${this.smtpPort}`, '--no-smpp',
        ...this.simArgs], { cwd: this.dir, env: inherited });
    await this.answers(this.sim, `${this.simUrl}/inbox.json`);
  }

  async startOtpd() {
    this.otpd = new Program('otpd', path.join(this.from, 'otpd'), [],
      { cwd: this.dir, env: this.environment() });
    await this.answers(this.otpd, `${this.url}/readyz`);
    this.adminToken = (await readFile(path.join(this.dataDir, 'admin.token'), 'utf8')).trim();
  }

  async answers(program, url) {
    await eventually(`${program.name} answers`, async () => {
      if (program.ended) throw new Error(`${program.name} ended at once:\n${program.tail()}`);
      const answer = await call(url, 'GET', url).catch(() => undefined);
      return answer?.status === 200;
    });
  }

  // kill -9 and a new start on the same data.
  async crash() {
    await this.otpd.kill();
    this.pastOutput += this.otpd.output;
  }

  // Everything that otpd has logged.
  get log() { return this.pastOutput + this.otpd.output; }

  call(method, target, options) { return call(this.url, method, target, options); }

  admin(method, target, options = {}) {
    const headers = { Authorization: `Bearer ${this.adminToken}`, ...options.headers };
    return this.call(method, target, { ...options, headers });
  }

  async advance(seconds) {
    const answer = await this.admin('POST', '/admin/test-clock/advance', { json: { seconds } });
    if (answer.status !== 200) throw new Error(`the clock did not move: ${answer.body}`);
  }

  // The simulated inbox of one recipient, newest first.
  async inbox(to) {
    const answer = await call(this.simUrl, 'GET', `/inbox.json?to=${encodeURIComponent(to)}`);
    if (answer.status !== 200) throw new Error(`inbox: ${answer.status} ${answer.body}`);
    return answer.json;
  }

  // The newest message to `to`, once there are at least `count`.
  message(to, count = 1) {
    return eventually(`message ${count} to ${to}`, async () => {
      const messages = await this.inbox(to);
      return messages.length >= count ? messages[0] : null;
    });
  }

  // The code in that message.
  async code(to, count = 1) { return codeIn((await this.message(to, count)).text); }

  // Stops both. Throws if one does not end well or is still there.
  async stop() {
    const problems = [];
    for (const program of [this.otpd, this.sim]) {
      if (!program || program.ended) continue;
      await program.stop().catch((error) => problems.push(error.message));
      if (isAlive(program.pid)) problems.push(`${program.name} is still there`);
    }
    await this.abandon();
    if (problems.length) throw new Error(problems.join('\n'));
  }

  async abandon() {
    for (const program of [this.otpd, this.sim]) {
      if (program && !program.ended) await program.kill();
    }
    await rm(this.dir, { recursive: true, force: true });
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

// The code in a message: after "#" on its last line (WebOTP), or the one long run of digits.
export function codeIn(text) {
  const code = /#(\d{4,10})\s*$/.exec(text)?.[1] ?? /(?<!\d)\d{4,10}(?!\d)/.exec(text)?.[0];
  if (!code) throw new Error(`no code in: ${text}`);
  return code;
}

// A guess that is not `code`.
export const wrong = (code, by = 1) =>
  String((Number(code) + by) % 10 ** code.length).padStart(code.length, '0');

// Phone numbers that libphonenumber takes for real ones, all different.
let lastNumber = Math.floor(Math.random() * 50_000);
export const newPhone = () => {
  lastNumber += 1;
  const areas = ['415', '212', '213', '312', '404', '512', '617', '702'];
  // Each in another block of 10,000 than the one before, as people are.
  const nth = Math.floor(lastNumber / areas.length);
  return `+1${areas[lastNumber % areas.length]}${200 + (nth % 700)}${1000 + Math.floor(nth / 700)}`;
};

// Client addresses, all different.
let lastIp = 0;
export const newIp = () => {
  lastIp += 1;
  return `100.${64 + ((lastIp >> 16) & 63)}.${(lastIp >> 8) & 255}.${lastIp & 255}`;
};

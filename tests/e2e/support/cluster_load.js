// Load on a cluster that keeps a record of every answer, so that afterwards each can be held
// against what was delivered and what the audit log says.
import { call } from './http.js';
import { sleep } from './process.js';
import { codeIn, newIp, newPhone } from './stack.js';

export class ClusterLoad {
  constructor(stack, { perSecond = 40, verify = true } = {}) {
    Object.assign(this, { stack, perSecond, verify });
    this.sends = [];      // {phone, at, took, status, id, error}
    this.verifies = [];   // {phone, at, took, status, error}
    this.pending = new Set();
    this.running = true;
    this.ended = this.run();
  }

  async run() {
    const begun = performance.now();
    for (let n = 0; this.running; n += 1) {
      const due = begun + (n * 1000) / this.perSecond;
      const wait = due - performance.now();
      if (wait > 0) await sleep(wait);
      this.track(this.person());
    }
    await Promise.all(this.pending);
  }

  track(promise) {
    this.pending.add(promise);
    promise.finally(() => this.pending.delete(promise));
  }

  async request(target, json) {
    const at = performance.now();
    const answer = await call(this.stack.api.url, 'POST', target, { json, ip: newIp() })
      .catch((error) => ({ status: 0, json: { error: error.message } }));
    return { at, took: performance.now() - at, status: answer.status, json: answer.json,
      error: answer.json?.error };
  }

  // Sends, reads the code as it arrives, and verifies it.
  async person() {
    const phone = newPhone();
    const sent = { phone, ...await this.request('/otp/send', { phone }) };
    sent.id = sent.json?.verification_id;
    this.sends.push(sent);
    if (sent.status !== 202 || !this.verify) return;
    const code = await this.codeOf(phone);
    if (!code) return;
    sent.code = code;
    const verified = { phone, ...await this.request('/otp/verify', { phone, code }) };
    this.verifies.push(verified);
    sent.verified = verified.status === 200;
  }

  async codeOf(phone, limitMs = 15_000) {
    const end = performance.now() + limitMs;
    while (performance.now() < end) {
      const messages = await this.stack.inbox(phone).catch(() => []);
      if (messages.length > 0) return codeIn(messages[0].text);
      await sleep(50);
    }
    return undefined;
  }

  async stop() {
    this.running = false;
    await this.ended;
  }

  get accepted() { return this.sends.filter(({ status }) => status === 202); }
  get failures() {
    return [...this.sends, ...this.verifies].filter(({ status }) => status === 0 || status >= 500);
  }

  // When the last request after `from` failed, in milliseconds after it; 0: none did.
  lastFailureAfter(from) {
    return this.failures.reduce((last, { at }) => Math.max(last, at - from), 0);
  }
}

// The vendors of captchas as a real HTTP server: siteverify of Turnstile, hCaptcha and reCAPTCHA,
// with the answers and error codes that they document, and with faults.
import { createServer } from 'node:http';

export const secret = 'vendor-secret';
const lateCode = {
  turnstile: 'timeout-or-duplicate', hcaptcha: 'already-seen-response', recaptcha: 'timeout-or-duplicate',
};
const kinds = {
  '/turnstile/v0/siteverify': 'turnstile',
  '/siteverify': 'hcaptcha',
  '/recaptcha/api/siteverify': 'recaptcha',
};

export class CaptchaVendor {
  static async start() {
    const vendor = new CaptchaVendor();
    vendor.tokens = new Map();
    vendor.asked = [];
    vendor.fault = null; // 'silent', 'html', 'cut', or a status
    vendor.server = createServer((request, response) => vendor.answer(request, response));
    await new Promise((listening) => vendor.server.listen(0, '127.0.0.1', listening));
    vendor.url = `http://127.0.0.1:${vendor.server.address().port}`;
    return vendor;
  }

  pathOf(kind) { return Object.keys(kinds).find((path) => kinds[path] === kind); }

  // A token that a widget would hand out now, and what is said of it.
  issue({ hostname = 'otp.example', action, score, at = new Date() } = {}) {
    const token = `0.${this.tokens.size}.${'t'.repeat(300)}`;
    this.tokens.set(token, { used: false, says: {
      success: true, 'error-codes': [], challenge_ts: at.toISOString(), hostname, action, score,
    } });
    return token;
  }

  refuse(response, ...codes) { this.say(response, { success: false, 'error-codes': codes }); }

  say(response, json) {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(json));
  }

  async answer(request, response) {
    let body = '';
    for await (const chunk of request) body += chunk;
    const form = Object.fromEntries(new URLSearchParams(body));
    this.asked.push({ path: request.url, form });
    if (this.fault === 'silent') return;
    if (this.fault === 'cut') { request.socket.destroy(); return; }
    if (this.fault === 'html') { response.end('<html>maintenance</html>'); return; }
    if (this.fault) { response.writeHead(this.fault).end('{"success":true}'); return; }
    const kind = kinds[request.url];
    if (!kind || request.method !== 'POST') { response.writeHead(404).end(); return; }
    if (form.secret !== secret) { this.refuse(response, 'invalid-input-secret'); return; }
    const known = this.tokens.get(form.response);
    if (!known) { this.refuse(response, 'invalid-input-response'); return; }
    if (known.used) { this.refuse(response, lateCode[kind]); return; }
    known.used = true;
    this.say(response, known.says);
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((closed) => this.server.close(closed));
  }
}

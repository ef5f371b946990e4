// sms-sim alone, and somebody who takes its receipts.
import { createHmac } from 'node:crypto';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { call } from './http.js';
import { eventually, freePort, Program } from './process.js';
import { buildDir } from './stack.js';

export const account = 'AC00000000000000000000000000000000';
export const token = 'simulated-token';
const basic = `Basic ${Buffer.from(`${account}:${token}`).toString('base64')}`;

const signed = 'AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/sns/aws4_request, '
  + `SignedHeaders=content-type;host;x-amz-date, Signature=${'0a'.repeat(32)}`;

export class Sim {
  static async start(args = []) {
    const sim = new Sim();
    [sim.port, sim.smtpPort, sim.smppPort] = [await freePort(), await freePort(), await freePort()];
    sim.program = new Program('sms-sim', path.join(buildDir, 'sms-sim'),
      [`--listen=127.0.0.1:${sim.port}`, `--smtp=127.0.0.1:${sim.smtpPort}`,
        `--smpp=127.0.0.1:${sim.smppPort}`, ...args], { cwd: tmpdir(), env: process.env });
    await eventually('sms-sim answers', async () => {
      if (sim.program.ended) throw new Error(sim.program.tail());
      return (await sim.call('GET', '/stats.json').catch(() => null))?.status === 200;
    });
    return sim;
  }

  get url() { return `http://127.0.0.1:${this.port}`; }
  call(method, target, options) { return call(this.url, method, target, options); }

  async inbox() { return (await this.call('GET', '/inbox.json')).json; }
  async stats(face) { return (await this.call('GET', '/stats.json')).json.faces[face]; }
  async faults(face, plan) {
    const answer = await this.call('PUT', `/faults/${face}`, { json: plan });
    if (answer.status !== 200) throw new Error(`faults: ${answer.status} ${answer.body}`);
    return answer.json;
  }
  async calm() {
    await this.call('DELETE', '/faults');
    await this.call('DELETE', '/inbox.json');
  }
  stop() { return this.program.stop(); }

  twilio(to, { text = 'hello', callback } = {}) {
    return this.call('POST', `/2010-04-01/Accounts/${account}/Messages.json`, {
      form: { To: to, From: '+14155550100', Body: text, ...(callback && { StatusCallback: callback }) },
      headers: { Authorization: basic },
    });
  }
  voice(to, { text = 'hello', callback } = {}) {
    return this.call('POST', `/2010-04-01/Accounts/${account}/Calls.json`, {
      form: {
        To: to,
        From: '+14155550100',
        Twiml: `<Response><Say>${text}</Say></Response>`,
        ...(callback && { StatusCallback: callback }),
      },
      headers: { Authorization: basic },
    });
  }
  vonage(to, { text = 'hello', callback } = {}) {
    return this.call('POST', '/sms/json', {
      json: {
        api_key: 'simulated', api_secret: token, to: to.slice(1), from: 'ACME', text, callback,
      },
    });
  }
  sns(to, { text = 'hello' } = {}) {
    return this.call('POST', '/sns/', {
      form: { Action: 'Publish', Version: '2010-03-31', PhoneNumber: to, Message: text },
      headers: { Authorization: signed, 'X-Amz-Date': '20260101T000000Z' },
    });
  }
  whatsapp(to, { text = 'hello' } = {}) {
    return this.call('POST', '/v20.0/1066/messages', {
      json: {
        messaging_product: 'whatsapp',
        to: to.slice(1),
        type: 'template',
        template: {
          name: 'login',
          language: { code: 'en' },
          components: [{ type: 'body', parameters: [{ type: 'text', text }] }],
        },
      },
      headers: { Authorization: `Bearer ${token}` },
    });
  }
  generic(to, { text = 'hello', callback } = {}) {
    return this.call('POST', '/generic/messages', {
      json: { to, from: 'ACME', text, callback_url: callback },
    });
  }
}

// What the answer of that face says: accepted or not.
export const accepted = {
  twilio: (answer) => answer.status === 201,
  voice: (answer) => answer.status === 201,
  vonage: (answer) => answer.json?.messages?.[0].status === '0',
  sns: (answer) => answer.status === 200 && answer.body.includes('<MessageId>'),
  whatsapp: (answer) => answer.json?.messages?.[0].message_status === 'accepted',
  generic: (answer) => answer.status === 202,
};

// A server that keeps what is posted to it.
export class Taker {
  static async start(status = 204) {
    const taker = new Taker();
    taker.posts = [];
    taker.status = status;
    taker.server = http.createServer(async (request, response) => {
      const chunks = [];
      for await (const bytes of request) chunks.push(bytes);
      const body = Buffer.concat(chunks).toString();
      taker.posts.push({ url: request.url, headers: request.headers, body, at: performance.now() });
      response.writeHead(taker.status).end();
    });
    await new Promise((resolve) => { taker.server.listen(0, '127.0.0.1', resolve); });
    return taker;
  }

  url(name) { return `http://127.0.0.1:${this.server.address().port}/${name}?a=1&b=2`; }
  of(name) { return this.posts.filter((post) => post.url.startsWith(`/${name}?`)); }
  some(name, count) {
    return eventually(`${count} receipts for ${name}`, () =>
      (this.of(name).length >= count ? this.of(name) : null));
  }
  stop() {
    this.server.closeAllConnections();
    return new Promise((resolve) => { this.server.close(resolve); });
  }
}

// The signatures, made again from the carriers' documentation.
export const twilioSignature = (key, url, form) => createHmac('sha1', key)
  .update(url + Object.keys(form).sort().map((name) => name + form[name]).join('')).digest('base64');
export const vonageSignature = (key, { sig: _, ...rest }) => createHmac('sha256', key)
  .update(Object.keys(rest).sort().map((name) => `&${name}=${String(rest[name]).replace(/[&=]/g, '_')}`)
    .join('')).digest('hex');
export const bodySignature = (key, body) =>
  `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;

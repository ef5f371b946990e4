// HTTP as the tests need it: every byte of an answer, any header, any body, raw sockets.
import http from 'node:http';
import net from 'node:net';

const agent = new http.Agent({ keepAlive: true, maxSockets: 512 });

function read(response) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    response.on('data', (bytes) => chunks.push(bytes));
    response.on('error', reject);
    response.on('end', () => resolve(Buffer.concat(chunks).toString()));
  });
}

const parsed = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

// One request; settles to {status, headers (lower-case names), body (text), json}. Give `json`, or
// `form` (an object), or `body` (text or bytes, with your own Content-Type). Rejects when there is
// no answer.
export function call(base, method, target, { json, form, body, headers = {}, ip } = {}) {
  const all = { ...headers };
  let payload = body;
  if (json !== undefined) {
    payload = JSON.stringify(json);
    all['Content-Type'] ??= 'application/json';
  } else if (form !== undefined) {
    payload = new URLSearchParams(form).toString();
    all['Content-Type'] ??= 'application/x-www-form-urlencoded';
  }
  if (ip) all['X-Forwarded-For'] = ip;
  if (payload !== undefined) all['Content-Length'] = Buffer.byteLength(payload);
  return new Promise((resolve, reject) => {
    const request = http.request(new URL(target, base), { method, headers: all, agent });
    request.on('error', reject);
    request.setTimeout(30_000, () => request.destroy(new Error('no answer within 30 s')));
    request.on('response', async (response) => {
      try {
        const text = await read(response);
        resolve({
          status: response.statusCode, headers: response.headers, body: text, json: parsed(text),
        });
      } catch (error) {
        reject(error);
      }
    });
    request.end(payload);
  });
}

// What comes back on a socket after these bytes, until the peer closes or `limitMs` passes without
// a byte. Chunks are written one after another.
export function exchange(port, chunks, { limitMs = 3000, end = false } = {}) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    const received = [];
    const done = () => {
      socket.destroy();
      resolve(Buffer.concat(received).toString('latin1'));
    };
    socket.setTimeout(limitMs, done);
    socket.on('data', (bytes) => received.push(bytes));
    socket.on('close', done);
    socket.on('error', (error) => {
      if (['ECONNRESET', 'EPIPE'].includes(error.code)) done();
      else reject(error);
    });
    socket.on('connect', () => {
      for (const chunk of [chunks].flat()) socket.write(chunk);
      if (end) socket.end();
    });
  });
}

// The answers in the text of a socket, each {status, headers, body, json}. Understands
// Content-Length only, which is all that otpd sends.
export function answersIn(text) {
  const answers = [];
  let rest = text;
  for (;;) {
    const match = /^HTTP\/1\.[01] (\d{3})[^\r\n]*\r\n([^]*?)\r\n\r\n/.exec(rest);
    if (!match) return answers;
    const headers = Object.fromEntries(match[2].split('\r\n').map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }));
    const length = Number(headers['content-length'] ?? 0);
    const body = Buffer.from(rest.slice(match[0].length, match[0].length + length), 'latin1')
      .toString();
    answers.push({ status: Number(match[1]), headers, body, json: parsed(body) });
    rest = rest.slice(match[0].length + length);
  }
}

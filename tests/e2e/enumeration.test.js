// Nobody learns from /otp/verify who is known here: the answers about a number that never had a
// code, one whose code has run out, one whose code was used and one whose code was taken back are
// the same, byte by byte, and take the same time.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import http from 'node:http';
import { newPhone, Stack, wrong } from './support/stack.js';

const rounds = 1200;
const people = 40;  // of each kind but the unknown, who are never asked about twice
const leeway = 0.1;  // of a probability; with as many rounds, chance alone stays under 0.04

// Argon2id, as in production: a hash that is computed for some and not for others is heard.
const stack = await Stack.start({ env: {
  OTPD_CRYPTO_HASH: 'argon2id', OTPD_LIMITS_IP_SENDS: '10000', OTPD_FRICTION_IP_SENDS: '10000',
} });
after(() => stack.stop());
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
after(() => agent.destroy());

const changing = ['X-Request-Id', 'Date'];

// One request on the one connection: what came, and how long it took.
function verify(phone, code) {
  const body = JSON.stringify({ phone, code });
  return new Promise((resolve, reject) => {
    const begun = process.hrtime.bigint();
    const request = http.request(`${stack.url}/otp/verify`, {
      agent, method: 'POST', headers: { 'Content-Type': 'application/json' },
    }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part) => { text += part; });
      response.on('end', () => resolve({
        status: response.statusCode,
        headers: response.rawHeaders.filter((_, i, all) => !changing.includes(all[i - (i % 2)])),
        text,
        ns: Number(process.hrtime.bigint() - begun),
      }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function sendTo(phone) {
  const sent = await stack.call('POST', '/otp/send', { json: { phone } });
  assert.equal(sent.status, 202, sent.body);
  return sent.json.verification_id;
}

// People of every kind, each with the code to ask with: by the end nobody has a live one.
async function gather() {
  const kinds = { expired: [], consumed: [], canceled: [] };
  for (const kind of Object.keys(kinds)) {
    for (let i = 0; i < people; i += 1) {
      const phone = newPhone();
      const id = await sendTo(phone);
      const code = await stack.code(phone);
      if (kind === 'consumed') assert.equal((await verify(phone, code)).status, 200);
      if (kind === 'canceled') await stack.call('DELETE', `/otp/${id}`);
      kinds[kind].push({ phone, code });
    }
  }
  await stack.advance(400);
  kinds.live = Array.from({ length: people }, newPhone);
  for (const phone of kinds.live) await sendTo(phone);
  return kinds;
}

// How probable it is that one of `a` took longer than one of `b` (the U statistic of Mann and
// Whitney, as a share): 0.5 says that they cannot be told apart.
function probabilityOfLonger(a, b) {
  const all = [...a.map((ns) => [ns, 1]), ...b.map((ns) => [ns, 0])].sort((x, y) => x[0] - y[0]);
  const ranks = all.reduce((sum, [, first], i) => sum + first * (i + 1), 0);
  return (ranks - a.length * (a.length + 1) / 2) / (a.length * b.length);
}

test('unknown, expired, consumed and canceled cannot be told apart', async (t) => {
  const kinds = await gather();
  const times = { unknown: [], expired: [], consumed: [], canceled: [] };
  const seen = new Set();
  for (let round = 0; round < rounds; round += 1) {
    const order = Object.keys(times).map((kind) => [Math.random(), kind]).sort();
    for (const [, kind] of order) {
      const { phone, code } = kinds[kind]?.[round % people] ?? { phone: newPhone(), code: '481623' };
      const { ns, ...answer } = await verify(phone, round % 2 ? code : wrong(code));
      assert.equal(answer.status, 410);
      seen.add(JSON.stringify(answer));
      times[kind].push(ns);
    }
  }
  assert.equal(seen.size, 1, [...seen].join('\n'));
  for (const kind of ['expired', 'consumed', 'canceled']) {
    const probability = probabilityOfLonger(times[kind], times.unknown);
    t.diagnostic(`${kind} takes longer than unknown with a probability of ${probability.toFixed(3)}`);
    assert.ok(Math.abs(probability - 0.5) < leeway, `${kind}: ${probability}`);
  }

  // The ear is good enough: a guess that is hashed is heard.
  const hashed = [];
  for (const phone of kinds.live) {
    const answer = await verify(phone, '000000');
    if (answer.status === 401) hashed.push(answer.ns);
  }
  assert.ok(probabilityOfLonger(hashed, times.unknown) > 0.9);
});

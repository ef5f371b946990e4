// sms-sim: every face, every fault, every receipt, over real sockets.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, beforeEach, test } from 'node:test';
import { eventually, sleep } from './support/process.js';
import {
  accepted, account, bodySignature, Sim, Taker, token, twilioSignature, vonageSignature,
} from './support/sim.js';
import { newPhone } from './support/stack.js';

const taker = await Taker.start();
const sim = await Sim.start([`--whatsapp-callback=${taker.url('whatsapp')}`]);
after(async () => {
  await sim.stop();
  await taker.stop();
});
beforeEach(async () => {
  await sim.calm();
  taker.posts.length = 0;
  taker.status = 204;
});

// By the face's name in /faults; `call` is the method of Sim.
const faces = {
  twilio: 'twilio',
  'twilio-voice': 'voice',
  vonage: 'vonage',
  sns: 'sns',
  whatsapp: 'whatsapp',
  generic: 'generic',
};
const isAccepted = (face, answer) => accepted[faces[face]](answer);
const withReceipts = ['twilio', 'twilio-voice', 'vonage', 'whatsapp', 'generic'];
const send = (face, options) => sim[faces[face]](newPhone(), options);
const callback = (face) => ({ callback: taker.url(face) });

const statesIn = {
  twilio: (post) => new URLSearchParams(post.body).get('MessageStatus'),
  'twilio-voice': (post) => new URLSearchParams(post.body).get('CallStatus'),
  vonage: (post) => JSON.parse(post.body).status,
  whatsapp: (post) => JSON.parse(post.body).entry[0].changes[0].value.statuses[0].status,
  generic: (post) => JSON.parse(post.body).status,
};
const words = {
  twilio: ['sent', 'delivered', 'undelivered'],
  'twilio-voice': ['ringing', 'completed', 'no-answer'],
  vonage: ['buffered', 'delivered', 'failed'],
  whatsapp: ['sent', 'delivered', 'failed'],
  generic: ['sent', 'delivered', 'failed'],
};

for (const face of Object.keys(faces)) {
  test(`${face}: takes a message and shows it`, async () => {
    const answer = await send(face, { text: 'Your code is 481623' });
    assert.ok(isAccepted(face, answer), answer.body);
    const [message] = await sim.inbox();
    assert.equal(message.face, face);
    assert.match(message.text, /481623/);
    assert.match(message.to, /^\+1/);
    assert.equal((await sim.stats(face)).accepted, 1);
  });

  test(`${face}: refuses in its own words at an error rate`, async () => {
    await sim.faults(face, { error_rate: 0.5, seed: 7 });
    const results = [];
    for (let i = 0; i < 60; i += 1) results.push(isAccepted(face, await send(face)));
    const good = results.filter(Boolean).length;
    assert.ok(good > 15 && good < 45, `${good} of 60`);
    const { accepted: taken, rejected } = await sim.stats(face);
    assert.deepEqual([taken, rejected], [good, 60 - good]);
    await sim.faults(face, { error_rate: 0.5, seed: 7 });
    for (const result of results) assert.equal(isAccepted(face, await send(face)), result);
  });

  test(`${face}: throttles with Retry-After`, async () => {
    await sim.faults(face, { throttle_rate: 1, retry_after: 3 });
    const answer = await send(face);
    const status = { vonage: 200, sns: 400 }[face] ?? 429;
    assert.equal(answer.status, status);
    assert.equal(answer.headers['retry-after'], '3');
    assert.ok(!isAccepted(face, answer));
  });

  test(`${face}: is slow when told`, async () => {
    await sim.faults(face, { latency_ms: { min: 120, max: 160 } });
    const begin = performance.now();
    assert.ok(isAccepted(face, await send(face)));
    assert.ok(performance.now() - begin >= 119);
  });

  test(`${face}: hangs until the fault ends`, async () => {
    await sim.faults(face, { hang: true });
    let answered = false;
    const pending = send(face).then((answer) => { answered = true; return answer; });
    await sleep(150);
    assert.equal(answered, false);
    await sim.call('DELETE', `/faults/${face}`);
    assert.ok(isAccepted(face, await pending));
  });

  test(`${face}: resets, and is out`, async () => {
    for (const plan of [{ reset_rate: 1 }, { outage: true }]) {
      await sim.faults(face, plan);
      await assert.rejects(send(face), { code: 'ECONNRESET' });
    }
    await sim.faults(face, { outage: { every_s: 3600, for_s: 0.4, as: 'error' } });
    assert.ok(!isAccepted(face, await send(face)));
    await eventually('the outage ends', async () => isAccepted(face, await send(face)));
    await sim.faults(face, { outage: { until: '2020-01-01T00:00:00Z' } });
    assert.ok(isAccepted(face, await send(face)));
    await sim.faults(face, { outage: { from: '2020-01-01T00:00:00Z' } });
    await assert.rejects(send(face), { code: 'ECONNRESET' });
  });

  test(`${face}: answers garbage and loses`, async () => {
    await sim.faults(face, { garbage_rate: 1 });
    for (let i = 0; i < 8; i += 1) {
      const answer = await send(face);
      assert.equal(answer.status, 200);
      assert.ok(!isAccepted(face, answer));
    }
    assert.deepEqual(await sim.inbox(), []);
    await sim.faults(face, { lose_rate: 1 });
    assert.ok(isAccepted(face, await send(face, callback(face))));
    assert.deepEqual(await sim.inbox(), []);
    assert.equal((await sim.stats(face)).lost, 1);
    await sim.faults(face, { accept_then_drop_connection: true });
    await assert.rejects(send(face));
    assert.ok((await sim.inbox()).length >= 1);
  });
}

for (const face of withReceipts) {
  const [sent, delivered, failed] = words[face];
  const states = async (plan, count) => {
    await sim.faults(face, plan);
    taker.posts.length = 0;
    await send(face, callback(face));
    const posts = await taker.some(face, count);
    return posts.map(statesIn[face]);
  };

  test(`${face}: tells what became of a message`, async () => {
    assert.deepEqual(await states({}, 2), [sent, delivered]);
    assert.deepEqual(await states({ receipts: 'failed' }, 2), [sent, failed]);
    assert.deepEqual(await states({ receipts: 'duplicate' }, 4), [sent, sent, delivered, delivered]);
    assert.deepEqual(await states({ receipts: 'out_of_order' }, 2), [delivered, sent]);
    await eventually('they are counted', async () =>
      (await sim.stats(face)).receipts_delivered === 10);
  });

  test(`${face}: tells late, or never, or to nobody`, async () => {
    await sim.faults(face, { receipt_delay_ms: 300 });
    const begin = performance.now();
    await send(face, callback(face));
    const [first] = await taker.some(face, 1);
    assert.ok(first.at - begin >= 290);
    await taker.some(face, 2);
    taker.posts.length = 0;
    await sim.faults(face, { receipts: 'off' });
    await send(face, callback(face));
    await sim.faults(face, { lose_rate: 1, receipt_delay_ms: 0 });
    await send(face, callback(face));
    taker.status = 500;
    await sim.faults(face, { receipt_delay_ms: 0 });
    await send(face, callback(face));
    await eventually('both failed', async () => (await sim.stats(face)).receipts_failed === 2);
    assert.equal(taker.of(face).length, 2, 'only the last message has receipts');
  });
}

test('Twilio signs its receipts', async () => {
  for (const [face, id] of [['twilio', 'MessageSid'], ['twilio-voice', 'CallSid']]) {
    const answer = await send(face, callback(face));
    const [post] = await taker.some(face, 1);
    const form = Object.fromEntries(new URLSearchParams(post.body));
    assert.equal(form[id], answer.json.sid);
    assert.equal(form.AccountSid, account);
    assert.equal(post.headers['x-twilio-signature'], twilioSignature(token, taker.url(face), form));
  }
});

test('Vonage signs its receipts', async () => {
  const answer = await send('vonage', callback('vonage'));
  const [post] = await taker.some('vonage', 1);
  const dlr = JSON.parse(post.body);
  assert.equal(dlr.messageId, answer.json.messages[0]['message-id']);
  assert.equal(dlr['err-code'], '0');
  assert.equal(dlr.sig, vonageSignature(token, dlr));
  assert.ok(Math.abs(Number(dlr.timestamp) - Date.now() / 1000) < 60);
});

test('WhatsApp and the generic face sign the body of their receipts', async () => {
  const answer = await send('whatsapp');
  const [status] = await taker.some('whatsapp', 1);
  assert.equal(status.headers['x-hub-signature-256'], bodySignature(token, status.body));
  assert.equal(JSON.parse(status.body).entry[0].changes[0].value.statuses[0].id,
    answer.json.messages[0].id);
  const generic = await send('generic', callback('generic'));
  const [post] = await taker.some('generic', 1);
  assert.equal(post.headers['x-signature'], bodySignature(token, post.body));
  assert.equal(JSON.parse(post.body).id, generic.json.id);
});

test('faults are switched per face, and refused by name', async () => {
  await sim.faults('vonage', { error_rate: 1 });
  assert.ok(isAccepted('twilio', await send('twilio')));
  const all = (await sim.call('GET', '/faults.json')).json;
  assert.deepEqual(Object.keys(all),
    ['twilio', 'twilio-voice', 'vonage', 'sns', 'whatsapp', 'generic', 'smpp', 'smtp']);
  assert.equal(all.vonage.error_rate, 1);
  const wrong = await sim.call('PUT', '/faults/vonage', { json: { eror_rate: 1 } });
  assert.equal(wrong.status, 400);
  assert.match(wrong.json.error, /eror_rate/);
  assert.equal((await sim.call('PUT', '/faults/nobody', { json: {} })).status, 404);
  assert.equal((await sim.call('PATCH', '/faults/vonage', { json: {} })).status, 405);
  assert.equal((await sim.call('DELETE', '/faults/vonage')).status, 204);
  assert.ok(isAccepted('vonage', await send('vonage')));
  assert.equal((await sim.call('POST', '/faults', { json: { throttle_rate: 1 } })).status, 200);
  assert.equal((await send('generic')).status, 429);
  assert.equal((await sim.call('GET', '/faults/smpp')).json.throttle_rate, 1);
});

test('an error carries the code that is asked for', async () => {
  await sim.faults('twilio', { error_rate: 1, status: 400, code: 21610 });
  assert.equal((await send('twilio')).json.code, 21610);
  await sim.faults('vonage', { error_rate: 1, code: 9 });
  assert.equal((await send('vonage')).json.messages[0].status, '9');
  await sim.faults('vonage', { error_rate: 1, status: 502 });
  assert.equal((await send('vonage')).status, 502);
  await sim.faults('sns', { error_rate: 1, status: 403, code: 'AuthorizationError' });
  assert.match((await send('sns')).body, /<Code>AuthorizationError</);
  await sim.faults('whatsapp', { error_rate: 1, status: 404, code: 132001 });
  assert.equal((await send('whatsapp')).json.error.code, 132001);
});

test('a recipient is refused for good, and others are not', async () => {
  const phone = newPhone();
  await sim.call('POST', '/faults', { json: { reject_to: [phone] } });
  for (const [face, call] of Object.entries(faces)) {
    assert.ok(!isAccepted(face, await sim[call](phone)), face);
    assert.ok(isAccepted(face, await send(face)), face);
  }
});

test('the mail server is out as well', async () => {
  await sim.faults('smtp', { outage: true });
  const socket = net.connect(sim.smtpPort, '127.0.0.1');
  const failed = await new Promise((resolve) => {
    socket.on('error', resolve).on('data', () => resolve('it speaks')).on('close', () => resolve('end'));
  });
  socket.destroy();
  assert.equal(failed.code, 'ECONNRESET');
});

test('nothing ends it: malformed requests of every face', async () => {
  for (const target of ['/sms/json', '/sns/', '/v20.0/1/messages', '/generic/messages',
    `/2010-04-01/Accounts/${account}/Calls.json`, '/faults/twilio']) {
    for (const body of ['', '[]', '{', 'null', '{"to":{}}', '{"to":[1],"text":7}', '%', '\0',
      '{"messaging_product":"whatsapp","to":"14155552671","type":"template","template":[]}']) {
      const answer = await sim.call('POST', target,
        { body, headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` } });
      assert.ok(answer.status < 500, `${target} ${body}: ${answer.status}`);
    }
  }
});

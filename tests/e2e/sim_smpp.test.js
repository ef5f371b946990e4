// sms-sim's SMPP face against an ESME that nobody here wrote.
import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import smpp from 'smpp';
import { eventually, sleep } from './support/process.js';
import { Sim } from './support/sim.js';
import { newPhone } from './support/stack.js';

const sim = await Sim.start();
const open = [];
after(async () => {
  for (const session of open) session.destroy();
  await sim.stop();
});
beforeEach(async () => {
  for (const session of open.splice(0)) session.destroy();
  await sim.calm();
});

// A session, with the receipts that it gets and the error that ends it.
async function connect() {
  const session = smpp.connect({ url: `smpp://127.0.0.1:${sim.smppPort}` });
  Object.assign(session, { receipts: [], ended: null });
  open.push(session);
  session.on('error', (error) => { session.ended ??= error; });
  session.on('close', () => { session.ended ??= 'closed'; });
  session.on('deliver_sm', (pdu) => {
    session.receipts.push(pdu);
    session.send(pdu.response());
  });
  await eventually('connected', () => session.ended || session.socket.readyState === 'open');
  return session;
}
const request = (session, name, fields = {}) =>
  new Promise((resolve) => { session[name](fields, resolve); });
const bind = (session, how = 'bind_transceiver', fields = {}) =>
  request(session, how, { system_id: 'simulated', password: 'password', ...fields });
async function bound() {
  const session = await connect();
  assert.equal((await bind(session)).command_status, 0);
  return session;
}
const message = (to, text, more = {}) => ({
  source_addr: 'ACME', source_addr_ton: 5, source_addr_npi: 0,
  destination_addr: to.slice(1), dest_addr_ton: 1, dest_addr_npi: 1,
  data_coding: 0, short_message: text, ...more,
});
const submit = (session, ...args) => request(session, 'submit_sm', message(...args));

test('binds with the right name and password only', async () => {
  assert.equal((await bind(await connect(), 'bind_transceiver', { password: 'wrong' })).command_status, 0x0e);
  assert.equal((await bind(await connect(), 'bind_transmitter', { system_id: 'x' })).command_status, 0x0f);
  const session = await connect();
  assert.equal((await submit(session, newPhone(), 'too early')).command_status, 0x04);
  const answer = await bind(session);
  assert.equal(answer.command_status, 0);
  assert.equal(answer.system_id, 'sms-sim');
  assert.equal((await bind(session)).command_status, 0x05);
  assert.equal((await request(session, 'enquire_link')).command_status, 0);
  assert.equal((await request(session, 'unbind')).command_status, 0);
  assert.equal((await submit(session, newPhone(), 'too late')).command_status, 0x04);
});

test('reads every character of GSM 03.38, and UCS-2', async () => {
  const session = await bound();
  const gsm = '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡'
    + 'ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€';
  const phone = newPhone();
  const encoded = smpp.encodings.ASCII.encode(gsm);
  assert.equal((await submit(session, phone, encoded)).command_status, 0);
  assert.equal((await sim.inbox())[0].text, gsm);
  assert.equal((await sim.inbox())[0].to, phone);
  assert.equal((await sim.inbox())[0].from, 'ACME');
  assert.equal((await sim.inbox())[0].face, 'smpp');
  const text = 'Ваш код 481623 😀';
  await submit(session, phone, smpp.encodings.UCS2.encode(text), { data_coding: 8 });
  assert.equal((await sim.inbox())[0].text, text);
  await submit(session, phone, Buffer.from([0xe9]), { data_coding: 3 });
  assert.equal((await sim.inbox())[0].text, 'é');
  assert.equal((await submit(session, phone, Buffer.from('x'), { data_coding: 4 })).command_status,
    0x104);
});

test('puts parts together again, in any order', async () => {
  const session = await bound();
  const phone = newPhone();
  const part = (number, total, text) => ({
    udh: Buffer.from([0x05, 0x00, 0x03, 0x2a, total, number]),
    message: smpp.encodings.ASCII.encode(text),
  });
  for (const [number, text] of [[3, '!'], [1, 'first ['], [2, ' second €']]) {
    const answer = await submit(session, phone, part(number, 3, text), { esm_class: 0x40 });
    assert.equal(answer.command_status, 0);
    assert.ok(answer.message_id);
  }
  assert.deepEqual((await sim.inbox()).map((one) => one.text), ['first [ second €!']);
  for (const number of [2, 1]) {
    await submit(session, phone, Buffer.from(`${number}.`),
      { sar_msg_ref_num: 9, sar_total_segments: 2, sar_segment_seqnum: number });
  }
  assert.equal((await sim.inbox())[0].text, '1.2.');
  await request(session, 'submit_sm',
    { ...message(phone, ''), message_payload: Buffer.from('x'.repeat(900)) });
  assert.equal((await sim.inbox())[0].text.length, 900);
});

test('answers receipts, to whom they are due', async () => {
  const session = await bound();
  const { message_id: id } = await submit(session, newPhone(), Buffer.from('x'),
    { registered_delivery: 1 });
  const [receipt] = await eventually('a receipt', () => session.receipts[0] && session.receipts);
  assert.equal(receipt.esm_class & 0x3c, 0x04);
  assert.equal(receipt.receipted_message_id, id);
  assert.equal(receipt.message_state, 2);
  assert.match(String(receipt.short_message.message),
    new RegExp(`^id:${id} sub:001 dlvrd:001 submit date:\\d{10} done date:\\d{10} stat:DELIVRD err:000`));
  assert.equal(receipt.destination_addr, 'ACME');
  await eventually('it is counted', async () => (await sim.stats('smpp')).receipts_delivered === 1);
  await submit(session, newPhone(), Buffer.from('x'));
  await submit(session, newPhone(), Buffer.from('x'), { registered_delivery: 0x11 });
  await eventually('two more', () => session.receipts.length === 3);
  assert.deepEqual(session.receipts.map((one) => one.message_state), [2, 1, 2]);
});

test('tells in every way that the faults know', async () => {
  const session = await bound();
  for (const [receipts, states] of [['failed', [5]], ['duplicate', [2, 2]], ['out_of_order', [2, 1]]]) {
    await sim.faults('smpp', { receipts });
    session.receipts.length = 0;
    await submit(session, newPhone(), Buffer.from('x'), { registered_delivery: 1 });
    await eventually(receipts, () => session.receipts.length >= states.length);
    assert.deepEqual(session.receipts.map((one) => one.message_state), states);
  }
  await sim.faults('smpp', { receipts: 'off' });
  session.receipts.length = 0;
  await submit(session, newPhone(), Buffer.from('x'), { registered_delivery: 1 });
  await sleep(100);
  assert.equal(session.receipts.length, 0);
});

test('a late receipt finds another session', async () => {
  const first = await bound();
  await sim.faults('smpp', { receipt_delay_ms: 400 });
  const { message_id: id } = await submit(first, newPhone(), Buffer.from('x'),
    { registered_delivery: 1 });
  first.destroy();
  const second = await bound();
  const [receipt] = await eventually('the receipt', () => second.receipts[0] && second.receipts);
  assert.equal(receipt.receipted_message_id, id);
});

test('refuses, throttles and loses', async () => {
  const session = await bound();
  const status = async (plan, to = newPhone()) => {
    await sim.faults('smpp', plan);
    return (await submit(session, to, Buffer.from('x'))).command_status;
  };
  assert.equal(await status({ error_rate: 1 }), 0x08);
  assert.equal(await status({ error_rate: 1, code: 0x45 }), 0x45);
  assert.equal(await status({ throttle_rate: 1 }), 0x58);
  const phone = newPhone();
  assert.equal(await status({ reject_to: [phone] }, phone), 0x0b);
  assert.equal(await status({ outage: { as: 'error' } }), 0x08);
  assert.equal((await bind(await connect())).command_status, 0x0d);
  assert.deepEqual(await sim.inbox(), []);
  assert.equal(await status({ lose_rate: 1 }), 0);
  assert.deepEqual(await sim.inbox(), []);
  assert.equal((await sim.stats('smpp')).lost, 1);
});

test('answers out of order when slow, and not at all when it hangs', async () => {
  const session = await bound();
  await sim.faults('smpp', { latency_ms: 200 });
  const begin = performance.now();
  const slow = Promise.all(Array.from({ length: 50 }, () =>
    submit(session, newPhone(), Buffer.from('x'))));
  const link = await request(session, 'enquire_link');
  assert.equal(link.command_status, 0);
  assert.ok(performance.now() - begin < 190, 'a slow message holds nothing else up');
  assert.ok((await slow).every((answer) => answer.command_status === 0));
  assert.ok(performance.now() - begin < 2000, 'fifty at once');
  await sim.faults('smpp', { hang: true });
  let answered = 0;
  const hanging = submit(session, newPhone(), Buffer.from('x')).then(() => { answered += 1; });
  request(session, 'enquire_link').then(() => { answered += 1; });
  await sleep(150);
  assert.equal(answered, 0);
  await sim.call('DELETE', '/faults/smpp');
  await hanging;
});

test('ends connections', async () => {
  for (const plan of [{ reset_rate: 1 }, { outage: true }, { garbage_rate: 1, seed: 3 },
    { accept_then_drop_connection: true }]) {
    const session = await bound();
    await sim.faults('smpp', plan);
    const read = session.socket.bytesRead;
    session.submit_sm(message(newPhone(), Buffer.from('x')));
    // Garbage does not end the connection by itself; but it must have come.
    await eventually(JSON.stringify(plan), () => session.ended
      || (plan.garbage_rate && session.socket.bytesRead > read));
    await sim.call('DELETE', '/faults/smpp');
    session.destroy();
  }
  assert.equal((await sim.inbox()).length, 1, 'taken before the connection was dropped');
  await sim.faults('smpp', { outage: true });
  const refused = await connect();
  await eventually('no connection lives in an outage', () => refused.ended);
});

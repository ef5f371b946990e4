// otpd's SMPP provider against an SMSC that nobody here wrote: the npm package smpp. Text messages
// say what was meant, long ones are put together again, receipts may come before the answer, and a
// lost connection comes back.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import smpp from 'smpp';
import { eventually, freePort } from './support/process.js';
import { codeIn, newPhone, Stack } from './support/stack.js';

const password = 'pass1234';

// All of it but the two braces, which the brand has, and the control characters.
const gsmAlphabet = '@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!"#¤%&\'()*+,-./0123456789:;<=>?'
  + '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà^\\[~]|€';

// An SMSC that keeps what it gets; `answer(session, pdu)` says how it answers submit_sm.
class Smsc {
  constructor(port) {
    Object.assign(this, { port, binds: [], submits: [], receiptAnswers: [], sessions: new Set() });
    this.answer = (session, pdu) => session.send(pdu.response({ message_id: this.nextId() }));
    this.server = smpp.createServer((session) => this.converse(session));
  }

  listen() { return new Promise((resolve) => { this.server.listen(this.port, '127.0.0.1', resolve); }); }

  nextId() { return `id-${this.submits.length}`; }

  converse(session) {
    this.sessions.add(session);
    session.on('close', () => this.sessions.delete(session));
    session.on('error', () => session.close());
    session.on('enquire_link', (pdu) => session.send(pdu.response()));
    session.on('unbind', (pdu) => {
      this.unbinds = (this.unbinds ?? 0) + 1;
      session.send(pdu.response());
      session.close();
    });
    session.on('bind_transceiver', (pdu) => {
      this.binds.push(pdu);
      const right = pdu.system_id === 'otpd-e2e' && pdu.password === password;
      session.send(pdu.response({ command_status: right ? 0 : smpp.ESME_RINVPASWD }));
    });
    session.on('submit_sm', (pdu) => {
      this.submits.push(pdu);
      this.answer(session, pdu);
    });
  }

  // Sends a receipt of its usual form; resolves with the client's answer.
  receipt(session, id, stat) {
    return new Promise((resolve) => {
      session.deliver_sm({
        esm_class: 0x04,
        source_addr: '14155550000',
        short_message: `id:${id} sub:001 dlvrd:001 submit date:2601301200 done date:2601301201 `
          + `stat:${stat} err:000 text:`,
      }, resolve);
    });
  }

  drop() { for (const session of this.sessions) session.destroy(); }

  async close() {
    this.drop();
    await new Promise((resolve) => { this.server.close(resolve); });
  }
}

const textOf = (pdu) => (typeof pdu.short_message === 'string' ? pdu.short_message : pdu.short_message.message);

let smsc;
let stack;

before(async () => {
  smsc = new Smsc(await freePort());
  await smsc.listen();
  stack = await Stack.start({
    sim: false,
    env: {
      OTPD_MESSAGES_TEMPLATES_LOGIN_SMS_DE: `{code} {brand} ${gsmAlphabet}`,
      OTPD_PROVIDERS_SMSC_KIND: 'smpp',
      OTPD_PROVIDERS_SMSC_ADDRESS: `127.0.0.1:${smsc.port}`,
      OTPD_PROVIDERS_SMSC_SYSTEM_ID: 'otpd-e2e',
      OTPD_PROVIDERS_SMSC_PASSWORD: password,
      OTPD_PROVIDERS_SMSC_FROM: 'Example',
      OTPD_DELIVERY_ROUTES_SMS: 'smsc',
      OTPD_MESSAGES_WEBOTP_HOST: 'login.example.com',
      OTPD_MESSAGES_BRAND: '[Bank] {€}',
      OTPD_MESSAGES_TEMPLATES_LOGIN_SMS_RU: `{code} — ваш код. ${'Никому его не сообщайте! '.repeat(5)}😀`,
      OTPD_TESTING_VIRTUAL_CLOCK: undefined,
      OTPD_DELIVERY_RETRY_BASE_MS: '50',
    },
  });
});

after(async () => {
  await stack?.stop();
  await smsc?.close();
});

// Sends to a new number and waits until the SMSC has as many messages more; they, and the send.
async function send(options = {}, count = 1) {
  const had = smsc.submits.length;
  const phone = newPhone();
  const sent = await stack.call('POST', '/otp/send', { json: { phone, ...options } });
  assert.equal(sent.status, 202, sent.body);
  await eventually('the message', () => smsc.submits.length >= had + count);
  return { phone, id: sent.json.verification_id, pdus: smsc.submits.slice(had) };
}

const statusOf = async (id) => (await stack.call('GET', `/otp/${id}`)).json.status;

test('binds as a transceiver of version 3.4', async () => {
  const bind = await eventually('the bind', () => smsc.binds[0]);
  assert.equal(bind.interface_version, 0x34);
  assert.equal(bind.password, password);
});

test('the text arrives as it was meant, @ and brackets included', async () => {
  const { phone, pdus: [pdu] } = await send();
  assert.equal(pdu.data_coding, 0);
  assert.equal(pdu.source_addr, 'Example');
  assert.deepEqual([pdu.source_addr_ton, pdu.source_addr_npi, pdu.dest_addr_ton, pdu.dest_addr_npi],
    [5, 0, 1, 1]);
  assert.equal(pdu.destination_addr, phone.slice(1));
  assert.equal(pdu.registered_delivery, 1);
  const text = textOf(pdu);
  const code = codeIn(text);
  assert.ok(text.includes('[Bank] {€}'), text);
  assert.ok(text.endsWith(`@login.example.com #${code}`), text);
  const verified = await stack.call('POST', '/otp/verify', { json: { phone, code } });
  assert.equal(verified.status, 200, verified.body);
});

// Checks the headers of the parts; what they say together.
function putTogether(pdus) {
  const references = new Set();
  for (const [i, pdu] of pdus.entries()) {
    assert.equal(pdu.esm_class, 0x40);
    const [element, size, reference, total, number] = pdu.short_message.udh[0];
    assert.deepEqual([element, size, total, number], [0, 3, pdus.length, i + 1]);
    references.add(reference);
  }
  assert.equal(references.size, 1);
  return pdus.map(textOf).join('');
}

test('a long text in UCS-2 is put together again', async () => {
  const { phone, id, pdus } = await send({ locale: 'ru' }, 3);
  assert.ok(pdus.every((pdu) => pdu.data_coding === 8));
  const text = putTogether(pdus);
  const code = codeIn(text);
  assert.ok(text.startsWith(`${code} — ваш код. ${'Никому его не сообщайте! '.repeat(5)}😀`), text);
  assert.equal((await stack.call('POST', '/otp/verify', { json: { phone, code } })).status, 200);
  assert.equal(await statusOf(id), 'approved');
});

test('every character of the GSM alphabet is decoded by others as we mean it', async () => {
  const { pdus } = await send({ locale: 'de' }, 2);
  assert.ok(pdus.every((pdu) => pdu.data_coding === 0));
  const text = putTogether(pdus);
  assert.ok(text.includes(gsmAlphabet), text);
  assert.ok(text.includes('[Bank] {€}'), text);
});

test('a receipt before the answer is taken, and answered', async () => {
  const usual = smsc.answer;
  let taken;
  smsc.answer = async (session, pdu) => {
    taken = await smsc.receipt(session, 'early-1', 'DELIVRD');
    session.send(pdu.response({ message_id: 'early-1' }));
  };
  const { id } = await send();
  smsc.answer = usual;
  await eventually('sent', async () => ['sent', 'delivered'].includes(await statusOf(id)));
  assert.equal(taken.command, 'deliver_sm_resp');
  assert.equal(taken.command_status, 0);
  assert.equal(smsc.submits.filter((pdu) => pdu.destination_addr === smsc.submits.at(-1).destination_addr).length, 1);
});

test('a throttled message is sent again', async () => {
  const usual = smsc.answer;
  smsc.answer = (session, pdu) => {
    smsc.answer = usual;
    session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
  };
  const { id, pdus } = await send({}, 2);
  assert.equal(textOf(pdus[0]), textOf(pdus[1]));
  await eventually('sent', async () => (await statusOf(id)) === 'sent');
});

test('a lost connection comes back', async () => {
  const before = smsc.binds.length;
  smsc.drop();
  const { id } = await send();
  assert.ok(smsc.binds.length > before);
  await eventually('sent', async () => (await statusOf(id)) === 'sent');
});

test('says unbind when it stops', async () => {
  await stack.stop();
  stack = null;
  assert.equal(await eventually('unbind', () => smsc.unbinds), 1);
});

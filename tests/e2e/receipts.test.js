// What carriers report afterwards. Genuine receipts of the simulated Twilio and Vonage move the
// status; forged, stale, replayed, out-of-order and unknown ones change nothing. Twilio's own
// package says which signatures are genuine.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import twilio from 'twilio';
import { faults, heal, sendOne, simArgs, twoCarriers, vonageSecret } from './support/carriers.js';
import { eventually } from './support/process.js';
import { Stack } from './support/stack.js';

const token = 'simulated-token';
const publicUrl = 'https://otp.example.com';

let stack, quiet;  // the second gets receipts from the tests alone
before(async () => {
  stack = await Stack.start({ env: twoCarriers, simArgs });
  quiet = await Stack.start({ env: { ...twoCarriers, OTPD_SERVER_PUBLIC_URL: publicUrl }, simArgs });
  for (const face of ['twilio', 'vonage']) await faults(quiet, face, { receipts: 'off' });
});
after(async () => {
  await stack?.stop();
  await quiet?.stop();
});

const statusOf = async (one, { id }) => (await one.call('GET', `/otp/${id}`)).json.status;
const becomes = (one, send, status) =>
  eventually(`${send.id} is ${status}`, async () => (await statusOf(one, send)) === status);
const timelineOf = async (one, { id }) =>
  (await one.admin('GET', `/admin/verifications/${id}`)).json.timeline;
const count = (timeline, what) => timeline.filter((entry) => entry.what === what).length;

// A message that was handed over, and by what name the carrier knows it.
async function sentBy(name) {
  const other = { twilio: 'vonage', vonage: 'twilio' }[name];
  await quiet.admin('POST', `/admin/providers/${name}/enable`);
  await quiet.admin('POST', `/admin/providers/${other}/disable`);
  const send = await sendOne(quiet);
  assert.equal(send.status, 202);
  await becomes(quiet, send, 'sent');
  const entry = (await timelineOf(quiet, send)).find((one) => one.what === 'sent');
  assert.equal(entry.provider, name);
  return { ...send, sid: entry.detail };
}

const target = (name, { id }) => `/callbacks/${name}?ref=${id}`;

// A receipt as Twilio would post it; `as` changes what it says, `signature` how it is signed.
function twilioReceipt(send, as = {}, signature = null, ref = send) {
  const form = {
    AccountSid: 'AC00000000000000000000000000000000',
    MessageSid: send.sid,
    SmsSid: send.sid,
    MessageStatus: 'delivered',
    From: '+15005550006',
    To: send.phone,
    ...as,
  };
  const url = publicUrl + target('twilio', ref);
  const genuine = twilio.getExpectedTwilioSignature(token, url, form);
  return quiet.call('POST', target('twilio', ref),
    { form, headers: { 'X-Twilio-Signature': signature?.(genuine) ?? genuine } });
}

// A receipt as Vonage would post it, signed by its method sha256.
function vonageReceipt(send, as = {}, ageSeconds = 0) {
  const members = {
    msisdn: send.phone.slice(1),
    to: 'otpd',
    messageId: send.sid,
    status: 'delivered',
    'err-code': '0',
    'api-key': 'simulated',
    timestamp: String(Math.floor(Date.now() / 1000) - ageSeconds),
    nonce: 'aaaaaaaa-bbbb-cccc-dddd',
    ...as,
  };
  const text = Object.keys(members).sort()
    .map((name) => `&${name}=${members[name].replace(/[&=]/g, '_')}`).join('');
  const sig = createHmac('sha256', vonageSecret).update(text).digest('hex');
  return quiet.call('POST', target('vonage', send), { json: { sig, ...members } });
}

for (const name of ['twilio', 'vonage']) {
  test(`a genuine receipt of ${name} moves the status, and says so once`, async () => {
    if (name === 'vonage') await faults(stack, 'twilio', { outage: true });
    for (const receipts of ['on', 'duplicate', 'out_of_order']) {
      await faults(stack, name, { receipts });
      const send = await sendOne(stack);
      await becomes(stack, send, 'delivered');
      await stack.message(send.phone);
      const timeline = await timelineOf(stack, send);
      assert.equal(count(timeline, 'delivered'), 1, JSON.stringify(timeline));
      assert.equal(timeline.find((one) => one.what === 'delivered').provider, name);
    }
    await faults(stack, name, { receipts: 'failed' });
    await becomes(stack, await sendOne(stack), 'failed');
    await heal(stack);
  });
}

test("Twilio's package signs, we believe; one other character, and we do not", async () => {
  const send = await sentBy('twilio');
  const flip = (at) => (text) =>
    text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
  for (const signature of [flip(0), flip(13), flip(25), () => '', (text) => text.slice(0, -1),
    (text) => `${text},${text}`]) {
    const answer = await twilioReceipt(send, {}, signature);
    assert.equal(answer.status, 403, answer.body);
  }
  const unsigned = await quiet.call('POST', target('twilio', send),
    { form: { MessageSid: send.sid, MessageStatus: 'delivered' } });
  assert.equal(unsigned.status, 403);
  assert.equal(await statusOf(quiet, send), 'sent');
  assert.equal((await twilioReceipt(send)).status, 204);
  await becomes(quiet, send, 'delivered');
});

test('a signature holds for its own address and fields only', async () => {
  const [one, other] = [await sentBy('twilio'), await sentBy('twilio')];
  let signature;
  await twilioReceipt(one, { MessageStatus: 'sent' }, (genuine) => { signature = genuine; return genuine; });
  const forged = [
    await twilioReceipt(one, { MessageStatus: 'delivered' }, () => signature),
    await twilioReceipt(one, { MessageStatus: 'sent' }, () => signature, other),
  ];
  assert.deepEqual(forged.map((answer) => answer.status), [403, 403]);
  // Signed, but about a message that is not the one of this verification.
  assert.equal((await twilioReceipt(one, {}, null, other)).status, 204);
  assert.equal((await twilioReceipt({ ...one, sid: `SM${'0'.repeat(32)}` })).status, 204);
  // What comes last shows that what came before has been dealt with.
  const last = await sentBy('twilio');
  await twilioReceipt(last);
  await becomes(quiet, last, 'delivered');
  assert.equal(await statusOf(quiet, one), 'sent');
  assert.equal(await statusOf(quiet, other), 'sent');
});

for (const [name, receipt, failed, early] of [
  ['twilio', twilioReceipt, { MessageStatus: 'undelivered', ErrorCode: '30003' }, { MessageStatus: 'sent' }],
  ['vonage', vonageReceipt, { status: 'failed', 'err-code': '6' }, { status: 'buffered' }],
]) {
  test(`${name}: replayed and out-of-order receipts change nothing`, async () => {
    const send = await sentBy(name);
    assert.equal((await receipt(send, early)).status, 204);
    assert.equal(await statusOf(quiet, send), 'sent');
    assert.equal((await receipt(send)).status, 204);
    await becomes(quiet, send, 'delivered');
    const before = await timelineOf(quiet, send);
    for (const as of [{}, early, failed, {}]) assert.equal((await receipt(send, as)).status, 204);
    const last = await sentBy(name);
    await receipt(last, failed);
    await becomes(quiet, last, 'failed');
    assert.equal(await statusOf(quiet, send), 'delivered');
    assert.deepEqual(await timelineOf(quiet, send), before);
    const why = (await timelineOf(quiet, last)).find((one) => one.what === 'delivery_failed');
    assert.equal(why.detail, failed.ErrorCode ?? failed['err-code']);
  });
}

test('vonage: forged, stale and unsigned receipts are refused', async () => {
  const send = await sentBy('vonage');
  for (const answer of [
    await vonageReceipt(send, { sig: '0'.repeat(64) }),
    await vonageReceipt(send, {}, 3600),
    await vonageReceipt(send, {}, -3600),
    await quiet.call('POST', target('vonage', send),
      { json: { messageId: send.sid, status: 'delivered' } }),
    await quiet.call('GET', `${target('vonage', send)}&messageId=${send.sid}&status=delivered`),
  ]) assert.equal(answer.status, 403, answer.body);
  assert.equal(await statusOf(quiet, send), 'sent');
});

test('a provider that is none of ours has no receipts', async () => {
  for (const name of ['nobody', 'mail']) {
    const answer = await quiet.call('POST', `/callbacks/${name}`, { form: { MessageSid: 'x' } });
    assert.equal(answer.status, 404, answer.body);
  }
});

// Two carriers behind one route, their faults, and how long messages took.
import { call } from './http.js';
import { eventually, sleep } from './process.js';
import { newIp, newPhone } from './stack.js';

export const vonageSecret = 'a-signature-secret';

// Settings for Stack.start, with simArgs: text messages go by twilio, else by vonage, both played by
// sms-sim; and time is real, for that is what is measured.
export const twoCarriers = {
  OTPD_AUTH_PUBLIC: 'true', // sends come from many addresses
  OTPD_TESTING_VIRTUAL_CLOCK: undefined,
  OTPD_LOG_LEVEL: 'warn',
  OTPD_DELIVERY_ROUTES_SMS: 'twilio,vonage',
  OTPD_PROVIDERS_VONAGE_KIND: 'vonage',
  OTPD_PROVIDERS_VONAGE_BASE_URL: (stack) => stack.simUrl,
  OTPD_PROVIDERS_VONAGE_API_KEY: 'simulated',
  OTPD_PROVIDERS_VONAGE_API_SECRET: 'simulated-token',
  OTPD_PROVIDERS_VONAGE_FROM: 'otpd',
  OTPD_PROVIDERS_VONAGE_SIGNATURE_SECRET: vonageSecret,
};
export const simArgs = [`--vonage-signature-secret=${vonageSecret}`];

// Gives a face of sms-sim these faults in the place of all others.
export async function faults(stack, face, plan) {
  const answer = await call(stack.simUrl, 'PUT', `/faults/${face}`, { json: plan });
  if (answer.status !== 200) throw new Error(`faults: ${answer.status} ${answer.body}`);
}

// Ends all faults.
export const heal = (stack) => call(stack.simUrl, 'DELETE', '/faults');

// What an operator is told about one provider.
export async function provider(stack, name) {
  const { json } = await stack.admin('GET', '/admin/providers');
  return json.providers.find((one) => one.name === name);
}

export const inState = (stack, name, state, limitMs) =>
  eventually(`${name} is ${state}`, async () => (await provider(stack, name)).state === state,
    limitMs);

// The newest 10,000 messages of the inbox by recipient.
export async function inboxByRecipient(stack) {
  const { json } = await call(stack.simUrl, 'GET', '/inbox.json?limit=10000');
  return Map.groupBy ? Map.groupBy(json, (message) => message.to) : grouped(json);
}

function grouped(messages) {
  const by = new Map();
  for (const message of messages) by.set(message.to, [...(by.get(message.to) ?? []), message]);
  return by;
}

// One send: {phone, status, retryAfter, id, askedAt, at, tookMs}; the times are of the wall clock,
// in milliseconds.
export async function sendOne(stack, json = {}) {
  const phone = newPhone();
  const askedAt = Date.now();
  const begun = performance.now();
  const answer = await stack.call('POST', '/otp/send', { json: { phone, ...json }, ip: newIp() });
  return {
    phone,
    askedAt,
    status: answer.status,
    error: answer.json?.error,
    retryAfter: Number(answer.headers['retry-after']),
    id: answer.json?.verification_id,
    at: Date.now(),
    tookMs: performance.now() - begun,
  };
}

// Sends `perSecond` a second, whether or not the earlier ones are answered, until `isOver()`.
export async function sendSteadily(stack, perSecond, isOver) {
  const begun = performance.now();
  const sends = [];
  while (!isOver()) {
    const due = Math.floor((performance.now() - begun) * perSecond / 1000);
    while (sends.length <= due) sends.push(sendOne(stack));
    await sleep(5);
  }
  return Promise.all(sends);
}

// Of numbers, that which `part` (0 to 1) of them do not exceed.
export function percentile(numbers, part) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? 0;
}

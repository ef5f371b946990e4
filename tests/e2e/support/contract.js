// Every answer of the real service against docs/openapi.yaml, and what of it has been seen.
import assert from 'node:assert/strict';
import { Spec } from './spec.js';
import { Stack } from './stack.js';

export const spec = new Spec();
// What has been seen: ids of operations that succeeded, names of errors.
export const seen = { operations: new Set(), errors: new Set() };
export const stacks = [];

// A stack with these settings, and among `stacks`.
export async function start(env, options) {
  const stack = await Stack.start({ env, ...options });
  stacks.push(stack);
  return stack;
}

// The answer, which must conform.
export function note(method, target, answer) {
  assert.deepEqual(spec.check(method, target, answer), []);
  const operation = spec.operationOf(method, target);
  if (operation && answer.status < 300) seen.operations.add(operation.id);
  if (answer.json?.error) seen.errors.add(answer.json.error);
  return answer;
}

// A request whose answer must conform, and have this status and error name.
export async function ask(stack, method, target, expected, options) {
  const answer = note(method, target, await stack.call(method, target, options));
  const [status, error] = [expected].flat();
  assert.equal(answer.status, status, `${method} ${target}: ${answer.body}`);
  assert.equal(answer.json?.error, error, `${method} ${target}: ${answer.body}`);
  if (answer.status === 429 && error === 'rate_limited') {
    assert.equal(Number(answer.headers['retry-after']), answer.json.retry_after);
  }
  return answer.json;
}

// A carrier that the configuration describes; nobody is there.
export const describedCarrier = {
  OTPD_PROVIDERS_DESCRIBED_KIND: 'http',
  OTPD_PROVIDERS_DESCRIBED_URL: 'http://127.0.0.1:9/send',
  OTPD_PROVIDERS_DESCRIBED_BODY: '{"to": "{to}", "text": "{text}"}',
  OTPD_PROVIDERS_DESCRIBED_RECEIPT_PROOF: 'header',
  OTPD_PROVIDERS_DESCRIBED_RECEIPT_HEADER: 'X-Proof',
  OTPD_PROVIDERS_DESCRIBED_RECEIPT_SECRET: 'receipt-secret',
  OTPD_PROVIDERS_DESCRIBED_RECEIPT_ID_POINTER: '/id',
  OTPD_PROVIDERS_DESCRIBED_RECEIPT_STATE_POINTER: '/state',
  OTPD_PROVIDERS_DESCRIBED_RECEIPT_DELIVERED: 'ok',
};

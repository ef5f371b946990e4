// docs/openapi.yaml against itself: every reference leads somewhere, every schema compiles, every
// example is what it says.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Spec } from './support/spec.js';

const spec = new Spec();

function* nodes(value, at) {
  if (value === null || typeof value !== 'object') return;
  yield [value, at];
  for (const [name, member] of Object.entries(value)) {
    yield* nodes(member, `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  }
}

test('every reference leads somewhere', () => {
  for (const [node] of nodes(spec.document, '#')) {
    if (typeof node.$ref === 'string') spec.resolve(node.$ref);
  }
});

test('every example conforms to its schema', () => {
  let seen = 0;
  for (const [node, at] of nodes(spec.document, '#')) {
    if (!node.schema || !node.examples) continue;
    for (const name of Object.keys(node.examples)) {
      const [example] = spec.resolve(`${at}/examples/${name}`);
      assert.deepEqual(spec.complaints(`${at}/schema`, example.value), [], `${at} ${name}`);
      seen += 1;
    }
  }
  assert.ok(seen >= 60, `only ${seen} examples`);
});

test('every answer has an example, an id and a closed schema', () => {
  for (const operation of spec.operations()) {
    assert.ok(operation.id, `${operation.method} ${operation.path} has no operationId`);
    for (const status of Object.keys(operation.definition.responses)) {
      const [response] = spec.resolve(`${operation.at}/responses/${status}`);
      assert.ok(response.headers['X-Request-Id'], `${operation.id} ${status}: no X-Request-Id`);
      for (const [type, media] of Object.entries(response.content ?? {})) {
        if (type.endsWith('json')) assert.ok(media.examples, `${operation.id} ${status}`);
      }
    }
  }
});

test('an answer with one member too many, or one too few, is found out', () => {
  const at = '#/components/schemas/';
  const send = spec.resolve('#/paths/~1otp~1send/post/responses/202/content/application~1json')[0];
  const queued = send.examples.queued.value;
  const problem = spec.document.components.examples.InvalidOtp.value;
  assert.deepEqual(spec.complaints(`${at}SendAnswer`, queued), []);
  assert.notDeepEqual(spec.complaints(`${at}SendAnswer`, { ...queued, code: '481623' }), []);
  assert.notDeepEqual(spec.complaints(`${at}SendAnswer`, { ...queued, channel: undefined }), []);
  assert.notDeepEqual(spec.complaints(`${at}InvalidOtp`, { ...problem, code: '481623' }), []);
  assert.notDeepEqual(spec.complaints(`${at}InvalidOtp`, { ...problem, error: 'otp_expired' }), []);
});

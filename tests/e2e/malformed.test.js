// Malformed input over the real socket: a precise 4xx, no attempt spent, nothing changed, the
// service alive. Against the sanitizer build too, where there is one.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { answersIn, exchange } from './support/http.js';
import { Spec } from './support/spec.js';
import { buildDir, newPhone, sanitizerDir, Stack } from './support/stack.js';

const spec = new Spec();
const phone = newPhone();
const code = '"code":"481623"';
const to = `"phone":"${phone}"`;
const deep = (open, close, count) => open.repeat(count) + close.repeat(count);
const bytes = (...parts) => Buffer.concat(parts.map((part) =>
  (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));

// [name, body, error name]; all go to /otp/verify while a code is live.
const bodies = [
  ['empty', '', 'invalid_request'],
  ['white space', ' \t\r\n ', 'invalid_request'],
  ['null', 'null', 'invalid_request'],
  ['true', 'true', 'invalid_request'],
  ['a number', '481623', 'invalid_request'],
  ['a string', '"481623"', 'invalid_request'],
  ['an array', `[{${to},${code}}]`, 'invalid_request'],
  ['cut off', `{${to},"code":"48`, 'invalid_request'],
  ['single quotes', `{'phone':'${phone}','code':'481623'}`, 'invalid_request'],
  ['a trailing comma', `{${to},${code},}`, 'invalid_request'],
  ['a comment', `{${to},/* x */${code}}`, 'invalid_request'],
  ['NaN', `{${to},"code":NaN}`, 'invalid_request'],
  ['trailing bytes', `{${to},${code}}x`, 'invalid_request'],
  ['two objects', `{${to},${code}}{${to},${code}}`, 'invalid_request'],
  ['a trailing NUL', `{${to},${code}}\0`, 'invalid_request'],
  ['a byte order mark', bytes([0xef, 0xbb, 0xbf], `{${to},${code}}`), 'invalid_request'],
  ['UTF-16', Buffer.from(`{${to},${code}}`, 'utf16le'), 'invalid_request'],
  ['duplicate members', `{${to},"code":"000000",${code}}`, 'invalid_request'],
  ['duplicates spelt otherwise', `{${to},"c\\u006fde":"000000",${code}}`, 'invalid_request'],
  ['duplicates further down', `{${to},${code},"context":{"amount":"1","amount":"2"}}`,
    'invalid_request'],
  ['an unknown member', `{${to},${code},"otp":"481623"}`, 'invalid_request'],
  ['another case', `{${to},"Code":"481623"}`, 'invalid_request'],
  ['__proto__', `{${to},${code},"__proto__":{"admin":true}}`, 'invalid_request'],
  ['two codes', `{${to},"code":["481623","000000"]}`, 'invalid_request'],
  ['code true', `{${to},"code":true}`, 'invalid_request'],
  ['code 1', `{${to},"code":1}`, 'invalid_request'],
  ['code as a number', `{${to},"code":481623}`, 'invalid_request'],
  ['code 1e5', `{${to},"code":1e5}`, 'invalid_request'],
  ['code []', `{${to},"code":[]}`, 'invalid_request'],
  ['code {}', `{${to},"code":{}}`, 'invalid_request'],
  ['code {"$ne":null}', `{${to},"code":{"$ne":null}}`, 'invalid_request'],
  ['code null', `{${to},"code":null}`, 'invalid_request'],
  ['no code', `{${to}}`, 'invalid_request'],
  ['an empty code', `{${to},"code":""}`, 'invalid_request'],
  ['a blank code', `{${to},"code":"      "}`, 'invalid_code'],
  ['a short code', `{${to},"code":"48162"}`, 'invalid_code'],
  ['a long code', `{${to},"code":"4816230"}`, 'invalid_code'],
  ['a very long code', `{${to},"code":"${'4'.repeat(15_000)}"}`, 'invalid_request'],
  ['a signed code', `{${to},"code":"+81623"}`, 'invalid_code'],
  ['a padded code', `{${to},"code":" 481623"}`, 'invalid_code'],
  ['a code with a line end', `{${to},"code":"481623\\n"}`, 'invalid_code'],
  ['a code with a NUL', `{${to},"code":"481623\\u0000"}`, 'invalid_code'],
  ['full-width digits', `{${to},"code":"４８１６２３"}`, 'invalid_code'],
  ['Arabic digits', `{${to},"code":"٤٨١٦٢٣"}`, 'invalid_code'],
  ['superscript digits', `{${to},"code":"⁴⁸¹⁶²³"}`, 'invalid_code'],
  ['a lone surrogate', `{${to},"code":"\\ud83d81623"}`, 'invalid_request'],
  ['a reversed surrogate pair', `{${to},"code":"\\udc00\\ud800"}`, 'invalid_request'],
  ['bytes that are not UTF-8', bytes(`{${to},"code":"`, [0xff, 0xfe], '"}'), 'invalid_request'],
  ['an overlong form', bytes(`{${to},"code":"`, [0xc0, 0xb4], '81623"}'), 'invalid_request'],
  ['a surrogate in UTF-8', bytes(`{${to},"code":"`, [0xed, 0xa0, 0x80], '"}'), 'invalid_request'],
  ['a raw control character', `{${to},"code":"48\n623"}`, 'invalid_request'],
  ['phone and e-mail', `{${to},"email":"ada@example.com",${code}}`, 'invalid_request'],
  ['neither', `{${code}}`, 'invalid_request'],
  ['phone as a number', `{"phone":14155552671,${code}}`, 'invalid_request'],
  ['phone as a list', `{"phone":["${phone}"],${code}}`, 'invalid_request'],
  ['phone with a NUL', `{"phone":"${phone}\\u0000",${code}}`, 'invalid_phone'],
  ['phone with a line end', `{"phone":"${phone}\\r\\n",${code}}`, 'invalid_phone'],
  ['phone with an invisible character', `{"phone":"${phone}\\u200b",${code}}`, 'invalid_phone'],
  ['phone with an extension', `{"phone":"${phone};ext=1",${code}}`, 'invalid_phone'],
  ['phone with letters', `{"phone":"+1-800-FLOWERS",${code}}`, 'invalid_phone'],
  ['e-mail with a header', `{"email":"a@example.com\\r\\nBcc: b@example.com",${code}}`,
    'invalid_email'],
  ['two e-mails', `{"email":"a@example.com,b@example.com",${code}}`, 'invalid_email'],
  ['e-mail with an invisible character', `{"email":"a\\u200b@example.com",${code}}`,
    'invalid_email'],
  ['another purpose', `{${to},${code},"purpose":"root"}`, 'invalid_request'],
  ['purpose as a list', `{${to},${code},"purpose":["login"]}`, 'invalid_request'],
  ['a context that login does not take', `{${to},${code},"context":{}}`, 'invalid_request'],
  ['a token and a code', `{${to},${code},"token":"t"}`, 'invalid_request'],
  ['a token of another kind', '{"token":"otps_abc"}', 'invalid_code'],
  ['token true', '{"token":true}', 'invalid_request'],
  ['verification_id as a number', `{${to},${code},"verification_id":7}`, 'invalid_request'],
  ['deep objects', deep('{"a":', '}', 2000).replace(':}', ':1}'), 'invalid_request'],
  ['deep arrays', `{"a":${deep('[', ']', 4000)}}`, 'invalid_request'],
  ['nine deep', `{"a":${deep('[', ']', 8)}}`, 'invalid_request'],
  ['a number out of range', `{${to},"code":1e999}`, 'invalid_request'],
  ['many members', `{${Array.from({ length: 1200 }, (_, i) => `"m${i}":1`).join()}}`,
    'invalid_request'],
];

// [name, the whole request, status]
const json = 'Content-Type: application/json\r\n';
const requests = [
  ['not HTTP', 'hello\r\n\r\n', 400],
  ['a TLS hello', bytes([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3], '\r\n\r\n'), 400],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['HTTP/3.0', 'GET /healthz HTTP/3.0\r\nHost: x\r\n\r\n', 400],
  ['no Host', 'GET /healthz HTTP/1.1\r\n\r\n', 400],
  ['two Hosts', 'GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
  ['a NUL in the target', 'GET /health\0z HTTP/1.1\r\nHost: x\r\n\r\n', 400],
  ['a NUL in a header', 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n', 400],
  ['a bare line feed', 'GET /healthz HTTP/1.1\nHost: x\n\n', 400],
  ['a bare carriage return', 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\rX-B: b\r\n\r\n', 400],
  ['a folded header', 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n', 400],
  ['a space before the colon', 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-A : a\r\n\r\n', 400],
  ['a header without a name', 'GET /healthz HTTP/1.1\r\nHost: x\r\n: a\r\n\r\n', 400],
  ['a space in the target', 'GET /health z HTTP/1.1\r\nHost: x\r\n\r\n', 400],
  ['a length that is not a number',
    `POST /otp/send HTTP/1.1\r\nHost: x\r\n${json}Content-Length: 2x\r\n\r\n{}`, 400],
  ['a negative length',
    `POST /otp/send HTTP/1.1\r\nHost: x\r\n${json}Content-Length: -1\r\n\r\n{}`, 400],
  ['two lengths',
    `POST /otp/send HTTP/1.1\r\nHost: x\r\n${json}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
    400],
  ['length and chunks',
    `POST /otp/send HTTP/1.1\r\nHost: x\r\n${json}Content-Length: 2\r\nTransfer-Encoding: chunked`
    + '\r\n\r\n0\r\n\r\n', 400],
  ['an unknown transfer encoding',
    `POST /otp/send HTTP/1.1\r\nHost: x\r\n${json}Transfer-Encoding: gzip\r\n\r\n`, 400],
  ['a bad chunk size',
    `POST /otp/send HTTP/1.1\r\nHost: x\r\n${json}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n`,
    400],
  ['a huge chunk',
    `POST /otp/send HTTP/1.1\r\nHost: x\r\n${json}Transfer-Encoding: chunked\r\n\r\nffffffff\r\n`,
    413],
  ['a huge length',
    `POST /otp/send HTTP/1.1\r\nHost: x\r\n${json}Content-Length: 99999999999\r\n\r\n`, 413],
  ['a length beyond every type',
    `POST /otp/send HTTP/1.1\r\nHost: x\r\n${json}Content-Length: 99999999999999999999999\r\n\r\n`,
    [400, 413]],
  ['a long target', `GET /${'a'.repeat(9000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
  ['a long header', `GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(9000)}\r\n\r\n`, 431],
  ['many headers', `GET /healthz HTTP/1.1\r\nHost: x\r\n${'X-A: a\r\n'.repeat(2000)}\r\n`, 431],
];

const bodyError = { 400: 'InvalidRequest', 413: 'PayloadTooLarge', 431: 'HeaderTooLarge' };

const rest = (body, type = 'application/json') => {
  const length = Buffer.byteLength(body);
  return bytes(`POST /otp/verify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${type}\r\n`
    + `Content-Length: ${length}\r\nConnection: close\r\n\r\n`, body);
};

async function one(stack, request) {
  const answers = answersIn(await exchange(stack.port, request));
  assert.equal(answers.length, 1, `${answers.length} answers`);
  return answers[0];
}

async function attemptsLeft(stack, id) {
  return (await stack.call('GET', `/otp/${id}`)).json.attempts_remaining;
}

async function eventCount(stack) {
  const { json: found } = await stack.admin('GET', '/admin/events?limit=1000');
  return found.events.length;
}

function suite(name, from) {
  test(name, async (t) => {
    // Without receipts, whose lines would come at any time.
    const env = { OTPD_SERVER_HEADER_TIMEOUT_MS: '1500', OTPD_DELIVERY_RECEIPTS: 'false' };
    const stack = await Stack.start({ from, env });
    t.after(() => stack.stop());
    const sent = await stack.call('POST', '/otp/send', { json: { phone } });
    assert.equal(sent.status, 202, sent.body);
    const id = sent.json.verification_id;
    const real = await stack.code(phone);
    // The message may be in the inbox before its line "sent" is written.
    let events = 0;
    for (const end = Date.now() + 5_000; events < 2 && Date.now() < end;) {
      events = await eventCount(stack);
    }
    assert.equal(events, 2);

    for (const [title, body, error] of bodies) {
      await t.test(`a body: ${title}`, async () => {
        const answer = await one(stack, rest(body));
        assert.equal(answer.status, 400, answer.body);
        assert.equal(answer.json.error, error, answer.body);
        assert.deepEqual(spec.check('POST', '/otp/verify', answer), []);
      });
    }

    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp',
      'multipart/form-data', 'application/json, text/plain', '']) {
      await t.test(`a Content-Type: "${type}"`, async () => {
        const answer = await one(stack, rest(`{${to},${code}}`, type));
        assert.equal(answer.status, 415, answer.body);
        assert.deepEqual(spec.check('POST', '/otp/verify', answer), []);
      });
    }

    for (const [title, request, expected] of requests) {
      await t.test(`a request: ${title}`, async () => {
        const answer = await one(stack, request);
        assert.ok([expected].flat().includes(answer.status), `${answer.status} ${answer.body}`);
        const at = `#/components/responses/${bodyError[answer.status]}`;
        const [definition] = spec.resolve(at);
        assert.deepEqual(spec.checkHeaders(at, definition, answer), []);
        assert.deepEqual(spec.checkBody(at, definition, answer), []);
      });
    }

    await t.test('a body of 10 MB', async () => {
      const huge = rest('x'.repeat(10_000_000));
      const answer = await one(stack, huge.subarray(0, 100_000));
      assert.equal(answer.status, 413);
      // Whoever sends all of it before listening may find the connection closed.
      const late = answersIn(await exchange(stack.port, huge));
      assert.ok(late.every(({ status }) => status === 413), JSON.stringify(late));
    });

    await t.test('half a request, then silence', async () => {
      const answer = await one(stack, 'POST /otp/verify HTTP/1.1\r\nHost: x\r\nContent-Le');
      assert.equal(answer.status, 408, answer.body);
    });

    await t.test('half a body, then the end', async () => {
      const request = rest(`{${to},${code}}`).subarray(0, -5);
      const answers = answersIn(await exchange(stack.port, request, { end: true }));
      assert.ok(answers.every((answer) => answer.status === 400), JSON.stringify(answers));
    });

    await t.test('a header in a header: nothing of it comes back as one', async () => {
      for (const value of ['a\r\nX-Injected: 1', 'a%0d%0aX-Injected: 1', 'a\u0000b']) {
        const text = await exchange(stack.port,
          `GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${value}\r\nConnection: close\r\n\r\n`);
        assert.doesNotMatch(text.split('\r\n\r\n')[0], /^X-Injected/m);
      }
      const answer = await stack.call('GET', '/otp/%0d%0aX-Injected:%201');
      assert.equal(answer.status, 404);
      assert.equal(answer.headers['x-injected'], undefined);
    });

    await t.test('paths that climb, or hide a NUL', async () => {
      for (const path of ['/demo/../openapi.yaml', '/demo/%2e%2e/secret', '/demo/..%2fdemo.js',
        '/demo/demo.js%00.html', '//demo', '/demo/', '/otp/', '/otp/..', '/users//sessions']) {
        const answer = await one(stack,
          `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
        assert.equal(answer.status, 404, `${path}: ${answer.body}`);
      }
    });

    await t.test('nothing was counted, nothing changed, and the right code still works', async () => {
      assert.equal(await eventCount(stack), events);
      assert.equal(await attemptsLeft(stack, id), 3);
      const answer = await stack.call('POST', '/otp/verify', { json: { phone, code: real } });
      assert.equal(answer.status, 200, answer.body);
      assert.equal((await stack.call('GET', '/readyz')).status, 200);
    });
  });
}

suite('malformed input', buildDir);
if (sanitizerDir && sanitizerDir !== buildDir) suite('malformed input, with sanitizers', sanitizerDir);

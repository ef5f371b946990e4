// API keys as operators and callers know them: made by the command line against a running otpd,
// good for what their scopes say and no more, rotated without an outage, ended at once.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { eventually } from './support/process.js';
import { buildDir, newPhone, Stack } from './support/stack.js';

const run = promisify(execFile);
const stacks = [];
after(async () => {
  for (const stack of stacks) await stack.stop();
});
async function start(env = {}) {
  const stack = await Stack.start({ env });
  stacks.push(stack);
  return stack;
}
const main = await start();

// `otpd key …` against that otpd: what it printed on either output.
const otpd = (stack, ...words) => run(path.join(buildDir, 'otpd'), ['key', ...words],
  { cwd: stack.dir, env: stack.environment() });
const make = async (stack, ...words) => (await otpd(stack, 'create', ...words)).stdout.trim();
const refused = async (stack, ...words) => {
  const error = await otpd(stack, ...words).then(() => assert.fail('it worked'), (one) => one);
  assert.equal(error.stdout, '');
  return error.stderr;
};
const bearer = (secret) => ({ Authorization: `Bearer ${secret}` });
const introspect = (stack, secret) => stack.call('POST', '/session/introspect',
  { json: { token: 'x' }, headers: secret ? bearer(secret) : {} });
const works = async (stack, secret) => (await introspect(stack, secret)).status === 200;
const entry = async (stack, name) => (await stack.admin('GET', '/admin/keys')).json.keys
  .find((key) => key.name === name);

test('a fresh install is open to this machine; the first key ends that', async () => {
  assert.equal((await introspect(main)).status, 200);
  const { stdout, stderr } = await otpd(main, 'create', 'shop');
  assert.match(stdout, /^otpk_[A-Za-z0-9_-]{43}\n$/);
  assert.ok(stderr.includes('shop') && !stderr.includes(stdout.trim()), stderr);
  const closed = await introspect(main);
  assert.deepEqual([closed.status, closed.headers['www-authenticate']], [401, 'Bearer']);
  assert.ok(await works(main, stdout.trim()));
  const bad = await introspect(main, `${stdout.trim()}x`);
  assert.equal(bad.headers['www-authenticate'], 'Bearer error="invalid_token"');
  assert.ok(!main.log.includes(stdout.trim()));
  await main.crash();
  await main.startOtpd();
  assert.ok(await works(main, stdout.trim()));
  assert.equal((await introspect(main)).status, 401);
});

test('neither pages of other origins nor what a proxy forwards are this machine', async () => {
  const stack = await start({ OTPD_SERVER_PUBLIC_URL: 'https://otp.example' });
  await eventually('the warning', () => stack.log.includes('a proxy on this machine forwards'));
  const paths = ['recovery-codes', 'unlock', 'logout'].map((one) => `/users/${randomUUID()}/${one}`);
  const statuses = async (headers) => (await Promise.all([
    ...paths.map((one) => stack.call('POST', one, { headers })),
    stack.call('POST', '/session/revoke', { form: { token: 'x' }, headers }),
    stack.call('POST', '/otp/send', { json: { phone: newPhone() }, headers }),
    stack.call('GET', '/metrics', { headers }),
  ])).map((answer) => answer.status);
  for (const headers of [{ Origin: 'https://evil.example' }, { Origin: 'null' },
    { Origin: `http://127.0.0.1:${stack.simPort}` }, { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' }, { 'X-Forwarded-For': '8.8.8.8' },
    { 'X-Forwarded-For': '127.0.0.1' }, { Forwarded: 'for=8.8.8.8' }]) {
    assert.deepEqual(new Set(await statuses(headers)), new Set([401]), JSON.stringify(headers));
  }
  for (const headers of [{}, { Origin: stack.url, 'Sec-Fetch-Site': 'same-origin' },
    { Origin: 'https://otp.example' }]) {
    assert.deepEqual(await statuses(headers), [201, 200, 200, 200, 202, 200]);
  }
  await make(stack, 'first');
  await stack.crash();
  stack.pastOutput = '';
  await stack.startOtpd();
  assert.ok(!stack.log.includes('a proxy on this machine forwards'), stack.log);
});

// What a key of each scope may call; a body that cannot be used shows that it was let through.
const user = `/users/${randomUUID()}`;
const routes = [
  ['POST', '/otp/send', ['send']], ['POST', '/otp/verify', ['verify']],
  ['GET', '/captcha', ['send']], ['GET', '/otp/x', ['send', 'verify']],
  ['DELETE', '/otp/x', ['send']],
  ['POST', '/session/introspect', ['sessions']], ['POST', '/session/revoke', ['sessions']],
  ['POST', '/session/rotate', ['sessions']], ['DELETE', `${user}/sessions/x`, ['sessions']],
  ['GET', `${user}/sessions`, ['sessions']], ['POST', `${user}/logout`, ['sessions']],
  ['POST', `${user}/factors`, ['factors']], ['GET', `${user}/factors`, ['factors']],
  ['POST', `${user}/factors/x/confirm`, ['factors']],
  ['POST', `${user}/factors/x/verify`, ['factors']], ['DELETE', `${user}/factors/x`, ['factors']],
  ['POST', `${user}/recovery-codes`, ['factors']],
  ['POST', `${user}/recovery-codes/verify`, ['factors']], ['POST', `${user}/unlock`, ['factors']],
  ['GET', '/metrics', ['admin']], ['GET', '/admin/providers', ['admin']],
  ['POST', '/admin/providers/x/disable', ['admin']], ['POST', '/admin/providers/x/enable', ['admin']],
  ['GET', '/admin/queue', ['admin']], ['GET', '/admin/dead-letters', ['admin']],
  ['POST', '/admin/dead-letters/x/requeue', ['admin']], ['GET', '/admin/webhook', ['admin']],
  ['POST', '/admin/webhook/enable', ['admin']], ['GET', '/admin/verifications/x', ['admin']],
  ['GET', '/admin/events', ['admin']], ['GET', '/admin/audit/chains', ['admin']],
  ['GET', '/admin/audit/lines', ['admin']], ['GET', '/admin/audit/checkpoints', ['admin']],
  ['GET', '/admin/users/x/factors', ['admin']], ['DELETE', '/admin/users/x/factors/x', ['admin']],
  ['POST', '/admin/users/x/unlock', ['admin']],
  ['GET', '/admin/blocks', ['admin']], ['DELETE', '/admin/blocks/x', ['admin']],
  ['GET', '/admin/apps', ['admin']], ['GET', '/admin/apps/x', ['admin']],
  ['GET', '/admin/keys', ['admin']], ['POST', '/admin/keys', ['admin']],
  ['POST', '/admin/keys/x/rotate', ['admin']], ['DELETE', '/admin/keys/x', ['admin']],
];

test('a key is good for the routes of its scopes, and for no other', async () => {
  for (const scope of ['send', 'verify', 'sessions', 'factors', 'admin']) {
    const headers = bearer(await make(main, `for-${scope}`, '--scopes', scope));
    for (const [method, target, scopes] of routes) {
      const json = method === 'POST' ? { nonsense: 1 } : undefined;
      // From another machine, where nothing is open.
      const answer = await main.call(method, target, { headers, json, ip: '203.0.113.9' });
      const what = `${scope} key, ${method} ${target}: ${answer.status} ${answer.body}`;
      if (scopes.includes(scope)) {
        assert.ok(![401, 403, 500].includes(answer.status), what);
        continue;
      }
      assert.deepEqual([answer.status, answer.json?.error, answer.json?.scope],
        [403, 'forbidden', scopes.join(' ')], what);
      assert.equal(answer.headers['www-authenticate'],
        `Bearer error="insufficient_scope", scope="${scopes.join(' ')}"`);
    }
  }
});

test('the matrix above has every route of the contract that asks who is calling', async () => {
  const { Spec } = await import('./support/spec.js');
  const shape = (target) => target.replace(user, '/users/_').replace(/\/x(?=\/|$)/g, '/_');
  const open = /^\/(healthz|readyz|openapi\.yaml|callbacks|demo|admin\/test-clock)/;
  const documented = new Spec().operations()
    .filter(({ path: one, method }) => !open.test(one) && method !== 'OPTIONS')
    .map(({ method, path: one }) => `${method} ${one.replace(/\{[^}]+\}/g, '_')}`);
  assert.deepEqual(routes.map(([method, target]) => `${method} ${shape(target)}`).sort(),
    documented.sort());
});

test('a rotation gives another secret; the one before works for the overlap', async () => {
  const first = await make(main, 'turning');
  const { stdout, stderr } = await otpd(main, 'rotate', 'turning', '--overlap', '2h');
  const second = stdout.trim();
  assert.notEqual(second, first);
  assert.match(stderr, /works until \d{4}-/);
  assert.ok(await works(main, first));
  assert.ok(await works(main, second));
  await main.advance(2 * 3600 - 1);
  assert.ok(await works(main, first));
  await main.advance(1);
  assert.ok(!await works(main, first));
  assert.ok(await works(main, second));
  const third = (await otpd(main, 'rotate', 'turning', '--overlap', '0')).stdout.trim();
  assert.ok(!await works(main, second));
  assert.ok(await works(main, third));
});

test('a revoked key is dead at once, an expired one from its second on', async () => {
  const lost = await make(main, 'lost');
  const brief = await make(main, 'brief', '--expires-in', '1h');
  assert.ok(await works(main, lost));
  await otpd(main, 'revoke', 'lost');
  assert.ok(!await works(main, lost));
  assert.match(await refused(main, 'revoke', 'lost'), /no live API key named lost/);
  await main.advance(3599);
  assert.ok(await works(main, brief));
  await main.advance(1);
  const over = await introspect(main, brief);
  assert.deepEqual([over.status, over.json.detail],
    [401, (await introspect(main, lost)).json.detail]);
  const again = await make(main, 'brief');
  assert.ok(await works(main, again));
  const { stdout } = await otpd(main, 'list');
  for (const line of [/^lost .* revoked /m, /^brief .* expired /m, /^brief .* active /m]) {
    assert.match(stdout, line);
  }
  assert.ok(!stdout.includes('otpk_'));
});

test('what is refused is said', async () => {
  await make(main, 'once');
  assert.match(await refused(main, 'create', 'once'), /live API key .* has this name/);
  assert.match(await refused(main, 'create', 'a', '--scopes', 'all'), /A scope is one of send/);
  assert.match(await refused(main, 'create', 'a', '--app', 'nobodys'), /no such application/);
  assert.match(await refused(main, 'rotate', 'once', '--overlap', '31d'), /"overlap" must be/);
});

test('when a key was used is known to the minute, and survives the end of the process', async () => {
  const secret = await make(main, 'counted');
  assert.equal((await entry(main, 'counted')).last_used_at, undefined);
  await works(main, secret);
  const first = await eventually('the use is written', async () =>
    (await entry(main, 'counted')).last_used_at);
  await main.advance(59);
  await works(main, secret);
  await main.advance(1);
  await works(main, secret);
  await main.otpd.stop();
  main.pastOutput += main.otpd.output;
  await main.startOtpd();
  const second = (await entry(main, 'counted')).last_used_at;
  assert.equal(Date.parse(second) - Date.parse(first), 60_000);
});

test('the audit log has who made, turned and ended which key', async () => {
  const { id } = await entry(main, 'turning');
  for (const [type, count] of [['created', 1], ['rotated', 2]]) {
    const { events } = (await main.admin('GET', `/admin/events?event_type=admin_key_${type}`)).json;
    assert.equal(events.filter(({ detail }) => detail === id).length, count, type);
  }
  const ended = await main.admin('GET', '/admin/events?event_type=admin_key_revoked');
  assert.equal(ended.json.events[0].detail, (await entry(main, 'lost')).id);
});

test('a key is of one application, and sees nothing of another', async () => {
  const { stdout: printed } = await run(path.join(buildDir, 'otpd'), ['key', 'new', 'teller']);
  const [, configured, entryOf] = /(otpk_\S+)[^"]*"(teller:[0-9a-f]{64})"/.exec(printed);
  const env = {
    OTPD_APPLICATIONS_BANK_MESSAGES_BRAND: 'Bank', OTPD_AUTH_API_KEYS: `bank/${entryOf}`,
  };
  const stack = await start(env);
  const bank = await make(stack, 'shop', '--app', 'bank');
  const base = await make(stack, 'shop');  // the same name, elsewhere
  assert.match(await refused(stack, 'create', 'boss', '--app', 'bank', '--scopes', 'admin'),
    /Only keys of the application default/);
  const as = (secret, method, target, json) =>
    stack.call(method, target, { json, headers: bearer(secret) });
  const phone = newPhone();
  const sent = await as(bank, 'POST', '/otp/send', { phone, idempotency_key: 'one' });
  assert.equal(sent.status, 202);
  const code = await stack.code(phone);
  assert.match((await stack.message(phone)).text, /Bank/);
  assert.equal((await as(base, 'GET', `/otp/${sent.json.verification_id}`)).status, 404);
  assert.equal((await as(configured, 'GET', `/otp/${sent.json.verification_id}`)).status, 200);
  assert.equal((await as(base, 'POST', '/otp/verify', { phone, code })).status, 410);
  const opened = await as(bank, 'POST', '/otp/verify', { phone, code });
  assert.equal(opened.status, 200);
  const token = { token: opened.json.session_token };
  assert.equal((await as(base, 'POST', '/session/introspect', token)).json.active, false);
  assert.equal((await as(configured, 'POST', '/session/introspect', token)).json.active, true);
  assert.equal((await as(base, 'POST', '/otp/send', { phone, idempotency_key: 'one' })).status, 202);

  // Taken out of the configuration, an application's keys open nothing; put back, they do again.
  await stack.otpd.stop();
  stack.pastOutput += stack.otpd.output;
  stack.extra = {};
  await stack.startOtpd();
  assert.equal((await as(bank, 'POST', '/session/introspect', token)).status, 401);
  assert.equal((await as(base, 'POST', '/session/introspect', token)).status, 200);
  await otpd(stack, 'revoke', 'shop');
  stack.extra = env;
  await stack.otpd.stop();
  await stack.startOtpd();
  assert.equal((await as(bank, 'POST', '/session/introspect', token)).json.active, true);
  assert.equal((await as(base, 'POST', '/session/introspect', token)).status, 401);
});

test('keys of the configuration go on working, for everything but administration', async () => {
  const { stdout } = await run(path.join(buildDir, 'otpd'), ['key', 'new', 'web']);
  const [, secret, config] = /(otpk_\S+)[^"]*"(web:[0-9a-f]{64})"/.exec(stdout);
  const stack = await start({ OTPD_AUTH_API_KEYS: `default/${config}` });
  assert.equal((await introspect(stack)).status, 401);
  assert.ok(await works(stack, secret));
  const sent = await stack.call('POST', '/otp/send',
    { json: { phone: newPhone() }, headers: bearer(secret) });
  assert.equal(sent.status, 202);
  const admin = await stack.call('GET', '/admin/keys', { headers: bearer(secret) });
  assert.deepEqual([admin.status, admin.json.scope], [403, 'admin']);
  const { body, json } = await stack.admin('GET', '/admin/keys');
  assert.deepEqual(json.keys, [{ name: 'web', application: 'default',
    scopes: ['send', 'verify', 'sessions', 'factors'], source: 'configuration', status: 'active' }]);
  for (const told of [body, (await otpd(stack, 'list')).stdout]) {
    assert.ok(told.includes('web') && !told.includes(config.split(':')[1]), told);
  }
  assert.match((await otpd(stack, 'list')).stdout, /^web +default +active .* \(configuration\)$/m);
  for (const word of ['revoke', 'rotate']) {
    assert.equal(await refused(stack, word, 'web'),
      'otpd: the API key web of the application default stands in the configuration: '
      + 'change it there, in auth.api_keys, and restart otpd\n');
  }
  assert.ok(await works(stack, secret));
  // One that was made under the same name is another key, and can be ended.
  const made = await make(stack, 'web');
  await otpd(stack, 'revoke', 'web');
  assert.deepEqual([await works(stack, made), await works(stack, secret)], [false, true]);
});

// What otpd sends, judged by peers that nobody here wrote: the package standardwebhooks checks the
// signature of the webhook provider, @smithy/signature-v4 signs the request to SNS again, and
// smtp-server takes the mail over STARTTLS and AUTH.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { Webhook } from 'standardwebhooks';
import { eventually, freePort } from './support/process.js';
import { codeIn, newPhone, Stack } from './support/stack.js';

const cleanups = [];
after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

async function start(env) {
  const stack = await Stack.start({
    sim: false, env: { OTPD_TESTING_VIRTUAL_CLOCK: undefined, ...env },
  });
  cleanups.push(() => stack.stop());
  return stack;
}

// A server that keeps requests {method, url, headers, body} and answers with `reply`.
async function listen(reply) {
  const requests = [];
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const bytes of request) chunks.push(bytes);
    const { method, url, headers } = request;
    requests.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
    response.writeHead(200).end(reply);
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  cleanups.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => { server.close(resolve); });
  });
  return { requests, url: `http://127.0.0.1:${server.address().port}` };
}

async function send(stack, json) {
  const answer = await stack.call('POST', '/otp/send', { json });
  assert.equal(answer.status, 202, answer.body);
  return answer.json.verification_id;
}

const becomes = (stack, id, status) => eventually(`${id} is ${status}`, async () =>
  (await stack.call('GET', `/otp/${id}`)).json.status === status);

test('webhook: signed as standardwebhooks wants it, in both directions', async () => {
  const secrets = ['a secret of more than 24 bytes', 'an older secret of the same size']
    .map((secret) => Buffer.from(secret).toString('base64'));
  const [own, old] = secrets.map((secret) => new Webhook(`whsec_${secret}`));
  const { requests, url } = await listen('{"id": "own-1"}');
  const stack = await start({
    OTPD_DELIVERY_ROUTES_SMS: 'own',
    OTPD_PROVIDERS_OWN_KIND: 'webhook',
    OTPD_PROVIDERS_OWN_URL: `${url}/messages`,
    OTPD_PROVIDERS_OWN_SECRETS: secrets.map((secret) => `whsec_${secret}`).join(' '),
  });
  const phone = newPhone();
  const id = await send(stack, { phone });
  const [request] = await eventually('a webhook', () => requests.length > 0 && requests);
  const said = own.verify(request.body, request.headers);  // throws if it is not genuine
  assert.deepEqual(old.verify(request.body, request.headers), said);
  assert.throws(() => own.verify(`${request.body} `, request.headers));
  assert.throws(() => own.verify(request.body, { ...request.headers, 'webhook-id': 'msg_other' }));
  assert.deepEqual([said.type, said.data.to, said.data.channel], ['otp.message', phone, 'sms']);
  assert.equal(said.data.code, codeIn(said.data.text));

  await becomes(stack, id, 'sent');
  const body = JSON.stringify({ type: 'otp.delivered', data: { id: 'own-1' } });
  const receipt = (key, at = new Date(), text = body) => {
    const headers = {
      'Content-Type': 'application/json',
      'webhook-id': 'msg_receipt',
      'webhook-timestamp': String(Math.floor(at / 1000)),
      'webhook-signature': key.sign('msg_receipt', at, body),
    };
    return stack.call('POST', new URL(said.data.callback_url).pathname
      + new URL(said.data.callback_url).search, { body: text, headers });
  };
  const stranger = new Webhook(`whsec_${Buffer.from('a secret of somebody else').toString('base64')}`);
  for (const answer of [await receipt(stranger), await receipt(own, new Date(Date.now() - 3_600_000)),
    await receipt(own, new Date(), body.replace('own-1', 'own-2'))]) {
    assert.equal(answer.status, 403, answer.body);
  }
  assert.equal((await stack.call('GET', `/otp/${id}`)).json.status, 'sent');
  assert.equal((await receipt(old)).status, 204);
  await becomes(stack, id, 'delivered');
});

for (const sessionToken of ['', 'a/session+token==']) {
  test(`SNS: AWS signs the same request the same way${sessionToken && ' with a session token'}`, async () => {
    const credentials = {
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
      ...(sessionToken && { sessionToken }),
    };
    const { requests, url } = await listen('<PublishResponse><PublishResult><MessageId>'
      + '94f20ce6-13c5-43a0-9a9e-ca52d816e90b</MessageId></PublishResult></PublishResponse>');
    const stack = await start({
      OTPD_DELIVERY_ROUTES_SMS: 'aws',
      OTPD_PROVIDERS_AWS_KIND: 'sns',
      OTPD_PROVIDERS_AWS_REGION: 'eu-west-1',
      OTPD_PROVIDERS_AWS_BASE_URL: url,
      OTPD_PROVIDERS_AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      OTPD_PROVIDERS_AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      OTPD_PROVIDERS_AWS_SESSION_TOKEN: sessionToken || undefined,
      OTPD_MESSAGES_BRAND: 'Käse & Söhne=100%+1 ~',
    });
    const phone = newPhone();
    const id = await send(stack, { phone });
    const [request] = await eventually('a request', () => requests.length > 0 && requests);
    await becomes(stack, id, 'sent');
    assert.ok(new URLSearchParams(request.body).get('Message').includes('Käse & Söhne=100%+1 ~'));

    const signedHeaders = /SignedHeaders=([^,]+),/.exec(request.headers.authorization)[1].split(';');
    for (const name of ['host', 'x-amz-date', ...(sessionToken ? ['x-amz-security-token'] : [])]) {
      assert.ok(signedHeaders.includes(name), request.headers.authorization);
    }
    const date = request.headers['x-amz-date']
      .replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z');
    const signer = new SignatureV4({
      credentials, region: 'eu-west-1', service: 'sns', sha256: Sha256, applyChecksum: false,
    });
    const again = await signer.sign({
      method: request.method,
      protocol: 'http:',
      hostname: '127.0.0.1',
      path: request.url,
      headers: Object.fromEntries(signedHeaders.map((name) => [name, request.headers[name]])),
      body: request.body,
    }, { signingDate: new Date(date), signableHeaders: new Set(signedHeaders) });
    const parts = (text) => text.split(/,\s*/);
    assert.deepEqual(parts(request.headers.authorization), parts(again.headers.authorization));
  });
}

// A mail server with STARTTLS and AUTH; {port, certificate, mails, logins}.
async function listenForMail() {
  const dir = await mkdtemp(path.join(tmpdir(), 'otpd-mail-'));
  cleanups.push(() => rm(dir, { recursive: true }));
  const [key, cert] = [path.join(dir, 'key.pem'), path.join(dir, 'certificate.pem')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
    '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'], { stdio: 'ignore' });
  const seen = { mails: [], logins: [], port: await freePort(), certificate: cert };
  const server = new SMTPServer({
    key: readFileSync(key),
    cert: readFileSync(cert),
    authMethods: ['PLAIN', 'LOGIN'],
    onAuth({ username, password }, session, done) {
      seen.logins.push({ username, password, secure: session.secure });
      if (password === 'mail-secret') done(null, { user: username });
      else done(new Error('no'));
    },
    onData(stream, session, done) {
      const chunks = [];
      stream.on('data', (bytes) => chunks.push(bytes));
      stream.on('end', () => {
        seen.mails.push({ envelope: session.envelope, raw: Buffer.concat(chunks) });
        done(null, 'queued as 4XyZ');
      });
    },
  });
  server.on('error', () => {});  // a client that does not trust the certificate hangs up
  await new Promise((resolve) => { server.listen(seen.port, '127.0.0.1', resolve); });
  cleanups.push(() => new Promise((resolve) => { server.close(resolve); }));
  return seen;
}

const login = ({ port, certificate }) => ({
  OTPD_PROVIDERS_MAIL_URL: `smtp://127.0.0.1:${port}`,
  OTPD_PROVIDERS_MAIL_CA_FILE: certificate,
  OTPD_PROVIDERS_MAIL_USER: 'otpd-user',
  OTPD_PROVIDERS_MAIL_PASSWORD: 'mail-secret',
  OTPD_PROVIDERS_MAIL_FROM: 'Käse <otp@example.org>',
});

test('SMTP: a mail over STARTTLS and AUTH, as text and as HTML', async () => {
  const server = await listenForMail();
  const stack = await start(login(server));
  const email = 'ada.lovelace+otp@example.com';
  await send(stack, { email, locale: 'de' });
  const [mail] = await eventually('a mail', () => server.mails.length > 0 && server.mails);
  assert.deepEqual(server.logins, [{ username: 'otpd-user', password: 'mail-secret', secure: true }]);
  assert.equal(mail.envelope.mailFrom.address, 'otp@example.org');
  assert.deepEqual(mail.envelope.rcptTo.map((to) => to.address), [email]);

  const parsed = await PostalMime.parse(mail.raw);
  assert.deepEqual([parsed.from.name, parsed.from.address], ['Käse', 'otp@example.org']);
  assert.deepEqual(parsed.to.map((to) => to.address), [email]);
  assert.ok(parsed.subject);
  assert.match(parsed.messageId, /^<[^@>]+@[^@>]+>$/);
  assert.ok(Math.abs(Date.parse(parsed.date) - Date.now()) < 60_000, parsed.date);
  const code = codeIn(parsed.text);
  assert.ok(parsed.html.includes(code), parsed.html);
  assert.match(parsed.html, /<html[^>]* lang="de"/);
  const verdict = await stack.call('POST', '/otp/verify', { json: { email, code } });
  assert.equal(verdict.status, 200, verdict.body);
});

test('SMTP: nothing is said to a server whose certificate is not trusted', async () => {
  const server = await listenForMail();
  const stack = await start({ ...login(server), OTPD_PROVIDERS_MAIL_CA_FILE: undefined });
  const id = await send(stack, { email: 'ada@example.com' });
  await eventually('a failed try', async () => {
    const { json } = await stack.admin('GET', '/admin/providers');
    return json.providers.find((one) => one.name === 'mail').error_rate === 1;
  });
  assert.deepEqual([server.logins, server.mails], [[], []]);
  assert.equal((await stack.call('GET', `/otp/${id}`)).json.status, 'queued');
});

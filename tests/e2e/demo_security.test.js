// The security page in real Chromium: an app is set up from the QR code that is on the screen, as
// ZBar reads it, and signs in; so does a recovery code.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { launch, lowContrast, newPage } from './support/browser.js';
import { newPhone, Stack } from './support/stack.js';

const run = promisify(execFile);
const stack = await Stack.start();
const browser = await launch();
const shots = process.env.OTPD_SCREENSHOT_DIR ?? await mkdtemp(path.join(tmpdir(), 'otpd-shots-'));
await mkdir(shots, { recursive: true });
after(async () => {
  await browser.close();
  await stack.stop();
});

const press = (page, name) => page.getByRole('button', { name, exact: true }).click();
const heading = (page, name) => page.getByRole('heading', { level: 1, name }).waitFor();
const says = (page, text) => page.locator('main').getByText(text).waitFor();

async function looksRight(page, name) {
  await page.screenshot({ path: path.join(shots, `security-${name}.png`), fullPage: true });
  assert.deepEqual(await page.evaluate(lowContrast), []);
}

async function signIn(page) {
  const phone = newPhone();
  await page.goto(`${stack.url}/demo`);
  await page.getByLabel('Phone number').fill(phone);
  await press(page, 'Send code');
  await page.getByLabel('Code', { exact: true }).fill(await stack.code(phone));
  await press(page, 'Verify');
  await heading(page, 'You are signed in');
}

// The secret of the otpauth URI in the QR code that is on the screen.
async function scan(page) {
  const picture = path.join(shots, 'qr.png');
  await page.locator('#qr').screenshot({ path: picture });
  const { stdout } = await run('zbarimg', ['--quiet', '--raw', picture]);
  const uri = new URL(stdout.trim());
  assert.equal(uri.protocol, 'otpauth:');
  return uri.searchParams.get('secret');
}

async function appCode(secret) {
  const { epoch } = (await stack.admin('GET', '/admin/test-clock')).json;
  const { stdout } = await run('oathtool', ['--base32', '--totp', `--now=@${epoch}`, secret]);
  return stdout.trim();
}

async function enter(page, label, code, button) {
  await page.getByLabel(label, { exact: true }).fill(code);
  await press(page, button);
}

test('an app is set up, signs in, and is removed; recovery codes work once', async () => {
  const page = await newPage(browser, { acceptDownloads: true, reducedMotion: 'reduce' });
  await signIn(page);
  await page.getByRole('link', { name: 'Set up an authenticator app' }).click();
  await heading(page, 'Your security');
  await looksRight(page, 'empty');

  await press(page, 'Add an authenticator app');
  await heading(page, 'Scan this with your app');
  await looksRight(page, 'enrol');
  const secret = await scan(page);
  await enter(page, "The app's first code", '00000', 'Confirm');
  await says(page, 'Not a code');
  await enter(page, "The app's first code", 'abc', 'Confirm');
  await says(page, 'The app shows a code of six digits.');
  await enter(page, "The app's first code", await appCode(secret), 'Confirm');
  await heading(page, 'Your security');
  await says(page, /Authenticator app · active/);

  await press(page, 'Make recovery codes');
  await heading(page, 'Save your recovery codes');
  const codes = await page.locator('#recovery li').allInnerTexts();
  assert.equal(new Set(codes).size, 10);
  await looksRight(page, 'codes');
  const [download] = await Promise.all([
    page.waitForEvent('download'), page.getByRole('link', { name: 'Download' }).click()]);
  assert.equal((await readFile(await download.path(), 'utf8')).trim(), codes.join('\n'));
  await press(page, 'I have saved them');
  await says(page, 'Recovery codes left: 10.');
  await looksRight(page, 'overview');

  await press(page, 'Log out');
  await heading(page, 'Sign in with your app');
  await looksRight(page, 'login');
  await stack.advance(30);
  const code = await appCode(secret);
  await enter(page, 'Code', code, 'Sign in');
  await heading(page, 'Your security');
  await press(page, 'Log out');
  await enter(page, 'Code', code, 'Sign in');
  await says(page, 'Wrong code');

  for (const text of ['abc', ' ']) {
    await enter(page, 'Code', text, 'Sign in');
    await says(page, 'The app shows a code of six digits.');
  }

  await press(page, 'Use a recovery code');
  for (const text of ['abc', 'x'.repeat(30), 'x'.repeat(100)]) {
    await enter(page, 'Code', text, 'Sign in');
    await says(page, 'A recovery code has ten letters and digits');
  }
  await enter(page, 'Code', codes[0].toUpperCase(), 'Sign in');
  await says(page, 'Recovery codes left: 9.');
  await press(page, 'Remove');
  await says(page, 'With an authenticator app you sign in');
  await press(page, 'Log out');
  await heading(page, 'You are not signed in');
  assert.deepEqual(page.complaints, []);
  const shown = await page.locator('#calls').innerText();
  for (const kept of [secret, code, ...codes]) assert.ok(!shown.includes(kept), 'the wire shows it');
  await page.context().close();
});

test('on a small and dark screen, and without a session that lives', async () => {
  const page = await newPage(browser,
    { viewport: { width: 320, height: 640 }, colorScheme: 'dark', reducedMotion: 'reduce' });
  await signIn(page);
  await page.goto(`${stack.url}/demo/security.html`);
  await press(page, 'Add an authenticator app');
  await heading(page, 'Scan this with your app');
  await looksRight(page, 'dark');
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await press(page, 'Cancel');
  await heading(page, 'Your security');
  const token = await page.evaluate(() => sessionStorage.getItem('otpd-demo-session'));
  await stack.call('POST', '/session/revoke', { json: { token } });
  await page.reload();
  await heading(page, 'You are not signed in');
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

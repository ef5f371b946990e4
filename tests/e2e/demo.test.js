// The demo page in real Chromium against the real service. Screenshots go to
// OTPD_SCREENSHOT_DIR, or to a temporary folder.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { launch, lowContrast, newPage } from './support/browser.js';
import { Spec } from './support/spec.js';
import { newPhone, Stack, wrong } from './support/stack.js';

const stack = await Stack.start();
const browser = await launch();
const shots = process.env.OTPD_SCREENSHOT_DIR ?? await mkdtemp(path.join(tmpdir(), 'otpd-shots-'));
await mkdir(shots, { recursive: true });
after(async () => {
  await browser.close();
  await stack.stop();
});

// A test with a page of its own, on which nothing may go wrong unnoticed.
function onPage(name, options, body) {
  test(name, async () => {
    const page = await newPage(browser, options);
    try {
      await body(page);
      assert.deepEqual(page.complaints, []);
    } finally {
      await page.context().close();
    }
  });
}

const open = (page, hash = '') => page.goto(`${stack.url}/demo${hash}`);
const says = (page, text) => page.locator('main').getByText(text);
const openOptions = (page) => page.getByText('Options').click();
const heading = (page, text) => page.getByRole('heading', { level: 1, name: text }).waitFor();
const alert = (page) => page.locator('main .notice:visible').innerText();
const press = (page, name) => page.getByRole('button', { name }).click();
const focused = (page) => page.evaluate(() => document.activeElement.id);

async function sendTo(page, phone) {
  await page.getByLabel('Phone number').fill(phone);
  await press(page, 'Send code');
  await heading(page, 'Check your messages');
}

async function enter(page, code) {
  await page.getByLabel('Code', { exact: true }).fill(code);
  await press(page, 'Verify');
}

async function choose(page, label) {
  await page.locator('label', { hasText: label }).first().click();
}

onPage('send, a wrong code, the right code, log out', {}, async (page) => {
  const phone = newPhone();
  await open(page);
  await sendTo(page, phone);
  assert.equal(await focused(page), 'code');
  const code = await stack.code(phone);
  await enter(page, wrong(code));
  await says(page, 'Wrong code').waitFor();
  assert.match(await alert(page), /2 attempts left/);
  assert.equal(await focused(page), 'code');
  await enter(page, code);
  await heading(page, 'You are signed in');
  await page.locator('#facts').getByText(/^active$/).waitFor();
  assert.equal(await focused(page), 'done-title');

  const token = page.waitForRequest('**/session/revoke').then((request) => request.postDataJSON());
  await press(page, 'Log out');
  await heading(page, 'You are logged out');
  await says(page, 'The session is dead').waitFor();
  const state = await stack.call('POST', '/session/introspect', { json: await token });
  assert.deepEqual(state.json, { active: false });
  await press(page, 'Sign in again');
  await heading(page, 'Sign in');
});

onPage('a resend waits its time; the earlier code still works', {}, async (page) => {
  await page.clock.install();
  const phone = newPhone();
  await open(page);
  await sendTo(page, phone);
  const first = await stack.code(phone);
  const resend = page.locator('#resend');
  assert.match(await resend.innerText(), /New code in 0:(30|29|28)/);
  await resend.click({ force: true });
  assert.equal((await stack.inbox(phone)).length, 1);
  await stack.advance(30);
  await page.clock.fastForward(30_000);
  await page.getByRole('button', { name: 'Send a new code' }).click();
  await stack.message(phone, 2);
  await page.getByRole('button', { name: 'New code in' }).waitFor();  // the page has its answer
  assert.match(await page.locator('#life').innerText(), /Valid for 4:(30|2\d)/);
  await enter(page, first);
  await heading(page, 'You are signed in');
});

onPage('a code runs out before the eyes, and on the server', {}, async (page) => {
  await page.clock.install();
  const phone = newPhone();
  await open(page);
  await sendTo(page, phone);
  const code = await stack.code(phone);
  await stack.advance(300);
  await enter(page, code);
  await says(page, 'This code is no longer valid').waitFor();
  await press(page, 'Change');

  await sendTo(page, newPhone());
  await page.clock.fastForward(299_000);
  assert.match(await page.locator('#life').innerText(), /Valid for 0:0[01]/);
  await page.clock.fastForward(2_000);
  await says(page, 'This code is no longer valid').waitFor();
  assert.equal(await page.locator('#verify').isVisible(), false);
  assert.equal(await focused(page), 'resend');
});

onPage('too many wrong codes lock the code', {}, async (page) => {
  const phone = newPhone();
  await open(page);
  await sendTo(page, phone);
  const code = await stack.code(phone);
  for (const by of [1, 2, 3]) {
    await enter(page, wrong(code, by));
    await page.locator('#verify[data-busy="false"]').waitFor({ state: 'attached' });
  }
  await says(page, 'Too many wrong codes').waitFor();
  assert.equal(await page.locator('#verify').isVisible(), false);
  assert.equal(await page.locator('#code').isEditable(), false);
});

onPage('by e-mail', {}, async (page) => {
  const email = `ada.${Date.now()}@example.com`;
  await open(page);
  await choose(page, 'E-mail');
  await page.getByLabel('E-mail address').fill(email);
  await page.keyboard.press('Enter');
  await heading(page, 'Check your messages');
  await enter(page, await stack.code(email));
  await heading(page, 'You are signed in');
});

onPage('a transaction shows what it approves', {}, async (page) => {
  const phone = newPhone();
  await open(page);
  await openOptions(page);
  await choose(page, 'Approve a payment');
  await page.getByLabel('Amount', { exact: true }).fill('1250.50');
  await page.getByLabel('Currency', { exact: true }).fill('chf');
  await page.getByLabel('Payee', { exact: true }).fill('Zürcher Käse & Co.');
  await page.getByLabel('Phone number').fill(phone);
  await press(page, 'Send code');
  await heading(page, 'Confirm the payment');
  const { text } = await stack.message(phone);
  assert.match(text, /1250\.50/);
  assert.match(text, /Zürcher Käse/);
  assert.match(await page.locator('#deal').innerText(), /CHF\s?1,250\.50\s+to Zürcher Käse & Co\./);
  await enter(page, await stack.code(phone));
  await heading(page, 'Payment approved');
  assert.equal(await page.getByRole('button', { name: 'Log out' }).isVisible(), false);
});

onPage('a password-reset link works once, and leaves the address bar', {}, async (page) => {
  const email = `grace.${Date.now()}@example.com`;
  await open(page);
  await openOptions(page);
  await choose(page, 'Reset a password');
  await choose(page, 'E-mail');
  await page.getByLabel('E-mail address').fill(email);
  await press(page, 'Send code');
  await heading(page, 'Check your messages');
  const link = /https?:\/\/\S+#token=\S+/.exec((await stack.message(email)).text)[0];
  assert.ok(link.startsWith(`${stack.url}/demo#token=`), link);
  for (const [button, outcome] of [['Yes, it was me', 'It is really you'], ['Yes, it was me', null]]) {
    await page.goto('about:blank');
    await page.goto(link);
    await heading(page, 'Reset your password');
    assert.equal(page.url(), `${stack.url}/demo`);
    await press(page, button);
    if (outcome) await heading(page, outcome);
    else await says(page, 'This link is no longer valid').waitFor();
    await stack.advance(11); // who clicks twice at once is answered twice
  }
});

onPage('keyboard only', {}, async (page) => {
  const phone = newPhone();
  await open(page);
  assert.equal(await focused(page), 'phone');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.getByLabel('E-mail address').isVisible(), true);
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Tab');
  await page.keyboard.type(phone);
  await page.keyboard.press('Enter');
  await heading(page, 'Check your messages');
  await page.keyboard.type(await stack.code(phone));
  await page.keyboard.press('Enter');
  await heading(page, 'You are signed in');
  await page.keyboard.press('Tab');
  assert.equal(await focused(page), 'logout');
  await page.keyboard.press('Enter');
  await heading(page, 'You are logged out');
});

// Replaces the browser's WebOTP by one that answers when window.giveCode(code) is called.
const stubWebOtp = () => {
  window.OTPCredential = class {};
  window.webOtpCalls = [];
  Object.defineProperty(navigator, 'credentials', {
    value: {
      get: (options) => new Promise((resolve, reject) => {
        window.webOtpCalls.push(options);
        options.signal.addEventListener('abort', () => reject(new DOMException('', 'AbortError')));
        window.giveCode = (code) => resolve({ type: 'otp', code });
      }),
    },
  });
};

onPage('WebOTP fills and submits', {}, async (page) => {
  await page.addInitScript(stubWebOtp);
  const phone = newPhone();
  await open(page);
  await sendTo(page, phone);
  const code = await stack.code(phone);
  assert.deepEqual(await page.evaluate(() => window.webOtpCalls.map(({ otp }) => otp)),
    [{ transport: ['sms'] }]);
  await page.evaluate((given) => window.giveCode(given), code);
  await heading(page, 'You are signed in');
});

onPage('WebOTP is given up as soon as a code is typed and sent', {}, async (page) => {
  await page.addInitScript(stubWebOtp);
  const phone = newPhone();
  await open(page);
  await sendTo(page, phone);
  await enter(page, await stack.code(phone));
  await heading(page, 'You are signed in');
  assert.deepEqual(await page.evaluate(() => window.webOtpCalls.map(({ signal }) => signal.aborted)),
    [true]);
});

onPage('the message ends with the line that WebOTP reads; the field is one field', {}, async (page) => {
  const phone = newPhone();
  await open(page);
  await sendTo(page, phone);
  const { text } = await stack.message(phone);
  assert.match(text.split('\n').at(-1), /^@[a-z0-9.-]+ #\d{6}$/);
  const fields = page.locator('#code-screen input');
  assert.equal(await fields.count(), 1);
  assert.equal(await fields.getAttribute('autocomplete'), 'one-time-code');
  assert.equal(await fields.getAttribute('inputmode'), 'numeric');
  await fields.focus();
  await page.keyboard.insertText(' 123-456 ');
  assert.equal(await fields.inputValue(), '123456');
});

onPage('a dead network is said; the next press sends once, under the same key', {}, async (page) => {
  const phone = newPhone();
  const keys = [];
  await page.route('**/otp/send', (route) => {
    keys.push(route.request().headers()['idempotency-key']);
    return keys.length <= 3 ? route.abort('connectionrefused') : route.continue();
  });
  await open(page);
  await page.getByLabel('Phone number').fill(phone);
  await press(page, 'Send code');
  await says(page, 'No connection').waitFor();
  await press(page, 'Send code');
  await heading(page, 'Check your messages');
  assert.equal(keys.length, 4);
  assert.equal(new Set(keys).size, 1);
  await stack.message(phone);
  assert.equal((await stack.inbox(phone)).length, 1);
  page.complaints = page.complaints.filter((text) => !text.includes('net::ERR_CONNECTION_REFUSED'));
});

onPage('every refusal of a send is put into words', {}, async (page) => {
  let problem;
  await page.route('**/otp/send', (route) => route.fulfill({
    status: problem.status, contentType: 'application/problem+json', body: JSON.stringify(problem),
  }));
  await open(page);
  const examples = Object.values(new Spec().document.components.examples)
    .map((example) => example.value)
    .filter((value) => value.error
      && !['in_progress', 'rate_limited', 'captcha_required'].includes(value.error));
  assert.ok(examples.length > 15);
  for (problem of [...examples, { ...examples[0], error: 'of_the_future', status: 418 }]) {
    await page.getByLabel('Phone number').fill(newPhone());
    await page.locator('#phone').blur();
    await page.locator('#start-notice').waitFor({ state: 'hidden' });
    await press(page, 'Send code');
    const said = await alert(page);
    assert.ok(said.length > 30 && !/undefined|null|NaN/.test(said), `${problem.error}: ${said}`);
  }
});

onPage('a send that comes too early leads to the code that is on its way', {}, async (page) => {
  const phone = newPhone();
  await open(page);
  await sendTo(page, phone);
  const code = await stack.code(phone);
  await page.reload();
  await page.getByLabel('Phone number').fill(phone);
  await press(page, 'Send code');
  await says(page, 'A code is already on its way').waitFor();
  await enter(page, code);
  await heading(page, 'You are signed in');
});

test('the policy of the page stops inline scripts', async () => {
  const page = await newPage(browser);
  await open(page);
  const ran = await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.inlineRan = true';
    document.head.append(script);
    return window.inlineRan === true;
  });
  assert.equal(ran, false);
  assert.ok(page.complaints.some((text) => /Content Security Policy/.test(text)));
  await page.context().close();
});

onPage('motion is left out where it is not wanted', { reducedMotion: 'reduce' }, async (page) => {
  await open(page);
  const moving = await page.evaluate(() => [...document.querySelectorAll('*')].filter((node) => {
    const style = getComputedStyle(node);
    return style.animationName !== 'none' || style.transitionDuration !== '0s';
  }).length);
  assert.equal(moving, 0);
});

const looks = [
  ['desktop-light', { viewport: { width: 1280, height: 860 }, colorScheme: 'light' }],
  ['desktop-dark', { viewport: { width: 1280, height: 860 }, colorScheme: 'dark' }],
  ['phone-light', { viewport: { width: 390, height: 844 }, colorScheme: 'light' }],
  ['phone-dark', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' }],
  ['small-dark', { viewport: { width: 320, height: 568 }, colorScheme: 'dark' }],
];
for (const [name, options] of looks) {
  onPage(`fits and can be read: ${name}`, { ...options, reducedMotion: 'reduce' }, async (page) => {
    const look = async (step) => {
      await page.screenshot({ path: path.join(shots, `${name}-${step}.png`), fullPage: true });
      const { scroll, width } = await page.evaluate(() => ({
        scroll: document.documentElement.scrollWidth, width: window.innerWidth,
      }));
      assert.ok(scroll <= width, `${step}: ${scroll} px wide in ${width} px`);
      assert.deepEqual(await page.evaluate(lowContrast), [], step);
    };
    const phone = newPhone();
    await open(page);
    await look('1-start');
    await openOptions(page);
    await choose(page, 'Approve a payment');
    await look('2-options');
    await page.getByLabel('Phone number').fill(phone);
    await press(page, 'Send code');
    await heading(page, 'Confirm the payment');
    const code = await stack.code(phone);
    await look('3-code');
    await enter(page, wrong(code));
    await says(page, 'Wrong code').waitFor();
    await look('4-wrong');
    await enter(page, code);
    await heading(page, 'Payment approved');
    await press(page, 'Start over');
    await choose(page, 'Log in');
    const other = newPhone();
    await sendTo(page, other);
    await enter(page, await stack.code(other));
    await page.locator('#facts').getByText(/^active$/).waitFor();
    await look('5-session');
    await press(page, 'Log out');
    await says(page, 'The session is dead').waitFor();
    await look('6-ended');
  });
}

console.log(`screenshots: ${shots}`);

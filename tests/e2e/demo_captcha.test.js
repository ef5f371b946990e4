// The demo page in real Chromium, when a captcha is asked for.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { launch, newPage } from './support/browser.js';
import { newPhone, Stack } from './support/stack.js';

const stack = await Stack.start();
const browser = await launch();
after(async () => {
  await browser.close();
  await stack.stop();
});

// To be run in a page: keeps every text that ALTCHA's widget shows, however briefly. A quick machine
// has solved the challenge before anybody outside the page could look.
const keepWhatWidgetShows = () => {
  globalThis.widgetShowed = [];
  new MutationObserver(() => {
    const widget = document.querySelector('altcha-widget');
    if (widget?.checkVisibility()) globalThis.widgetShowed.push(widget.innerText);
  }).observe(document, { childList: true, subtree: true, attributes: true, characterData: true });
};

// The page, with the number of somebody who has just had two codes.
async function openFor(phone) {
  for (let i = 0; i < 2; i += 1) {
    const sent = await stack.call('POST', '/otp/send', { json: { phone } });
    assert.equal(sent.status, 202, sent.body);
    await stack.advance(30);
  }
  const page = await newPage(browser);
  await page.addInitScript(keepWhatWidgetShows);
  await page.goto(`${stack.url}/demo`);
  await page.getByLabel('Phone number').fill(phone);
  return page;
}
const press = (page, name) => page.getByRole('button', { name }).click();

test('the third send asks for a captcha, which ALTCHA\'s widget solves by itself', async () => {
  const phone = newPhone();
  const page = await openFor(phone);
  const asked = page.waitForResponse((response) => response.status() === 403);
  const again = page.waitForRequest((request) => request.postDataJSON()?.captcha !== undefined);
  await press(page, 'Send code');
  const problem = await (await asked).json();
  assert.equal(problem.error, 'captcha_required');
  const { challenge, solution } = JSON.parse(atob((await again).postDataJSON().captcha));
  assert.deepEqual(challenge, problem.captcha);
  assert.ok(solution.derivedKey.startsWith(challenge.parameters.keyPrefix));
  await page.getByRole('heading', { level: 1, name: 'Check your messages' }).waitFor();
  await page.getByLabel('Code', { exact: true }).fill(await stack.code(phone, 3));
  const showed = await page.evaluate(() => globalThis.widgetShowed);
  assert.ok(showed.some((text) => text.includes('Verifying')), JSON.stringify(showed));
  await press(page, 'Verify');
  await page.getByRole('heading', { level: 1, name: 'You are signed in' }).waitFor();
  assert.deepEqual(page.complaints, []);
});

test('a captcha that cannot be solved is said', async () => {
  const page = await openFor(newPhone());
  await page.route('**/altcha_pbkdf2.js', (route) => route.abort());
  await press(page, 'Send code');
  await page.locator('main').getByText('One more check is needed').waitFor();
});

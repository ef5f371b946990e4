// The simulator's page in real Chromium: the phone, and the switches that break the carriers.
import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { launch, lowContrast, newPage } from './support/browser.js';
import { eventually } from './support/process.js';
import { Sim } from './support/sim.js';
import { newPhone } from './support/stack.js';

const sim = await Sim.start();
const browser = await launch();
const shots = process.env.OTPD_SCREENSHOT_DIR ?? await mkdtemp(path.join(tmpdir(), 'sms-sim-page-'));
after(async () => {
  await browser.close();
  await sim.stop();
});
beforeEach(() => sim.calm());

async function openPage(options) {
  const page = await newPage(browser, options);
  await page.goto(sim.url);
  await page.waitForSelector('.carrier .switch:not(:empty)', { state: 'attached' });
  return page;
}
const card = (page, face) => page.locator(`.carrier[data-face="${face}"]`);
const plan = async (face) => (await sim.call('GET', `/faults/${face}`)).json;
const becomes = (face, what, check) => eventually(`${face}: ${what}`, async () => check(await plan(face)));

test('messages arrive with their carrier and channel', async () => {
  const page = await openPage();
  await sim.twilio('+14155552671', { text: 'Your code is 481623' });
  await sim.whatsapp('+14155552672', { text: '771203' });
  await page.getByText('Twilio · sms').waitFor();
  await page.getByText('WhatsApp · whatsapp').waitFor();
  await page.getByText('+1 415 555 2671').click();
  await page.getByText(/sms by Twilio from \+14155550100/).waitFor();
  assert.deepEqual(page.complaints, []);
});

test('each switch is one click, and one more ends it', async () => {
  const page = await openPage();
  const expected = [
    ['Outage', (p) => p.outage === true, 'down'],
    ['Hang', (p) => p.hang, 'down'],
    ['Slow', (p) => p.latency_ms.p50 === 1500, 'faulty'],
    ['20 % errors', (p) => p.error_rate === 0.2, 'faulty'],
    ['Throttle', (p) => p.throttle_rate === 1 && p.retry_after === 2, 'down'],
    ['Cut off', (p) => p.reset_rate === 1, 'down'],
    ['Garbage', (p) => p.garbage_rate === 1, 'down'],
    ['Lose', (p) => p.lose_rate === 1, 'down'],
    ['No receipts', (p) => p.receipts === 'off', 'faulty'],
  ];
  const works = (await plan('vonage'));
  for (const [label, check, state] of expected) {
    const button = card(page, 'vonage').getByRole('button', { name: label, exact: true });
    await button.click();
    await becomes('vonage', label, check);
    await card(page, 'vonage').locator(`.state.${state}`).waitFor();
    assert.equal(await button.getAttribute('aria-pressed'), 'true');
    await button.click();
    await becomes('vonage', `no ${label}`, (p) => !check(p));
  }
  assert.deepEqual(await plan('vonage'), works);
  assert.deepEqual(await plan('twilio'), works, 'the others are untouched');
  assert.deepEqual(page.complaints, []);
});

test('faults add up, and the reset buttons end them', async () => {
  const page = await openPage();
  const click = (face, name) => card(page, face).getByRole('button', { name }).click();
  await click('twilio', 'Slow');
  await becomes('twilio', 'slow', (p) => p.latency_ms !== 0);
  await click('twilio', '20 % errors');
  await becomes('twilio', 'both', (p) => p.latency_ms !== 0 && p.error_rate > 0);
  await click('smpp', 'Outage');
  await click('twilio', 'End the faults of Twilio');
  await becomes('twilio', 'calm', (p) => p.latency_ms === 0 && p.error_rate === 0);
  await becomes('smpp', 'still out', (p) => p.outage === true);
  await page.getByRole('button', { name: 'Reset all' }).click();
  await becomes('smpp', 'calm', (p) => p.outage === false);
});

test('sliders and the choice of receipts set what they say', async () => {
  const page = await openPage();
  const generic = card(page, 'generic');
  await generic.getByText('Adjust').click();
  await generic.getByLabel('Errors').fill('35');
  await becomes('generic', 'errors', (p) => p.error_rate === 0.35);
  await generic.getByRole('button', { name: '35 % errors' }).waitFor();
  await generic.getByLabel('Latency, median').fill('700');
  await becomes('generic', 'latency', (p) => p.latency_ms.p50 === 700 && p.latency_ms.p99 === 2800);
  await generic.getByLabel('Receipts', { exact: true }).selectOption('out of order');
  await becomes('generic', 'receipts', (p) => p.receipts === 'out_of_order' && p.error_rate === 0.35);
  assert.equal(await card(page, 'smtp').getByText('Receipts').count(), 0, 'mail has none');
});

test('counts live, and follows what others switch', async () => {
  const page = await openPage();
  await sim.generic(newPhone());
  await sim.faults('generic', { error_rate: 1 });
  await sim.generic(newPhone());
  const counts = card(page, 'generic').locator('.counts');
  await eventually('counts', async () => /1\s*accepted\s*1\s*failed/.test(await counts.innerText()));
  await card(page, 'generic').locator('.state.down').waitFor();
});

test('is readable in the dark and in the light, and fits a phone', async () => {
  await sim.faults('twilio', { outage: true });
  await sim.faults('vonage', { error_rate: 0.2 });
  for (const colorScheme of ['light', 'dark']) {
    const page = await openPage({ colorScheme });
    await card(page, 'twilio').locator('.state.down').waitFor();
    await card(page, 'sns').getByText('Adjust').click();
    assert.deepEqual(await page.evaluate(lowContrast), [], colorScheme);
    await page.screenshot({ path: path.join(shots, `sim-${colorScheme}.png`), fullPage: true });
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  }
  const page = await openPage({ viewport: { width: 360, height: 740 }, hasTouch: true });
  await page.getByRole('button', { name: 'Carriers' }).click();
  assert.equal(await page.locator('.phone').isVisible(), false);
  await card(page, 'vonage').getByRole('button', { name: 'Hang' }).click();
  await becomes('vonage', 'hangs', (p) => p.hang);
  const overflow = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;
  assert.equal(await page.evaluate(overflow), 0);
  await page.screenshot({ path: path.join(shots, 'sim-phone.png') });
  await page.getByRole('button', { name: 'Messages' }).click();
  assert.equal(await page.locator('.phone').isVisible(), true);
  assert.equal(await page.locator('.carriers').isVisible(), false);
});

// Chromium for the tests of pages. OTPD_CHROMIUM says where it is.
import { chromium } from 'playwright-core';

export const launch = () => chromium.launch({
  executablePath: process.env.OTPD_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});

// The browser's own line about an answer that is not 2xx: expected where the page handles it.
const isAnswerNotice = (message) =>
  /^Failed to load resource: the server responded with a status of [45]\d\d/.test(message.text())
  && /\/(otp|session|users)\//.test(message.location().url);

// A page in a context of its own. `page.complaints` gathers what a good page never does: console
// errors and warnings, uncaught exceptions, blocked resources.
export async function newPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  const page = await context.newPage();
  page.complaints = [];
  page.setDefaultTimeout(20_000);
  page.on('pageerror', (error) => page.complaints.push(`uncaught: ${error.message}`));
  page.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type()) || isAnswerNotice(message)) return;
    page.complaints.push(`${message.type()}: ${message.text()}`);
  });
  return page;
}

// To be evaluated in a page: every visible text whose contrast (WCAG 2.2) against the plain colour
// behind it is under 4.5, with its ratio.
export const lowContrast = () => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (colour) => {
    const [r, g, b] = colour.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const isText = (node) => [...node.childNodes].some((child) =>
    child.nodeType === Node.TEXT_NODE && child.textContent.trim());
  return [...document.querySelectorAll('body *')]
    .filter((node) => isText(node) && node.checkVisibility() && !node.closest('.unseen, .skip'))
    .map((node) => {
      const [a, b] = [luminance(rgba(getComputedStyle(node).color)), luminance(behind(node))];
      return { node, ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) };
    })
    .filter(({ ratio }) => ratio < 4.5)
    .map(({ node, ratio }) => `${node.textContent.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
};

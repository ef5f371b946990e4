// Web pages of origins of their own, and what they get for requests from a real browser.
import http from 'node:http';
import { newPage } from './browser.js';

// A page of a free port's origin, which is all that it is.
export function servePage() {
  const server = http.createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><title>A shop</title>');
  });
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve({
      origin: `http://127.0.0.1:${server.address().port}`, stop,
    }));
  });
}

// What a page of that origin gets for a request of its own; `headers` are further ones.
export async function fromPage(browser, origin, method, url, json, headers = {}) {
  const page = await newPage(browser);
  await page.goto(origin);
  const answer = await page.evaluate(async ([target, init]) => {
    try {
      const response = await fetch(target, init);
      return {
        status: response.status, body: await response.json(),
        retryAfter: response.headers.get('Retry-After'), limit: response.headers.get('RateLimit'),
        id: response.headers.get('X-Request-Id'), date: response.headers.get('Date'),
      };
    } catch (error) {
      return { failed: error.name };
    }
  }, [url, {
    method,
    ...(json && { body: JSON.stringify(json) }),
    headers: json
      ? { 'Content-Type': 'application/json', 'Idempotency-Key': `k-${json.phone}`, ...headers }
      : headers,
  }]);
  await page.context().close();
  return answer;
}

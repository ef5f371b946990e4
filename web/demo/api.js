// The service as functions. Each answers {ok, status, body} and never throws: a dead network is
// the problem {error: 'network'}.

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const shorten = (text) => (text.length > 14 ? `${text.slice(0, 9)}…${text.slice(-4)}` : text);

const isLong = (name) =>
  name.endsWith('token') || ['captcha', 'qr_svg', 'qr_png', 'otpauth_uri'].includes(name);

// A copy that is fit to be shown: codes, tokens and secrets cut.
export function masked(value) {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(masked);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => {
    if (name === 'code' || name === 'secret') return [name, '•'.repeat(String(member).length)];
    if (name === 'recovery_codes' && Array.isArray(member)) return [name, member.map(() => '•••••-•••••')];
    if (isLong(name) && typeof member === 'string') return [name, shorten(member)];
    return [name, masked(member)];
  }));
}

const problemOf = (status, body) =>
  (body && typeof body.error === 'string' ? body : { error: status >= 500 ? 'unavailable' : 'internal' });

export class Api {
  // `observe({method, path, request, status, response, ms})` sees every call, masked.
  constructor({ observe = () => {}, fetcher = (...args) => fetch(...args), timeoutMs = 15_000 } = {}) {
    Object.assign(this, { observe, fetcher, timeoutMs });
  }

  // Retries a dead network and a first try that still runs under the same key, so that one press
  // of the button is one message at most.
  async send(request, key) {
    const headers = { 'Idempotency-Key': key };
    for (const ms of [400, 1200]) {
      const answer = await this.call('POST', '/otp/send', request, headers);
      if (!['network', 'in_progress'].includes(answer.body?.error)) return answer;
      await pause(ms);
    }
    return this.call('POST', '/otp/send', request, headers);
  }

  verify(request) { return this.call('POST', '/otp/verify', request); }
  status(id) { return this.call('GET', `/otp/${encodeURIComponent(id)}`); }
  introspect(token) { return this.call('POST', '/session/introspect', { token }); }
  revoke(token) { return this.call('POST', '/session/revoke', { token }); }

  factors(user, method, rest = '', request = undefined) {
    return this.call(method, `/users/${encodeURIComponent(user)}/factors${rest}`, request);
  }
  recovery(user, rest = '', request = undefined) {
    return this.call('POST', `/users/${encodeURIComponent(user)}/recovery-codes${rest}`, request);
  }

  async call(method, path, request, headers = {}) {
    const started = performance.now();
    const answer = await this.exchange(method, path, request, headers);
    this.observe({
      method,
      path,
      request: masked(request ?? null),
      status: answer.status,
      response: masked(answer.body),
      ms: Math.round(performance.now() - started),
    });
    return answer;
  }

  async exchange(method, path, request, headers) {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), this.timeoutMs);
    try {
      const response = await this.fetcher(path, {
        method,
        headers: request ? { 'Content-Type': 'application/json', ...headers } : headers,
        body: request ? JSON.stringify(request) : undefined,
        signal: limit.signal,
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
      });
      const text = await response.text();
      const body = text ? JSON.parse(text) : {};
      return response.ok
        ? { ok: true, status: response.status, body }
        : { ok: false, status: response.status, body: problemOf(response.status, body) };
    } catch (error) {
      const garbled = error instanceof SyntaxError;
      return { ok: false, status: 0, body: { error: garbled ? 'internal' : 'network' } };
    } finally {
      clearTimeout(timer);
    }
  }
}

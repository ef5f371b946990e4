// The routes of API keys, for contract.test.js.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, start } from './contract.js';

export function keyTests(main) {
  test('browsers are told what a page of another origin may ask', async () => {
    const stack = await start({ OTPD_AUTH_CORS_ORIGINS: 'https://shop.example' });
    for (const path of ['/otp/send', '/otp/verify', '/captcha']) {
      for (const Origin of ['https://shop.example', 'https://evil.example']) {
        await ask(stack, 'OPTIONS', path, 204, { headers: { Origin } });
      }
      await ask(main, 'OPTIONS', path, [405, 'method_not_allowed']);
    }
    await ask(stack, 'OPTIONS', '/otp/x', [405, 'method_not_allowed']);
  });

  test('an API key, from its making to its end', async () => {
    const stack = await start();
    const headers = { Authorization: `Bearer ${stack.adminToken}` };
    const admin = (method, path, expected, json) =>
      ask(stack, method, `/admin/keys${path}`, expected, { headers, json });
    const made = await admin('POST', '', 201, { name: 'shop', expires_in: 600 });
    assert.deepEqual(made.scopes, ['send', 'verify', 'sessions', 'factors']);
    await admin('POST', '', [409, 'name_taken'], { name: 'shop' });
    for (const [member, json] of [['name', { name: 'Shop' }], ['name', {}],
      ['application', { name: 'a', application: 'nobodys' }], ['scopes', { name: 'a', scopes: [] }],
      ['scopes', { name: 'a', scopes: ['all'] }], ['expires_in', { name: 'a', expires_in: 0 }],
      ['secret', { name: 'a', secret: 'mine' }]]) {
      assert.equal((await admin('POST', '', [400, 'invalid_request'], json)).member, member);
    }
    const turned = await admin('POST', `/${made.id}/rotate`, 200);
    assert.equal(Date.parse(turned.overlap_ends_at) - Date.parse(turned.rotated_at), 86_400_000);
    await admin('POST', `/${made.id}/rotate`, [400, 'invalid_request'], { overlap: 2_592_001 });
    const { keys: [listed] } = await admin('GET', '', 200);
    const { secret, ...facts } = turned;
    assert.deepEqual(listed, facts);
    assert.notEqual(secret, made.secret);
    await admin('DELETE', `/${made.id}`, 200);
    assert.equal((await admin('DELETE', `/${made.id}`, 200)).status, 'revoked');
    await admin('POST', `/${made.id}/rotate`, [404, 'not_found'], {});
    await admin('DELETE', `/${'0'.repeat(16)}`, [404, 'not_found']);
    await admin('DELETE', '/x', [404, 'not_found']);
    await ask(stack, 'GET', '/admin/keys', [401, 'unauthorized']);
  });
}

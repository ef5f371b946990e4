// The operators' routes of the contract.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, note, start } from './contract.js';
import { newIp, newPhone } from './stack.js';

// Registers the tests; `main` is a running stack, `send` sends a code through one.
export function operatorTests(main, send) {
  test('the virtual clock: read, set, advance, from this machine only', async () => {
    const { epoch } = await ask(main, 'GET', '/admin/test-clock', 200);
    const later = await ask(main, 'POST', '/admin/test-clock/advance', 200, { json: { seconds: 5 } });
    assert.equal(later.epoch, epoch + 5);
    const back = await ask(main, 'POST', '/admin/test-clock', 200, { json: { epoch } });
    assert.equal(back.epoch, epoch);
    for (const json of [{ epoch: -1 }, { epoch: '1' }, { epoch: 1.5 }, {}, { seconds: 1 }]) {
      await ask(main, 'POST', '/admin/test-clock', [400, 'invalid_request'], { json });
    }
    await ask(main, 'GET', '/admin/test-clock', [403, 'forbidden'], { ip: newIp() });
  });

  test('operators: providers, the queue, why a code did not arrive', async () => {
    const headers = { Authorization: `Bearer ${main.adminToken}` };
    const id = (await send(main, { phone: newPhone() })).verification_id;
    const none = 'v_'.padEnd(id.length, 'A');
    for (const [method, path, missing] of [
      ['GET', '/admin/providers'], ['GET', '/admin/queue'],
      ['GET', `/admin/verifications/${id}`, `/admin/verifications/${none}`],
      ['POST', '/admin/providers/twilio/disable', '/admin/providers/nobody/disable'],
      ['POST', '/admin/providers/twilio/enable', '/admin/providers/nobody/enable'],
    ]) {
      await ask(main, method, path, [401, 'unauthorized']);
      await ask(main, method, path, 200, { headers });
      if (missing) await ask(main, method, missing, [404, 'not_found'], { headers });
    }
  });

  test('operators: closed blocks of numbers, and their reset', async () => {
    const stack = await start({ OTPD_PUMPING_MIN_SENDS: '5' });
    const headers = { Authorization: `Bearer ${stack.adminToken}` };
    const block = '+1415555';
    for (let n = 0; n < 5; n += 1) await send(stack, { phone: `${block}${2671 + n}` });
    await stack.advance(240);
    const closed = await ask(stack, 'POST', '/otp/send', [429, 'rate_limited'],
      { json: { phone: `${block}9999` } });
    assert.equal(closed.limit, 'block');
    await ask(stack, 'GET', '/admin/blocks', [401, 'unauthorized']);
    const { blocks } = await ask(stack, 'GET', '/admin/blocks', 200, { headers });
    assert.deepEqual(blocks.map(({ prefix, sends }) => [prefix, sends]), [[block, 5]]);
    await ask(stack, 'GET', '/admin/blocks?application=nobody', [400, 'invalid_request'], { headers });
    await ask(stack, 'GET', '/admin/blocks?application=default', 200, { headers });
    await ask(stack, 'DELETE', `/admin/blocks/${block}?application=nobody`, [400, 'invalid_request'],
      { headers });
    await ask(stack, 'DELETE', `/admin/blocks/${block}`, [401, 'unauthorized']);
    await ask(stack, 'DELETE', `/admin/blocks/${block}`, 200, { headers });
    await ask(stack, 'DELETE', `/admin/blocks/${block}`, [404, 'not_found'], { headers });
    await send(stack, { phone: `${block}9999` });
  });

  test('operators: the audit log in every form, page by page, and what proves it', async () => {
    const headers = { Authorization: `Bearer ${main.adminToken}` };
    const phone = newPhone();
    const email = `audit.${phone.slice(1)}@example.com`;
    await send(main, { phone });
    await send(main, { email });
    for (const recipient of [`phone=${encodeURIComponent(phone)}`, `email=${email}`]) {
      for (const format of ['json', 'ndjson', 'csv']) {
        const target = `/admin/events?limit=1&format=${format}&${recipient}`;
        const page = note('GET', target, await main.call('GET', target, { headers }));
        assert.equal(page.status, 200, page.body);
        const next = /^<([^>]+)>; rel="next"$/.exec(page.headers.link)[1];
        const after = note('GET', next, await main.call('GET', next, { headers }));
        assert.notEqual(after.body, page.body);
      }
    }
    const search = '/admin/events?';
    await ask(main, 'GET', `${search}phone=12`, [400, 'invalid_phone'], { headers });
    await ask(main, 'GET', `${search}email=12`, [400, 'invalid_email'], { headers });
    for (const bad of ['format=xml', 'before=0', `email=${email}&channel_hash=00`]) {
      await ask(main, 'GET', search + bad, [400, 'invalid_request'], { headers });
    }
    for (const path of ['/admin/audit/chains?from=0', '/admin/audit/lines?limit=2',
      '/admin/audit/checkpoints?chain=0']) {
      await ask(main, 'GET', path, [401, 'unauthorized']);
      await ask(main, 'GET', path, 200, { headers });
      await ask(main, 'GET', `${path}&nonsense=1`, [400, 'invalid_request'], { headers });
    }
  });

  test('operators: the applications and their rules', async () => {
    const headers = { Authorization: `Bearer ${main.adminToken}` };
    await ask(main, 'GET', '/admin/apps', [401, 'unauthorized']);
    const { applications } = await ask(main, 'GET', '/admin/apps', 200, { headers });
    assert.deepEqual(applications.map(({ name, base }) => [name, base]), [['default', true]]);
    const rules = await ask(main, 'GET', '/admin/apps/default', 200, { headers });
    assert.equal(rules.purposes.login.digits, 6);
    await ask(main, 'GET', '/admin/apps/shop', [404, 'not_found'], { headers });
    const search = `/admin/events?phone=${encodeURIComponent(newPhone())}&application=`;
    await ask(main, 'GET', `${search}default`, 200, { headers });
    await ask(main, 'GET', `${search}shop`, [400, 'invalid_request'], { headers });
  });

  test('operators: the endpoint for events', async () => {
    const headers = { Authorization: `Bearer ${main.adminToken}` };
    await ask(main, 'GET', '/admin/webhook', [404, 'not_found'], { headers });
    const stack = await start({
      OTPD_WEBHOOKS_URL: 'https://customer.example/events',
      OTPD_WEBHOOKS_SECRETS: `whsec_${'A'.repeat(43)}=`,
    });
    const own = { headers: { Authorization: `Bearer ${stack.adminToken}` } };
    const shown = await ask(stack, 'GET', '/admin/webhook', 200, own);
    assert.deepEqual(shown, { application: 'default', url: 'https://customer.example/events',
      disabled: false, failing: false });
    assert.deepEqual(await ask(stack, 'POST', '/admin/webhook/enable', 200, own), shown);
  });
}

// The carriers: what each has done, and switches for what it is to do wrong.
import { element, faces } from '/faces.js';

const pollMs = 1000;
const $ = (id) => document.getElementById(id);
const cards = new Map(); // face -> {plan, parts, changes: how many this page has made}

const medianOf = (delay) => (typeof delay === 'number' ? delay : delay.p50 ?? delay.min);
const percent = (rate) => `${Math.round(rate * 100)} %`;
const duration = (ms) => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`);

// One click each. `heavy`: nothing gets through.
const switches = [
  { label: 'Outage', on: (p) => p.outage !== false, set: { outage: true }, unset: { outage: false }, heavy: true },
  { label: 'Hang', on: (p) => p.hang, set: { hang: true }, unset: { hang: false }, heavy: true },
  {
    label: 'Slow', on: (p) => medianOf(p.latency_ms) > 0,
    set: { latency_ms: { p50: 1500, p99: 6000 } }, unset: { latency_ms: 0 },
  },
  {
    label: (p) => `${percent(p.error_rate || 0.2)} errors`, on: (p) => p.error_rate > 0,
    set: { error_rate: 0.2 }, unset: { error_rate: 0 }, heavy: (p) => p.error_rate === 1,
  },
  {
    label: 'Throttle', on: (p) => p.throttle_rate > 0,
    set: { throttle_rate: 1, retry_after: 2 }, unset: { throttle_rate: 0, retry_after: 0 },
    heavy: (p) => p.throttle_rate === 1,
  },
  { label: 'Cut off', on: (p) => p.reset_rate > 0, set: { reset_rate: 1 }, unset: { reset_rate: 0 }, heavy: (p) => p.reset_rate === 1 },
  { label: 'Garbage', on: (p) => p.garbage_rate > 0, set: { garbage_rate: 1 }, unset: { garbage_rate: 0 }, heavy: (p) => p.garbage_rate === 1 },
  { label: 'Lose', on: (p) => p.lose_rate > 0, set: { lose_rate: 1 }, unset: { lose_rate: 0 }, heavy: (p) => p.lose_rate === 1 },
  { label: 'No receipts', on: (p) => p.receipts === 'off', set: { receipts: 'off' }, unset: { receipts: 'on' }, receipts: true },
];

const rate = (member) => ({
  max: 100, step: 1, read: (p) => Math.round(p[member] * 100), say: (value) => `${value} %`,
  plan: (value) => ({ [member]: value / 100 }),
});

const sliders = [
  { label: 'Errors', ...rate('error_rate') },
  { label: 'Throttled', ...rate('throttle_rate') },
  { label: 'Lost', ...rate('lose_rate') },
  {
    label: 'Latency, median', max: 10_000, step: 100, read: (p) => medianOf(p.latency_ms), say: duration,
    plan: (value) => ({ latency_ms: value === 0 ? 0 : { p50: value, p99: value * 4 } }),
  },
  {
    label: 'Receipts after', max: 30_000, step: 100, read: (p) => medianOf(p.receipt_delay_ms), say: duration,
    plan: (value) => ({ receipt_delay_ms: value }), receipts: true,
  },
];

const receiptModes = [
  ['on', 'as they should be'], ['duplicate', 'each twice'], ['out_of_order', 'out of order'],
  ['failed', 'undelivered'], ['off', 'none'],
];

// ---- what is asked of the simulator

async function send(method, target, plan) {
  const response = await fetch(target, { method, body: plan && JSON.stringify(plan) });
  if (!response.ok) throw new Error((await response.json()).error);
}

async function change(face, changes) {
  const card = cards.get(face);
  card.plan = { ...card.plan, ...changes };
  card.changes += 1;
  draw(face);
  // One after the other, so that the last click wins.
  card.sent = card.sent.then(() => send('PUT', `/faults/${face}`, card.plan)).catch(() => {});
  await card.sent;
  card.changes += 1;
  await poll();
}

async function calm(target) {
  await send('DELETE', target);
  await poll();
}

// ---- drawing

function switchButton(face, one) {
  const button = element('button', 'switch');
  button.type = 'button';
  button.addEventListener('click', () => {
    change(face, one.on(cards.get(face).plan) ? one.unset : one.set);
  });
  return button;
}

function sliderRow(face, one) {
  const row = element('label', 'slider');
  const input = element('input');
  Object.assign(input, { type: 'range', min: 0, max: one.max, step: one.step });
  input.setAttribute('aria-label', one.label);
  const said = element('span', 'value');
  input.addEventListener('input', () => { said.textContent = one.say(Number(input.value)); });
  input.addEventListener('change', () => change(face, one.plan(Number(input.value))));
  row.append(element('span', '', one.label), said, input);
  return { row, input, said };
}

function receiptChoice(face) {
  const row = element('label', 'choice');
  const select = element('select');
  select.setAttribute('aria-label', 'Receipts');
  for (const [value, words] of receiptModes) select.append(new Option(words, value));
  select.addEventListener('change', () => change(face, { receipts: select.value }));
  row.append(element('span', '', 'Receipts'), select);
  return { row, select };
}

function count(list, name) {
  const box = element('div');
  const value = element('dd', '', '0');
  box.append(value, element('dt', '', name));
  list.append(box);
  return value;
}

function buildCard(face) {
  const { name, kind, silent } = faces[face];
  const root = element('article', 'carrier');
  root.dataset.face = face;
  const head = element('header');
  const title = element('h3', '', name);
  title.append(element('small', '', kind));
  const state = element('span', 'state', 'works');
  const reset = element('button', 'calm', 'Reset');
  reset.type = 'button';
  reset.setAttribute('aria-label', `End the faults of ${name}`);
  reset.addEventListener('click', () => calm(`/faults/${face}`));
  head.append(title, state, reset);

  const counts = element('dl', 'counts');
  const accepted = count(counts, 'accepted');
  const failed = count(counts, 'failed');
  const lost = count(counts, 'lost');
  const receipts = silent ? null : count(counts, 'receipts');

  const row = element('div', 'switches');
  const mine = (one) => !(one.receipts && silent);
  const buttons = switches.filter(mine).map((one) => ({ one, node: switchButton(face, one) }));
  row.append(...buttons.map(({ node }) => node));

  const more = element('details');
  more.append(element('summary', '', 'Adjust'));
  const tuned = sliders.filter(mine).map((one) => ({ one, ...sliderRow(face, one) }));
  more.append(...tuned.map((each) => each.row));
  const choice = silent ? null : receiptChoice(face);
  if (choice) more.append(choice.row);

  root.append(head, counts, row, more);
  return { root, state, reset, accepted, failed, lost, receipts, buttons, tuned, choice };
}

const isHeavy = (one, plan) => (typeof one.heavy === 'function' ? one.heavy(plan) : one.heavy);

function drawState(parts, plan) {
  const active = switches.filter((one) => one.on(plan));
  const heavy = active.some((one) => isHeavy(one, plan));
  const oddReceipts = ['duplicate', 'out_of_order', 'failed'].includes(plan.receipts)
    || medianOf(plan.receipt_delay_ms) > 1000;
  const hidden = plan.reject_to.length > 0 || plan.accept_then_drop_connection > 0;
  const faulty = active.length > 0 || oddReceipts || hidden;
  parts.state.textContent = heavy ? 'down'
    : active.length > 0 || hidden ? 'faulty' : oddReceipts ? 'odd receipts' : 'works';
  parts.state.className = `state ${heavy ? 'down' : faulty ? 'faulty' : 'works'}`;
  parts.reset.hidden = !faulty;
}

function draw(face) {
  const { plan, parts } = cards.get(face);
  drawState(parts, plan);
  for (const { one, node } of parts.buttons) {
    node.textContent = typeof one.label === 'function' ? one.label(plan) : one.label;
    node.setAttribute('aria-pressed', String(one.on(plan)));
  }
  for (const { one, input, said } of parts.tuned) {
    if (input === document.activeElement && input.matches(':active')) continue;
    input.value = one.read(plan);
    input.setAttribute('aria-valuetext', one.say(one.read(plan)));
    said.textContent = one.say(one.read(plan));
  }
  if (parts.choice && parts.choice.select !== document.activeElement) {
    parts.choice.select.value = plan.receipts;
  }
}

function drawCounts(stats) {
  for (const name of ['accepted', 'duplicates', 'rejected']) {
    $(name).textContent = stats[name].toLocaleString();
  }
  for (const [face, { parts }] of cards) {
    const mine = stats.faces[face];
    parts.accepted.textContent = mine.accepted.toLocaleString();
    parts.failed.textContent = mine.rejected.toLocaleString();
    parts.lost.textContent = mine.lost.toLocaleString();
    if (!parts.receipts) continue;
    const missed = mine.receipts_failed ? ` + ${mine.receipts_failed.toLocaleString()} missed` : '';
    parts.receipts.textContent = mine.receipts_delivered.toLocaleString() + missed;
  }
}

async function poll() {
  if (document.hidden) return;
  const before = new Map([...cards].map(([face, card]) => [face, card.changes]));
  try {
    const [plans, stats] = await Promise.all(
      ['/faults.json', '/stats.json'].map(async (target) => (await fetch(target)).json()));
    for (const [face, card] of cards) {
      // What was asked before a click does not undo it.
      if (card.changes !== before.get(face)) continue;
      card.plan = plans[face];
      draw(face);
    }
    drawCounts(stats);
  } catch {
    // The list of messages says that there is no connection.
  }
}

// ---- on a phone, one of both at a time

function show(what) {
  document.body.classList.toggle('at-carriers', what === 'carriers');
  for (const button of document.querySelectorAll('.tabs button')) {
    button.setAttribute('aria-pressed', String(button.dataset.show === what));
  }
}

for (const face of Object.keys(faces)) {
  const parts = buildCard(face);
  cards.set(face, { plan: {}, parts, changes: 0, sent: Promise.resolve() });
  $('cards').append(parts.root);
}
for (const button of document.querySelectorAll('.tabs button')) {
  button.addEventListener('click', () => show(button.dataset.show));
}
$('calm-all').addEventListener('click', () => calm('/faults'));
document.addEventListener('visibilitychange', poll);
window.addEventListener('inbox-emptied', poll);
poll();
setInterval(poll, pollMs);

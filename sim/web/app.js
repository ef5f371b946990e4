// Shows the inbox. Text of messages only ever becomes text nodes.
import { element, faceName } from '/faces.js';

const pollMs = 700;
const firstLoad = 300;
const maxConversations = 200;
const maxPerConversation = 60;

const $ = (id) => document.getElementById(id);
const conversations = new Map(); // to -> messages, newest first
let lastId = 0;
let epoch = null;
let openTo = null;
let loading = false;

// ---- what a person looks for in a message

function findCode(text) {
  const bound = text.match(/^@\S+ #(\d{4,10})\s*$/m); // the WebOTP line
  if (bound) return bound[1];
  const plain = text.match(/(?<![\d+.,@/#-])\d{4,10}(?!\d|[.,:]\d|-\d|\/)/);
  return plain ? plain[0] : null;
}

function prettyAddress(to) {
  const us = to.match(/^\+1(\d{3})(\d{3})(\d{4})$/);
  if (us) return `+1 ${us[1]} ${us[2]} ${us[3]}`;
  return to;
}

function initials(to) {
  return to.includes('@') ? to.slice(0, 2).toUpperCase() : to.slice(-2);
}

function hue(to) {
  let sum = 0;
  for (const c of to) sum = (sum * 31 + c.codePointAt(0)) >>> 0;
  return `hue-${sum % 6}`;
}

function clockTime(date) {
  return date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
}

function shortTime(iso) {
  const date = new Date(iso);
  const seconds = (Date.now() - date) / 1000;
  if (seconds < 45) return 'now';
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min`;
  if (seconds < 86400) return clockTime(date);
  return date.toLocaleDateString([], { day: 'numeric', month: 'short' });
}

// ---- drawing

function codeButton(text) {
  const code = findCode(text);
  if (!code) return null;
  const button = element('button', 'code', code);
  button.type = 'button';
  button.setAttribute('aria-label', `Copy code ${code.split('').join(' ')}`);
  button.append(element('small', '', 'Copy'));
  button.addEventListener('click', () => copy(code));
  return button;
}

// Links stay clickable, everything else stays text.
function appendLinked(parent, text) {
  for (const piece of text.split(/(https?:\/\/[^\s<>"']+)/)) {
    if (!/^https?:\/\//.test(piece)) {
      parent.append(piece);
      continue;
    }
    const link = element('a', '', piece);
    link.href = piece;
    link.target = '_blank';
    link.rel = 'noopener noreferrer';
    parent.append(link);
  }
}

function conversationItem(to, messages, isFresh) {
  const newest = messages[0];
  const item = element('li', isFresh ? 'conversation fresh' : 'conversation');
  item.dataset.to = to;
  item.append(element('span', `avatar ${hue(to)}`, initials(to)));
  const open = element('button', 'open');
  open.type = 'button';
  open.append(element('strong', '', prettyAddress(to)));
  const time = element('time', '', shortTime(newest.received_at));
  time.dateTime = newest.received_at;
  open.append(time);
  open.addEventListener('click', () => { location.hash = encodeURIComponent(to); });
  const preview = element('p', 'preview');
  if (newest.subject) preview.append(element('b', '', newest.subject));
  // The WebOTP line is for the browser; the open conversation shows it.
  preview.append(newest.text.replace(/\s*^@\S+ #\d+\s*$/m, ''));
  const actions = element('div', 'actions');
  const code = codeButton(newest.text);
  if (code) actions.append(code);
  const meta = element('span', 'meta');
  meta.append(element('span', 'via', `${faceName(newest.face)} · ${newest.channel}`));
  if (messages.length > 1) meta.append(element('span', 'count', `${messages.length} messages`));
  actions.append(meta);
  item.append(open, preview, actions);
  return item;
}

function matches(to, messages, wanted) {
  if (!wanted) return true;
  const digits = wanted.replace(/[\s()+-]/g, '');
  if (/^\d{2,}$/.test(digits) && to.replace(/\D/g, '').includes(digits)) return true;
  return to.toLowerCase().includes(wanted) ||
    messages.some((m) => `${m.text} ${m.subject || ''} ${m.from}`.toLowerCase().includes(wanted));
}

function drawList(fresh = new Set()) {
  const wanted = $('filter').value.trim().toLowerCase();
  const shown = [...conversations]
    .filter(([to, messages]) => matches(to, messages, wanted))
    .sort((a, b) => b[1][0].id - a[1][0].id);
  $('list').replaceChildren(...shown.map(([to, m]) => conversationItem(to, m, fresh.has(to))));
  $('list').hidden = shown.length === 0;
  $('empty').hidden = shown.length > 0;
  $('empty-text').textContent = wanted ? 'Nothing matches' : 'No messages yet';
  $('empty-hint').textContent = wanted
    ? 'Messages that match appear here as they arrive.'
    : 'Send a code to any number: it shows up here.';
}

function bubble(message, isFresh) {
  const item = element('li', isFresh ? 'fresh' : '');
  const box = element('div', 'bubble');
  if (message.subject) box.append(element('b', '', message.subject));
  appendLinked(box, message.text);
  item.append(box);
  const actions = element('div', 'actions');
  const code = codeButton(message.text);
  if (code) actions.append(code);
  item.append(actions);
  const date = new Date(message.received_at);
  const time = element('time', '', `${clockTime(date)} · ${message.channel} by ${faceName(message.face)} from ${message.from}`);
  time.dateTime = message.received_at;
  item.append(time);
  return item;
}

function drawThread(freshIds = new Set()) {
  const messages = conversations.get(openTo) || [];
  $('thread-to').textContent = prettyAddress(openTo);
  $('thread-from').textContent = messages.length === 1 ? '1 message' : `${messages.length} messages`;
  $('bubbles').replaceChildren(...messages.toReversed().map((m) => bubble(m, freshIds.has(m.id))));
  $('bubbles').scrollTop = $('bubbles').scrollHeight;
}

function showThread(to) {
  openTo = to;
  $('inbox').hidden = true;
  $('thread').hidden = false;
  drawThread();
  $('back').focus({ preventScroll: true, focusVisible: false });
}

function showInbox() {
  openTo = null;
  $('thread').hidden = true;
  $('inbox').hidden = false;
  drawList();
}

// The address after '#' says which conversation is open, so that "back" and links work.
function follow() {
  const to = decodeURIComponent(location.hash.slice(1));
  if (to && conversations.has(to)) showThread(to);
  else if (openTo !== null) showInbox();
}

function leaveThread() {
  history.replaceState(null, '', location.pathname);
  showInbox();
}

let toastTimer = 0;
function toast(text) {
  $('toast').textContent = text;
  $('toast').classList.add('shown');
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => $('toast').classList.remove('shown'), 1600);
}

async function copy(code) {
  try {
    await navigator.clipboard.writeText(code);
  } catch {
    // Without a secure context there is only the old way.
    const field = element('textarea');
    field.value = code;
    document.body.append(field);
    field.select();
    document.execCommand('copy');
    field.remove();
  }
  toast(`Copied ${code}`);
}

// ---- loading

// Adds messages (newest first) and says which are new: conversations and ids.
function merge(messages) {
  const freshTo = new Set();
  const freshIds = new Set();
  for (const message of messages.toReversed()) {
    const known = conversations.get(message.to) || [];
    if (known.some((m) => m.id === message.id)) continue;
    known.push(message);
    known.sort((a, b) => b.id - a.id);
    conversations.set(message.to, known.slice(0, maxPerConversation));
    freshTo.add(message.to);
    freshIds.add(message.id);
    lastId = Math.max(lastId, message.id);
  }
  if (conversations.size > maxConversations) {
    const oldest = [...conversations].sort((a, b) => a[1][0].id - b[1][0].id);
    for (const [to] of oldest.slice(0, conversations.size - maxConversations)) {
      if (to !== openTo) conversations.delete(to);
    }
  }
  return { freshTo, freshIds };
}

async function load(query) {
  const response = await fetch(`/inbox.json?${new URLSearchParams(query)}`);
  if (!response.ok) throw new Error(response.statusText);
  return { epoch: response.headers.get('X-Inbox-Epoch'), messages: await response.json() };
}

async function poll() {
  if (loading || document.hidden) return;
  loading = true;
  try {
    let answer = await load({ after: lastId, limit: firstLoad });
    const isFirst = epoch === null;
    if (answer.epoch !== epoch) {
      if (!isFirst) answer = await load({ limit: firstLoad });
      epoch = answer.epoch;
      conversations.clear();
      lastId = 0;
    }
    const { freshTo, freshIds } = merge(answer.messages);
    if (openTo !== null && (freshTo.has(openTo) || !conversations.has(openTo))) {
      if (conversations.has(openTo)) drawThread(freshIds);
      else leaveThread();
    }
    if (openTo === null && (freshTo.size > 0 || conversations.size === 0)) {
      drawList(isFirst ? new Set() : freshTo);
    }
    if (isFirst) follow();
    $('live').textContent = 'live';
    $('live').classList.remove('off');
  } catch {
    $('live').textContent = 'no connection';
    $('live').classList.add('off');
  }
  loading = false;
}

// A whole number in the filter may have older messages than those loaded.
async function filterChanged() {
  const wanted = $('filter').value.replace(/[\s()-]/g, '');
  drawList();
  if (!/^\+\d{8,15}$/.test(wanted)) return;
  try {
    merge((await load({ to: wanted, limit: maxPerConversation })).messages);
    drawList();
  } catch {
    // What is loaded is shown.
  }
}

function tick() {
  $('clock').textContent = clockTime(new Date());
  for (const time of $('list').querySelectorAll('time')) time.textContent = shortTime(time.dateTime);
}

$('filter').addEventListener('input', filterChanged);
$('back').addEventListener('click', leaveThread);
window.addEventListener('hashchange', follow);
$('clear').addEventListener('click', async () => {
  await fetch('/inbox.json', { method: 'DELETE' });
  poll();
  window.dispatchEvent(new Event('inbox-emptied'));
});
document.addEventListener('visibilitychange', poll);
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && openTo !== null) leaveThread();
});

drawList();
tick();
poll();
setInterval(poll, pollMs);
setInterval(tick, 10000);

// The list of calls beside the form: newest first, at most `most`. On a wide screen the newest call
// that does something is shown open, until the person opens or closes one.

const most = 30;

const block = (name, value) => {
  if (value === null || Object.keys(value).length === 0) return [];
  const title = document.createElement('p');
  title.className = 'call-part';
  title.textContent = name;
  const code = document.createElement('pre');
  code.tabIndex = 0;
  code.textContent = JSON.stringify(value, null, 2);
  return [title, code];
};

const span = (name, text) => {
  const node = document.createElement('span');
  node.className = name;
  node.textContent = text;
  return node;
};

const sameCall = (a, b) => b && a.method === b.method && a.path === b.path && a.method === 'GET';

// A user's id would push what is asked of the user out of sight.
const shortPath = (path) => path.replace(/([0-9a-f]{4})[0-9a-f]{4}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/, '$1…');

// Answers observe(call) for Api. A repeat of the newest GET replaces it, so that polling does not
// push everything else out.
export function makeWire(list, empty) {
  const wide = matchMedia('(min-width: 60rem)');
  let newest = null;
  let shown = null;
  list.addEventListener('click', () => { shown = undefined; });
  const showOpen = (details, call) => {
    if (call.method === 'GET' || shown === undefined || !wide.matches) return;
    if (shown) shown.open = false;
    details.open = true;
    shown = details;
  };
  return (call) => {
    empty.hidden = true;
    const item = document.createElement('li');
    const details = item.appendChild(document.createElement('details'));
    const summary = details.appendChild(document.createElement('summary'));
    const failed = call.status === 0 || call.status >= 400;
    const status = span('call-status', call.status === 0 ? 'no answer' : String(call.status));
    status.dataset.tone = failed ? 'bad' : 'good';
    summary.append(span('call-method', call.method), span('call-path', shortPath(call.path)), status,
      span('call-ms', `${call.ms} ms`));
    details.append(...block('Request', call.request), ...block('Answer', call.response));
    if (sameCall(call, newest)) {
      details.open = list.firstElementChild.firstElementChild.open;
      list.firstElementChild.replaceWith(item);
    } else {
      list.prepend(item);
    }
    showOpen(details, call);
    while (list.children.length > most) list.lastElementChild.remove();
    newest = call;
  };
}

// The file as a whole: which page is shown, search and filters of the tables, sorting, copying.
'use strict';
const overview = document.getElementById('overview'),
  stageHost = document.getElementById('stage');
const packed = new Map([...document.querySelectorAll('script[data-case]')].map(s => [s.dataset.case, s]));

async function route() {
  const wanted = decodeURIComponent(location.hash.slice(1));
  const id = wanted.startsWith('case/') ? wanted.slice(5) : !overview && packed.keys().next().value;
  if (!id || !packed.has(id)) {
    stageHost.hidden = true;
    stageHost.replaceChildren();
    if (overview) {
      overview.hidden = false;
      document.title = overview.dataset.title;
      if (wanted && !wanted.startsWith('case/')) document.getElementById(wanted)?.scrollIntoView();
    }
    return;
  }
  const data = await unpack(packed.get(id));
  if (overview) overview.hidden = true;
  const page = casePage(data, Boolean(overview));
  stageHost.replaceChildren(page);
  stageHost.hidden = false;
  document.title = id + ' · Sleet';
  page.start();
  scrollTo(0, 0);
  if (overview)
    (page.querySelector('h1').setAttribute('tabindex', '-1'), page.querySelector('h1').focus({ preventScroll: true }));
  stageHost.page = page;
}

// Rows of a table that match what is typed and what is picked.
function filterable(section) {
  const input = section.querySelector('input[type=search]'),
    buttons = [...section.querySelectorAll('button[data-state]')],
    count = section.querySelector('.count');
  const rows = [...section.querySelectorAll('tbody tr[data-state]')].map(row => ({
    row,
    text: row.textContent.toLowerCase(),
    state: row.dataset.state,
    shown: true,
  }));
  let state = '';
  const apply = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const r of rows) {
      const wanted = (!state || r.state === state) && words.every(w => r.text.includes(w));
      if (wanted !== r.shown) {
        r.shown = wanted;
        r.row.hidden = !wanted;
      }
      shown += wanted;
    }
    count.textContent = `${shown} of ${rows.length}`;
    for (const group of section.querySelectorAll('.group'))
      group.hidden = ![...group.querySelectorAll('tbody tr')].some(r => !r.hidden);
  };
  input.addEventListener('input', apply);
  for (const b of buttons)
    b.addEventListener('click', () => {
      state = b.dataset.state;
      buttons.forEach(o => o.setAttribute('aria-pressed', String(o === b)));
      apply();
    });
  apply();
}

function sortable(table) {
  table.querySelectorAll('thead th').forEach((th, column) => {
    const button = el('button', { type: 'button' }, ...th.childNodes);
    th.append(button);
    button.addEventListener('click', () => {
      const up = th.getAttribute('aria-sort') !== 'ascending',
        body = table.tBodies[0];
      table.querySelectorAll('th').forEach(o => o.removeAttribute('aria-sort'));
      th.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      const value = row => row.cells[column].dataset.n ?? row.cells[column].textContent.trim();
      const rows = [...body.rows].map(row => [value(row), row]);
      rows.sort(([a], [b]) => {
        const by = a - b;
        return (Number.isNaN(by) ? String(a).localeCompare(String(b)) : by) * (up ? 1 : -1);
      });
      body.append(...rows.map(([, row]) => row));
    });
  });
}

document.querySelectorAll('section[data-filter]').forEach(filterable);
document.querySelectorAll('table[data-sort]').forEach(sortable);
document.querySelectorAll('[data-copy]').forEach(b => b.addEventListener('click', () => copy(b.dataset.copy, b)));
document.addEventListener('keydown', e => {
  if (e.key === '/' && !/INPUT|TEXTAREA|SELECT/.test(document.activeElement.tagName)) {
    const input = [...document.querySelectorAll('input[type=search]')].find(i => i.offsetParent);
    if (input) {
      e.preventDefault();
      input.focus();
    }
  }
});
addEventListener('hashchange', route);
addEventListener('beforeprint', () => stageHost.page?.timeline?.resize());
route();

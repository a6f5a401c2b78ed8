// The page of one failure: its timeline with filters, what explains it, its candidate pairs, its events as a table.
'use strict';
const el = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter(c => c != null && c !== false));
  return node;
};
const pill = (tone, text) => el('span', { class: 'pill ' + tone }, text);
const ROWS = 250;

// What was packed into the file: deflated JSON.
async function unpack(script) {
  const bytes = Uint8Array.from(atob(script.textContent.trim()), c => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'))).json();
}

function copyLine(text) {
  const said = el('span', { class: 'vh', role: 'status' });
  const button = el(
    'button',
    { type: 'button', 'aria-label': 'Copy ' + text, onclick: () => copy(text, button, said) },
    'Copy',
  );
  return el('span', { class: 'copy' }, el('code', {}, text), button, said);
}

async function copy(text, button, said) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = el('textarea', { class: 'vh' });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  button.textContent = 'Copied';
  if (said) said.textContent = 'Copied';
  setTimeout(() => {
    button.textContent = 'Copy';
    if (said) said.textContent = '';
  }, 1500);
}

function casePage(data, back) {
  const { tracks } = data,
    filter = {
      classes: new Set(CLASSES.map(c => c[0]).filter(c => c !== 'signaling')),
      messages: true,
      notes: true,
      call: '',
      trouble: false,
      text: '',
    };
  const canvas = el('canvas', {
    tabindex: 0,
    role: 'application',
    'aria-label': `Timeline of ${data.id}. Arrow keys pan and zoom, n and p step through what is shown, Home fits what matters, End fits everything.`,
  });
  const tip = el('div', { class: 'tip', hidden: true }),
    stage = el('div', { class: 'panel stage' });
  const detail = el('div', { class: 'panel detail', 'aria-live': 'polite' }),
    events = el('tbody'),
    count = el('span', { class: 'soft' });
  const page = el(
    'main',
    { class: 'case', id: 'main' },
    caseHead(data, back),
    el(
      'div',
      { class: 'grid' },
      el(
        'div',
        {},
        stage,
        pairsPanel(tracks),
        el(
          'div',
          { class: 'panel' },
          el('h2', {}, 'Events in view ', count),
          el(
            'div',
            { class: 'scroll' },
            el(
              'table',
              { class: 'events' },
              el('thead', {}, el('tr', {}, ...['time s', 'event', 'where', 'what'].map(t => el('th', { scope: 'col' }, t)))),
              events,
            ),
          ),
        ),
      ),
      el('div', {}, explanation(data, goTo), detail, verdicts(data)),
    ),
  );
  const toolbar = filters(
    data,
    filter,
    () => {
      timeline.draw();
    },
    () => timeline,
  );
  stage.append(
    toolbar,
    canvas,
    tip,
    el(
      'p',
      { class: 'soft', style: 'margin:0;padding:6px 12px 8px;font-size:12px' },
      'Wheel or ',
      el('kbd', {}, '↑'),
      ' ',
      el('kbd', {}, '↓'),
      ' zoom, drag or ',
      el('kbd', {}, '←'),
      ' ',
      el('kbd', {}, '→'),
      ' pan, ',
      el('kbd', {}, 'n'),
      ' ',
      el('kbd', {}, 'p'),
      ' next and previous, ',
      el('kbd', {}, 'Home'),
      ' what matters, ',
      el('kbd', {}, 'End'),
      ' everything.',
    ),
  );
  let timeline,
    rows = [],
    pending = 0;

  function goTo(ns, event) {
    const [a, b] = timeline.view;
    if (ns < a || ns > b) timeline.centre(ns, Math.min(b - a, 2e9));
    const item = find(event);
    if (item) timeline.select(item);
    else timeline.draw();
    canvas.focus({ preventScroll: false });
  }
  const all = everything(tracks),
    find = event => {
      const row = all.find(r => r.event === event);
      return row && { kind: row.kind, item: row.item };
    };

  function fillEvents() {
    const [a, b] = timeline.view;
    rows = all.filter(r => r.at >= a && r.at <= b && shows(r, filter, timeline));
    count.textContent = rows.length > ROWS ? `(first ${ROWS} of ${rows.length})` : `(${rows.length})`;
    events.replaceChildren(
      ...rows.slice(0, ROWS).map(r =>
        el(
          'tr',
          {
            class: r.bad ? 'bad' : '',
            tabindex: 0,
            'aria-selected': String(timeline.selected?.item === r.item),
            onclick: () => timeline.select({ kind: r.kind, item: r.item }),
            onkeydown: e => {
              if (e.key === 'Enter') timeline.select({ kind: r.kind, item: r.item });
            },
          },
          el('td', {}, seconds(r.at, 6)),
          el('td', {}, String(r.event)),
          el('td', {}, r.where),
          el('td', {}, r.what),
        ),
      ),
    );
  }

  page.start = () => {
    timeline = new Timeline(canvas, tracks, filter);
    page.timeline = timeline;
    timeline.home = Timeline.interesting(
      tracks,
      [data.decided?.at_ns, data.parted_ns, ...data.chain.map(link => link.at_ns)].filter(t => t != null),
    );
    timeline.view = [...timeline.home];
    if (data.decided) timeline.marks.push({ at_ns: data.decided.at_ns, text: 'this decided it', colour: 'lost' });
    if (data.other) {
      timeline.other = onLanesOf(tracks, data.other.tracks);
      timeline.show = 'both';
      if (data.parted_ns != null)
        timeline.marks.push({ at_ns: data.parted_ns, text: 'here the two runs part', colour: 'other' });
    }
    timeline.changed = () => {
      clearTimeout(pending);
      pending = setTimeout(fillEvents, 160);
    };
    timeline.hover = (hit, x, y) => {
      tip.hidden = !hit;
      if (!hit) return;
      tip.replaceChildren(...describe(hit, tracks, data));
      const left = x + 16 + tip.offsetWidth > timeline.width ? x - tip.offsetWidth - 12 : x + 16;
      tip.style.left = Math.max(left, 4) + 'px';
      tip.style.top = canvas.offsetTop + y + 14 + 'px';
    };
    timeline.selecting = hit => {
      detail.replaceChildren(
        el('h2', {}, 'Selected'),
        ...(hit ? describe(hit, tracks, data) : [el('p', { class: 'soft' }, 'Nothing: click an arrow, or step with n and p.')]),
      );
      timeline.changed();
    };
    timeline.step = by => {
      const now = rows.findIndex(r => r.item === timeline.selected?.item),
        next = rows[Math.max(0, Math.min(rows.length - 1, now < 0 ? 0 : now + by))];
      if (next) timeline.select({ kind: next.kind, item: next.item });
    };
    timeline.selecting(null);
    timeline.draw();
  };
  page.goTo = goTo;
  return page;
}

function caseHead(data, back) {
  return el(
    'div',
    { class: 'head' },
    back && el('a', { href: '#failures' }, '← overview'),
    el('h1', {}, data.id),
    pill(data.expected ? 'note' : 'bad', data.broke),
    data.expected && pill('note', 'expected of a ' + data.kind),
    el('span', { class: 'soft' }, data.summary),
    el('span', { style: 'flex:1' }),
    copyLine(data.replay),
  );
}

function filters(data, filter, redraw, timeline) {
  const { tracks } = data,
    box = (text, colour, checked, change) =>
      el(
        'label',
        {},
        el('input', {
          type: 'checkbox',
          checked,
          onchange: e => {
            change(e.target.checked);
            redraw();
          },
        }),
        colour && el('i', { class: 'sw', style: `background:var(--${colour})` }),
        text,
      );
  const counts = {};
  tracks.packets.forEach(p => (counts[p.class] = (counts[p.class] ?? 0) + 1));
  const bar = el('div', { class: 'tools', role: 'toolbar', 'aria-label': 'What the timeline shows' });
  bar.append(box(`messages ${tracks.messages.length}`, 'message', true, on => (filter.messages = on)));
  for (const [name, text] of CLASSES)
    if (counts[name])
      bar.append(
        box(`${text} ${counts[name]}`, name, filter.classes.has(name), on =>
          on ? filter.classes.add(name) : filter.classes.delete(name),
        ),
      );
  bar.append(
    box('notes', '', true, on => (filter.notes = on)),
    box('only trouble', 'lost', false, on => (filter.trouble = on)),
  );
  if (tracks.calls.length > 1)
    bar.append(
      el(
        'label',
        {},
        'call ',
        el(
          'select',
          {
            onchange: e => {
              filter.call = e.target.value;
              redraw();
            },
          },
          el('option', { value: '' }, 'all'),
          ...tracks.calls.map((c, i) => el('option', { value: i }, c)),
        ),
      ),
    );
  bar.append(
    el('input', {
      type: 'search',
      placeholder: 'find in packets…',
      'aria-label': 'Show only packets, messages and notes with this text',
      oninput: e => {
        filter.text = e.target.value.toLowerCase();
        redraw();
      },
    }),
  );
  if (data.other) {
    const pick = el(
      'span',
      { role: 'group', 'aria-label': 'Which run' },
      ...[
        ['both', 'both runs'],
        ['this', 'this run'],
        ['other', data.other.name],
      ].map(([value, text]) =>
        el(
          'button',
          {
            type: 'button',
            'aria-pressed': String(value === 'both'),
            onclick: e => {
              for (const b of pick.children) b.setAttribute('aria-pressed', String(b === e.target));
              timeline().show = value;
              redraw();
            },
          },
          short(text, 28),
        ),
      ),
    );
    bar.append(pick);
  }
  bar.append(
    el('span', { style: 'flex:1' }),
    el(
      'span',
      { class: 'zoom' },
      ...[
        ['−', 'Zoom out', t => t.zoom(1.5)],
        ['+', 'Zoom in', t => t.zoom(0.67)],
        [
          'what matters',
          'Show what matters',
          t => {
            t.view = [...t.home];
            t.draw();
          },
        ],
        ['everything', 'Show everything', t => t.fit()],
      ].map(([text, label, act]) =>
        el('button', { type: 'button', 'aria-label': label, onclick: () => act(timeline()) }, text),
      ),
    ),
  );
  return bar;
}

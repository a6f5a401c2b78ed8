// What stands around a timeline: explanation, verdicts, candidate pairs, the particulars of what is selected.
'use strict';
function explanation(data, goTo) {
  const chain = data.chain.map(link =>
    el(
      'li',
      {},
      el(
        'button',
        { type: 'button', onclick: () => goTo(link.at_ns, link.event) },
        el('time', {}, seconds(link.at_ns)),
        link.what,
      ),
    ),
  );
  return el(
    'div',
    { class: 'panel why' },
    el('h2', {}, data.oracle ? `${data.oracle} broken` : data.broke === 'held' ? 'Every oracle held' : data.broke),
    data.meaning && el('p', {}, data.meaning),
    data.source && el('p', { class: 'soft' }, data.source),
    data.why && el('p', {}, el('b', {}, 'Because: '), data.why),
    data.parted && el('p', {}, el('b', {}, 'The two runs part: '), data.parted),
    data.decided &&
      el(
        'p',
        {},
        el('button', { type: 'button', onclick: () => goTo(data.decided.at_ns, data.decided.event) }, 'Show what decided it'),
      ),
    chain.length > 0 && [
      el('h3', {}, data.understood ? 'How it came about' : 'No rule knows how it came about; what happened last'),
      el('ol', { class: 'chain' }, ...chain),
    ],
    el('p', { class: 'soft mono', style: 'overflow-wrap:anywhere' }, data.digest),
  );
}

function verdicts(data) {
  const tones = { pass: 'good', fail: 'bad', unknown: 'warn' };
  const open = data.verdicts.some(v => v.verdict !== 'pass');
  return el(
    'details',
    { class: 'panel', open },
    el('summary', {}, `${data.verdicts.length} oracles judged`),
    el(
      'table',
      {},
      el(
        'tbody',
        {},
        ...[...data.verdicts]
          .sort((a, b) => (a.verdict === 'pass') - (b.verdict === 'pass'))
          .map(v =>
            el(
              'tr',
              {},
              el('td', {}, pill(tones[v.verdict], v.verdict)),
              el('td', {}, el('b', {}, v.id), el('span', { class: 'sub' }, v.why || v.meaning)),
            ),
          ),
      ),
    ),
  );
}

// A grid for each peer: its own candidates down, the other side's across.
function pairsPanel(tracks) {
  const peers = new Map();
  for (const p of tracks.pairs) {
    const key = `${tracks.hosts[p.host].name}, ${p.peer}`;
    if (!peers.has(key)) peers.set(key, []);
    peers.get(key).push(p);
  }
  if (!peers.size)
    return el(
      'div',
      { class: 'panel' },
      el('h2', {}, 'Candidate pairs'),
      el('p', { class: 'soft' }, 'No connectivity check was sent.'),
    );
  const grid = ([name, pairs]) => {
    const locals = [...new Set(pairs.map(p => p.local))],
      remotes = [...new Set(pairs.map(p => p.remote))];
    const cell = (local, remote) => {
      const p = pairs.find(p => p.local === local && p.remote === remote);
      if (!p) return el('td', { class: 'soft' }, '·');
      const words = [
        p.checks ? `${p.checks} checks, ${p.arrived} arrived, ${p.answered} answered` : 'no check of its own on the wire',
        p.nominated && `nominated by #${p.nominated}`,
        p.selected_ns != null && `selected at ${seconds(p.selected_ns)} s`,
      ].filter(Boolean);
      return el(
        'td',
        { class: p.selected_ns != null ? 'sel' : p.checks && !p.arrived ? 'none' : '', title: words.join('; ') },
        p.checks ? `${p.checks} → ${p.arrived} → ${p.answered}` : '–',
        el(
          'span',
          { class: 'sub' },
          [p.nominated && 'nominated', p.selected_ns != null && `selected ${seconds(p.selected_ns)} s`]
            .filter(Boolean)
            .join(', '),
        ),
      );
    };
    return [
      el('h3', {}, name),
      el(
        'div',
        { class: 'scroll' },
        el(
          'table',
          { class: 'pairs' },
          el(
            'thead',
            {},
            el(
              'tr',
              {},
              el('th', { scope: 'col' }, 'own ↓  other side →'),
              ...remotes.map(r => el('th', { scope: 'col', class: 'mono' }, r)),
            ),
          ),
          el(
            'tbody',
            {},
            ...locals.map(l => el('tr', {}, el('th', { scope: 'row', class: 'mono' }, l), ...remotes.map(r => cell(l, r)))),
          ),
        ),
      ),
    ];
  };
  return el(
    'div',
    { class: 'panel' },
    el('h2', {}, 'Candidate pairs'),
    el(
      'p',
      { class: 'lead' },
      'Checks sent → arrived → answered. Checks inside TURN are not told apart from what else TURN carries.',
    ),
    ...[...peers].flatMap(grid),
  );
}

function describe({ kind, item, ghost }, tracks, data) {
  const host = i => tracks.hosts[i]?.name ?? 'nobody',
    rows = [],
    row = (name, value, bad) => rows.push(el('dt', {}, name), el('dd', { class: bad ? 'bad' : '' }, value));
  let title = item.text ?? item.name;
  if (kind === 'packet') {
    title = `#${item.id} ${item.says}`;
    row('from', host(item.from));
    row('to', item.to === undefined ? 'nobody' : host(item.to));
    row('flow', item.flow);
    row('bytes', String(item.len));
    row('sent', `${seconds(item.sent_ns, 6)} s, event ${item.event}`);
    for (const at of item.arrived_ns ?? [])
      row('arrived', `${seconds(at, 6)} s, after ${((at - item.sent_ns) / 1e6).toFixed(2)} ms`);
    for (const f of item.fates ?? []) row(f.dropped ? 'lost' : 'changed', `${f.text} (event ${f.event})`, f.dropped);
    if (item.call !== undefined) row('call', tracks.calls[item.call]);
    if (item.nominates) row('nominates', 'USE-CANDIDATE');
  } else if (kind === 'message') {
    row('from', host(item.from));
    row('to', host(item.to));
    row('sent', `${seconds(item.sent_ns, 6)} s, event ${item.event}`);
    item.arrived_ns == null
      ? row('lost', 'it never arrives', true)
      : row('arrived', `${seconds(item.arrived_ns, 6)} s, after ${((item.arrived_ns - item.sent_ns) / 1e6).toFixed(2)} ms`);
  } else if (kind === 'band') {
    title = `${item.machine}: ${item.state}`;
    row('peer', `${item.peer} on ${host(item.host)}`);
    row('from', seconds(item.from_ns, 6) + ' s');
    row('until', seconds(item.until_ns, 6) + ' s');
  } else if (kind === 'fault') {
    row('from', seconds(item.from_ns) + ' s');
    row('until', seconds(item.until_ns) + ' s');
    const hit = tracks.packets.filter(p => p.fates?.some(f => f.fault === item.index)).length;
    row('packets', `${hit} dropped or changed by it`);
  } else {
    row('at', `${seconds(item.at_ns, 6)} s, event ${item.event}`);
    row('where', item.host === undefined ? 'the network' : host(item.host));
  }
  if (item.fault !== undefined && item.fault !== null) row('fault', tracks.faults[item.fault].name, true);
  if (ghost) row('run', data.other.name);
  return [el('b', {}, title), el('dl', {}, ...rows)];
}

// Everything of a run as rows of one table, in the order of events.
function everything(tracks) {
  const host = i => tracks.hosts[i]?.name ?? 'network',
    lost = fates => fates?.some(f => f.dropped);
  const rows = [
    ...tracks.packets.map(p => ({
      kind: 'packet',
      item: p,
      at: p.sent_ns,
      event: p.event,
      where: `${host(p.from)} → ${p.to === undefined ? 'nobody' : host(p.to)}`,
      what: `#${p.id} ${p.says}${p.fates ? ' — ' + p.fates.map(f => f.text).join('; ') : ''}`,
      bad: lost(p.fates),
    })),
    ...tracks.messages.map(m => ({
      kind: 'message',
      item: m,
      at: m.sent_ns,
      event: m.event,
      where: `${host(m.from)} → ${host(m.to)}`,
      what: `message ${m.text}${m.arrived_ns == null ? ' — never arrives' : ''}`,
      bad: m.arrived_ns == null,
    })),
    ...tracks.notes.map(n => ({
      kind: 'note',
      item: n,
      at: n.at_ns,
      event: n.event,
      where: host(n.host),
      what: n.text,
      bad: n.class === 'trouble',
    })),
    ...tracks.faults.map(f => ({
      kind: 'fault',
      item: f,
      at: f.from_ns,
      event: '',
      where: 'network',
      what: `fault ${f.name}, until ${seconds(f.until_ns)} s`,
      bad: true,
    })),
  ];
  return rows.sort((a, b) => a.at - b.at || a.event - b.event);
}

function shows(row, filter, timeline) {
  if (row.kind === 'packet') return timeline.wants(row.item);
  if (filter.trouble && !row.bad) return false;
  if (filter.text && !row.what.toLowerCase().includes(filter.text)) return false;
  if (row.kind === 'fault') return true;
  if (filter.call !== '' && String(row.item.call) !== filter.call) return false;
  return row.kind === 'message' ? filter.messages : filter.notes;
}

// The traffic of another run on the lanes of this one; what is to or from a host that this one lacks is left out.
function onLanesOf(tracks, other) {
  const lane = i => tracks.hosts.findIndex(host => host.name === other.hosts[i]?.name);
  const moved = item => ({ ...item, from: lane(item.from), to: item.to === undefined ? undefined : lane(item.to) });
  const drawn = item => item.from >= 0 && item.to !== -1;
  return { ...other, packets: other.packets.map(moved).filter(drawn), messages: other.messages.map(moved).filter(drawn) };
}

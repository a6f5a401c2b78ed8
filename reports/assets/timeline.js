// The timeline of one run on a canvas: a lane for each host, packets and messages as arrows between them, states as bands.
// It draws and it says what is under the pointer; what is shown beside it is for case.js.
'use strict';
const CLASSES = [
  ['check', 'checks'],
  ['turn', 'STUN/TURN'],
  ['dtls', 'DTLS'],
  ['data', 'other'],
  ['signaling', 'TCP segments'],
];
const FAULT_ROWS = 16;
const GUTTER = 140,
  NOTE_ROW = 15,
  BAND_ROW = 13,
  AXIS = 26,
  WIRE_GAP = 54;
const seconds = (ns, digits = 3) => (ns / 1e9).toFixed(digits);

class Timeline {
  constructor(canvas, tracks, filter) {
    Object.assign(this, { canvas, tracks, filter, other: null, hits: [], selected: null, hovered: null, marks: [] });
    this.context = canvas.getContext('2d');
    this.home = Timeline.interesting(tracks);
    this.view = [...this.home];
    this.layout();
    this.listen();
  }

  // Where most of it happens, with everything that decided it.
  static interesting(tracks, must = []) {
    const over = tracks.cleaned_ns ?? tracks.ended_ns;
    const times = [
      ...tracks.packets.map(p => p.sent_ns),
      ...tracks.messages.map(m => m.sent_ns),
      ...tracks.notes.map(n => n.at_ns),
    ]
      .filter(t => t > 0 && t < over)
      .sort((a, b) => a - b);
    const end = Math.max(tracks.ended_ns, 1);
    if (!times.length) return [0, end];
    const at = q => times[Math.min(times.length - 1, Math.floor(q * times.length))];
    const acts = tracks.notes.filter(n => n.class === 'user').map(n => n.at_ns),
      from = Math.min(acts.length ? Math.min(...acts) : at(0), ...must),
      last = Math.max(...must);
    const until = must.length ? Math.max(last + (last - from) * 0.25, from + 2e8) : at(0.95);
    const room = Math.max((until - from) * 0.03, 1e6);
    return [from - room, Math.min(until + room, end + room)];
  }

  layout() {
    const { tracks } = this;
    this.rows = tracks.hosts.map(() => new Map());
    for (const band of tracks.bands) {
      const key = band.peer + ' ' + band.machine;
      if (!this.rows[band.host].has(key)) this.rows[band.host].set(key, this.rows[band.host].size);
    }
    this.faultRows = [];
    tracks.faults.forEach((fault, i) => {
      let row = this.faultRows.findIndex(end => end <= fault.from_ns);
      if (row < 0) row = this.faultRows.length;
      this.faultRows[row] = fault.until_ns + 1;
      fault.row = row;
      fault.index = i;
    });
    let y = AXIS + Math.min(this.faultRows.length, FAULT_ROWS) * BAND_ROW + (this.faultRows.length ? 6 : 0);
    this.lanes = tracks.hosts.map((host, i) => {
      const notes = y + 4,
        bands = notes + 2 * NOTE_ROW,
        wire = bands + Math.min(this.rows[i].size, 10) * BAND_ROW + 8;
      y = wire + WIRE_GAP;
      return { host, notes, bands, wire };
    });
    this.height = y - WIRE_GAP + 44;
    this.resize();
  }

  resize() {
    const { canvas } = this,
      ratio = window.devicePixelRatio || 1;
    this.width = Math.max(canvas.clientWidth || canvas.parentElement.clientWidth, 320);
    canvas.style.height = this.height + 'px';
    canvas.width = Math.round(this.width * ratio);
    canvas.height = Math.round(this.height * ratio);
    this.ratio = ratio;
    this.colours();
    this.draw();
  }

  colours() {
    const style = getComputedStyle(document.documentElement);
    this.colour = name => (this.palette[name] ??= style.getPropertyValue('--' + name).trim());
    this.palette = {};
  }

  x(ns) {
    const [a, b] = this.view;
    return GUTTER + ((ns - a) / (b - a)) * (this.width - GUTTER - 12);
  }
  time(x) {
    const [a, b] = this.view;
    return a + ((x - GUTTER) / (this.width - GUTTER - 12)) * (b - a);
  }

  draw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
      this.changed?.();
    });
  }

  ofCall(item) {
    return this.filter.call === '' || String(item.call) === this.filter.call;
  }

  wants(packet) {
    const f = this.filter;
    return (
      f.classes.has(packet.class) &&
      (f.call === '' || String(packet.call) === f.call || (packet.call == null && packet.class !== 'check')) &&
      (!f.trouble || packet.fates) &&
      (!f.text || packetText(packet).includes(f.text))
    );
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener(
      'wheel',
      e => {
        e.preventDefault();
        const by = e.deltaY || e.deltaX;
        if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY)) this.pan(by / 800);
        else this.zoom(Math.exp(by * 0.0016), this.time(e.offsetX));
      },
      { passive: false },
    );
    canvas.addEventListener('pointerdown', e => {
      this.dragging = { x: e.offsetX, view: [...this.view], moved: false };
      canvas.setPointerCapture(e.pointerId);
    });
    canvas.addEventListener('pointermove', e => this.move(e));
    canvas.addEventListener('pointerup', e => {
      const { moved } = this.dragging ?? {};
      this.dragging = null;
      canvas.classList.remove('drag');
      if (!moved) this.select(this.at(e.offsetX, e.offsetY));
    });
    canvas.addEventListener('pointerleave', () => {
      if (this.hovered) {
        this.hovered = null;
        this.draw();
        this.hover?.(null);
      }
    });
    canvas.addEventListener('keydown', e => this.key(e));
    new ResizeObserver(() => {
      if (canvas.clientWidth && canvas.clientWidth !== this.width) this.resize();
    }).observe(canvas.parentElement);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.colours();
      this.draw();
    });
  }

  move(e) {
    const d = this.dragging;
    if (d && Math.abs(e.offsetX - d.x) > 2) {
      d.moved = true;
      this.canvas.classList.add('drag');
      const by = ((d.x - e.offsetX) / (this.width - GUTTER)) * (d.view[1] - d.view[0]);
      this.view = [d.view[0] + by, d.view[1] + by];
      return this.draw();
    }
    const hit = this.at(e.offsetX, e.offsetY);
    if (hit?.item !== this.hovered?.item) {
      this.hovered = hit;
      this.draw();
    }
    this.hover?.(hit, e.offsetX, e.offsetY);
  }

  at(x, y) {
    let best = null,
      least = 7;
    for (const h of this.hits) {
      const d = h.box
        ? x >= h.x1 && x <= h.x2 && y >= h.y1 && y <= h.y2
          ? h.kind === 'note'
            ? 1
            : 5
          : 99
        : toSegment(x, y, h);
      if (d < least) {
        least = d;
        best = h;
      }
    }
    return best;
  }

  select(hit) {
    this.selected = hit;
    this.draw();
    this.selecting?.(hit);
  }
  zoom(by, around = (this.view[0] + this.view[1]) / 2) {
    const [a, b] = this.view,
      span = Math.min(Math.max((b - a) * by, 1e5), this.tracks.ended_ns * 1.5 + 1e9),
      part = (around - a) / (b - a);
    this.view = [around - span * part, around + span * (1 - part)];
    this.draw();
  }
  pan(by) {
    const [a, b] = this.view,
      d = (b - a) * by;
    this.view = [a + d, b + d];
    this.draw();
  }
  centre(ns, span) {
    const w = span ?? this.view[1] - this.view[0];
    this.view = [ns - w / 2, ns + w / 2];
    this.draw();
  }
  fit() {
    this.view = [-this.tracks.ended_ns * 0.01, this.tracks.ended_ns * 1.01];
    this.draw();
  }

  key(e) {
    const act = {
      ArrowLeft: () => this.pan(-0.15),
      ArrowRight: () => this.pan(0.15),
      ArrowUp: () => this.zoom(0.75),
      ArrowDown: () => this.zoom(1.33),
      '+': () => this.zoom(0.75),
      '=': () => this.zoom(0.75),
      '-': () => this.zoom(1.33),
      Home: () => {
        this.view = [...this.home];
        this.draw();
      },
      End: () => this.fit(),
      n: () => this.step?.(1),
      p: () => this.step?.(-1),
      Escape: () => this.select(null),
    }[e.key];
    if (act && !e.ctrlKey && !e.metaKey && !e.altKey) {
      e.preventDefault();
      act();
    }
  }
}

const lastOf = p => Math.max(p.sent_ns, ...(p.arrived_ns ?? []), ...(p.fates ?? []).map(f => f.at_ns));
const packetText = p =>
  (p.search ??= `#${p.id} ${p.says} ${p.flow} ${(p.fates ?? []).map(f => f.text).join(' ')}`.toLowerCase());
const short = (text, n) => (text.length > n ? text.slice(0, n - 1) + '…' : text);
const tone = state =>
  ({
    connected: 's-up',
    completed: 's-up',
    complete: 's-up',
    stable: 's-up',
    checking: 's-busy',
    connecting: 's-busy',
    gathering: 's-busy',
    disconnected: 's-warn',
    failed: 's-bad',
  })[state] ?? (/^have-/.test(state) ? 's-busy' : 's-idle');
function toSegment(x, y, { x1, y1, x2, y2 }) {
  const dx = x2 - x1,
    dy = y2 - y1,
    t = Math.max(0, Math.min(1, ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - x1 - t * dx, y - y1 - t * dy);
}

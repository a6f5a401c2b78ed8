// How the timeline is painted: axis, faults, states, packets, messages, notes. It changes nothing but the canvas and what can be hit.
'use strict';
Object.assign(Timeline.prototype, {
  paint() {
    const began = performance.now(),
      c = this.context;
    c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    c.clearRect(0, 0, this.width, this.height);
    c.font = '11px system-ui, sans-serif';
    c.textBaseline = 'middle';
    this.hits = [];
    this.taken = [];
    this.wordings = [];
    c.save();
    c.beginPath();
    c.rect(GUTTER, 0, this.width - GUTTER, this.height);
    c.clip();
    this.paintAxis(c);
    this.paintFaults(c);
    this.paintBands(c);
    this.paintWires(c);
    if (this.other && this.show !== 'this') this.paintTraffic(c, this.other, true);
    if (!this.other || this.show !== 'other') {
      this.paintTraffic(c, this.tracks, false);
      this.paintNotes(c);
    }
    this.paintMarks(c);
    this.paintWordings(c);
    c.restore();
    this.paintLabels(c);
    this.cost = performance.now() - began;
  },

  paintAxis(c) {
    const [a, b] = this.view,
      rough = (b - a) / Math.max(4, (this.width - GUTTER) / 110),
      power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map(n => n * power).find(n => n >= rough),
      digits = Math.max(0, Math.min(6, 9 - Math.floor(Math.log10(step) + 1e-9)));
    c.strokeStyle = this.colour('line');
    c.fillStyle = this.colour('soft');
    c.lineWidth = 1;
    for (let t = Math.ceil(a / step) * step; t <= b; t += step) {
      const x = Math.round(this.x(t)) + 0.5;
      c.beginPath();
      c.moveTo(x, AXIS - 6);
      c.lineTo(x, this.height);
      c.stroke();
      c.fillText(seconds(t, digits) + ' s', x + 3, 10);
    }
    const healed = this.tracks.healed_ns;
    if (healed) {
      const x = this.x(healed);
      c.strokeStyle = this.colour('good');
      c.setLineDash([5, 4]);
      c.beginPath();
      c.moveTo(x, 16);
      c.lineTo(x, this.height);
      c.stroke();
      c.setLineDash([]);
      c.fillStyle = this.colour('good');
      c.fillText('healed', x + 3, 21);
    }
  },

  paintFaults(c) {
    for (const fault of this.tracks.faults) {
      if (fault.row >= FAULT_ROWS) continue;
      const x = this.x(fault.from_ns),
        w = Math.max(this.x(fault.until_ns) - x, 3),
        y = AXIS + fault.row * BAND_ROW;
      const strong =
        this.selected?.item === fault ||
        this.hovered?.item === fault ||
        this.faultOf(this.selected) === fault.index ||
        this.faultOf(this.hovered) === fault.index;
      c.fillStyle = this.colour('fault');
      if (strong) c.fillRect(x, y, w, this.height - y);
      c.fillRect(x, y, w, BAND_ROW - 2);
      c.fillStyle = this.colour('lost');
      c.fillRect(x, y, 2, BAND_ROW - 2);
      this.clipText(
        c,
        fault.name,
        Math.max(x, GUTTER) + 5,
        y + BAND_ROW / 2 - 1,
        x + w - Math.max(x, GUTTER) - 6,
        this.colour('bad'),
      );
      this.hits.push({ x1: x, x2: x + w, y1: y, y2: y + BAND_ROW - 2, box: true, kind: 'fault', item: fault });
    }
  },

  faultOf(hit) {
    const item = hit?.item;
    return item && (item.fault ?? item.fates?.find(f => f.fault !== undefined)?.fault);
  },

  paintBands(c) {
    for (const band of this.tracks.bands) {
      const row = this.rows[band.host].get(band.peer + ' ' + band.machine);
      if (row >= 10 || !this.ofCall(band)) continue;
      const x = this.x(band.from_ns),
        end = this.x(band.until_ns),
        y = this.lanes[band.host].bands + row * BAND_ROW;
      if (end < GUTTER || x > this.width) continue;
      c.fillStyle = this.colour(tone(band.state));
      c.fillRect(x, y, Math.max(end - x - 1, 1), BAND_ROW - 2);
      const from = Math.max(x, GUTTER) + 4;
      this.clipText(
        c,
        `${band.machine}: ${band.state}${this.tracks.calls.length > 1 ? ' · ' + band.peer : ''}`,
        from,
        y + BAND_ROW / 2 - 1,
        end - from - 4,
        this.colour('ink'),
      );
      this.hits.push({ x1: x, x2: end, y1: y, y2: y + BAND_ROW - 2, box: true, kind: 'band', item: band });
    }
  },

  clipText(c, text, x, y, room, colour) {
    if (room < 22) return;
    c.fillStyle = colour;
    if (c.measureText(text).width > room) {
      let n = Math.max(1, Math.floor(room / 6));
      text = text.slice(0, n - 1) + '…';
      if (n < 3) return;
    }
    c.fillText(text, x, y);
  },

  paintWires(c) {
    c.strokeStyle = this.colour('soft');
    c.lineWidth = 1;
    for (const { wire } of this.lanes) {
      c.beginPath();
      c.moveTo(GUTTER, wire + 0.5);
      c.lineTo(this.width, wire + 0.5);
      c.stroke();
    }
  },

  paintTraffic(c, tracks, ghost) {
    const [a, b] = this.view,
      packets = tracks.packets.filter(p => this.wants(p) && p.sent_ns <= b && lastOf(p) >= a);
    c.globalAlpha = ghost ? 0.55 : 1;
    const labels = packets.length < 46;
    for (const packet of packets) this.paintPacket(c, packet, ghost, labels);
    if (this.filter.messages) {
      const messages = tracks.messages.filter(
        m =>
          (this.filter.call === '' || String(m.call) === this.filter.call) &&
          (!this.filter.trouble || m.arrived_ns == null) &&
          (!this.filter.text || m.text.toLowerCase().includes(this.filter.text)) &&
          m.sent_ns <= b &&
          (m.arrived_ns ?? m.sent_ns) >= a,
      );
      for (const m of messages) this.paintMessage(c, m, ghost, messages.length < 90);
    }
    c.globalAlpha = 1;
  },

  paintPacket(c, p, ghost, labels) {
    const from = this.lanes[p.from];
    if (!from) return;
    const to = this.lanes[p.to] ?? this.lanes[p.from === 0 ? 1 : 0] ?? from;
    const dropped = p.fates?.find(f => f.dropped),
      colour = ghost ? this.colour('other') : this.colour(p.class);
    const same = to === from,
      y1 = from.wire,
      y2 = same ? y1 - 16 : to.wire,
      x1 = this.x(p.sent_ns);
    c.lineWidth = p.nominates ? 2.4 : 1.1;
    c.strokeStyle = colour;
    c.fillStyle = colour;
    for (const at of p.arrived_ns ?? []) {
      this.arrow(c, x1, y1, this.x(at), y2, colour);
      this.hits.push({ x1, y1, x2: this.x(at), y2, kind: 'packet', item: p, ghost });
    }
    if (dropped || !p.arrived_ns) {
      const late = dropped && dropped.at_ns > p.sent_ns,
        part = late ? 0.86 : 0.5,
        x2 = dropped && late ? this.x(dropped.at_ns) : x1 + 12,
        y = y1 + (y2 - y1) * part;
      const lost = ghost ? colour : this.colour('lost');
      c.strokeStyle = lost;
      c.setLineDash([4, 3]);
      this.line(c, x1, y1, x2, y);
      c.setLineDash([]);
      if (dropped) {
        c.lineWidth = 1.6;
        this.line(c, x2 - 3.5, y - 3.5, x2 + 3.5, y + 3.5);
        this.line(c, x2 - 3.5, y + 3.5, x2 + 3.5, y - 3.5);
      }
      this.hits.push({ x1, y1, x2, y2: y, kind: 'packet', item: p, ghost });
      if (dropped) this.word(dropped.tag, x2 + 6, [y - 9], lost, 4);
    }
    if (!ghost && p.fates?.some(f => !f.dropped)) {
      c.fillStyle = this.colour('warn');
      c.beginPath();
      c.arc(x1, y1, 3, 0, 7);
      c.fill();
    }
    if (p.nominates && !ghost) {
      c.fillStyle = colour;
      c.fillRect(x1 - 3, y1 - 3, 6, 6);
    }
    if (labels && !ghost) this.word(short(p.says, 34), x1 + 5, [y1 + Math.sign(y2 - y1) * 13], colour, 7);
  },

  paintMessage(c, m, ghost, labels) {
    const y1 = this.lanes[m.from].wire,
      y2 = this.lanes[m.to].wire,
      x1 = this.x(m.sent_ns),
      lost = m.arrived_ns == null;
    const colour = ghost ? this.colour('other') : this.colour(lost ? 'lost' : 'message'),
      x2 = lost ? x1 + 14 : this.x(m.arrived_ns),
      y = lost ? y1 + (y2 - y1) * 0.55 : y2;
    c.lineWidth = 1.9;
    c.strokeStyle = colour;
    c.fillStyle = colour;
    if (lost) {
      c.setLineDash([5, 3]);
      this.line(c, x1, y1, x2, y);
      c.setLineDash([]);
      this.line(c, x2 - 4, y - 4, x2 + 4, y + 4);
      this.line(c, x2 - 4, y + 4, x2 + 4, y - 4);
    } else this.arrow(c, x1, y1, x2, y2, colour);
    this.hits.push({ x1, y1, x2, y2: y, kind: 'message', item: m, ghost });
    if (labels && !ghost) this.word(short(m.text, 44), (x1 + x2) / 2 + 6, [(y1 + y) / 2], colour, 5);
  },

  arrow(c, x1, y1, x2, y2, colour) {
    this.line(c, x1, y1, x2, y2);
    const length = Math.hypot(x2 - x1, y2 - y1) || 1,
      ux = (x2 - x1) / length,
      uy = (y2 - y1) / length;
    c.fillStyle = colour;
    c.beginPath();
    c.moveTo(x2, y2);
    c.lineTo(x2 - 6 * ux + 2.6 * uy, y2 - 6 * uy - 2.6 * ux);
    c.lineTo(x2 - 6 * ux - 2.6 * uy, y2 - 6 * uy + 2.6 * ux);
    c.fill();
  },

  line(c, x1, y1, x2, y2) {
    c.beginPath();
    c.moveTo(x1, y1);
    c.lineTo(x2, y2);
    c.stroke();
  },

  // Whether a text of that width can stand there without covering another; it then does.
  free(x, y, width) {
    const box = [x, y - 6, x + width + 4, y + 6];
    if (
      x > this.width ||
      x + width < GUTTER ||
      this.taken.some(t => box[0] < t[2] && box[2] > t[0] && box[1] < t[3] && box[3] > t[1])
    )
      return false;
    this.taken.push(box);
    return true;
  },

  paintNotes(c) {
    const order = { user: 0, trouble: 1, app: 2, peer: 3, other: 4 },
      [a, b] = this.view;
    const wanted = this.tracks.notes.filter(
      n =>
        this.filter.notes &&
        n.at_ns >= a &&
        n.at_ns <= b &&
        this.ofCall(n) &&
        (!this.filter.trouble || n.class === 'trouble') &&
        (!this.filter.text || n.text.toLowerCase().includes(this.filter.text)),
    );
    for (const n of wanted.sort((p, q) => order[p.class] - order[q.class] || p.event - q.event)) {
      const lane = this.lanes[n.host];
      const x = this.x(n.at_ns),
        y0 = lane ? lane.notes + 6 : AXIS - 4;
      const colour = this.colour({ user: 'accent', trouble: 'lost', app: 'good' }[n.class] ?? 'soft');
      c.fillStyle = colour;
      c.strokeStyle = colour;
      c.lineWidth = 1;
      const size = n.class === 'peer' || n.class === 'other' ? 2 : 4;
      c.beginPath();
      if (n.class === 'user') {
        c.moveTo(x, y0 + 5);
        c.lineTo(x - 4, y0 - 3);
        c.lineTo(x + 4, y0 - 3);
      } else c.arc(x, y0, size, 0, 7);
      c.fill();
      if (lane && order[n.class] < 3) {
        c.globalAlpha = 0.35;
        this.line(c, x + 0.5, y0 + 5, x + 0.5, lane.wire);
        c.globalAlpha = 1;
      }
      this.hits.push({ x1: x - 5, x2: x + 5, y1: y0 - 6, y2: y0 + 7, box: true, kind: 'note', item: n });
      if (!lane || (n.class === 'other' && wanted.length > 30)) continue;
      const rank = { user: 1, trouble: 2, app: 3, peer: 6 }[n.class] ?? 8;
      this.word(short(n.text, 40), x + 7, [y0, y0 + NOTE_ROW], colour, rank);
    }
  },

  paintMarks(c) {
    for (const mark of this.marks) {
      const x = Math.round(this.x(mark.at_ns)) + 0.5;
      c.strokeStyle = this.colour(mark.colour);
      c.lineWidth = 1.5;
      c.setLineDash([2, 3]);
      this.line(c, x, 16, x, this.height);
      c.setLineDash([]);
      this.word(mark.text, x + 4, [this.height - 9], this.colour(mark.colour), 0);
    }
    for (const hit of [this.hovered, this.selected]) {
      const now = hit && this.hits.find(h => h.item === hit.item);
      if (!now) continue;
      c.strokeStyle = this.colour('focus');
      c.lineWidth = 3;
      c.globalAlpha = 0.8;
      if (now.box) c.strokeRect(now.x1, now.y1, Math.max(now.x2 - now.x1, 2), now.y2 - now.y1);
      else this.line(c, now.x1, now.y1, now.x2, now.y2);
      c.globalAlpha = 1;
    }
  },

  // A text that is to stand at x, in the first of the rows where there is room; the lower its rank the earlier it is placed.
  word(text, x, ys, colour, rank) {
    if (x < this.width && x > 0) this.wordings.push({ text, x, ys, colour, rank });
  },

  // With a rim in the colour of the ground, so that they read over arrows.
  paintWordings(c) {
    c.lineJoin = 'round';
    c.lineWidth = 3.5;
    c.strokeStyle = this.colour('panel');
    for (const w of this.wordings.sort((p, q) => p.rank - q.rank).slice(0, 500)) {
      const width = c.measureText(w.text).width,
        y = w.ys.find(y => this.free(w.x, y, width));
      if (y === undefined) continue;
      c.strokeText(w.text, w.x, y);
      c.fillStyle = w.colour;
      c.fillText(w.text, w.x, y);
    }
  },

  paintLabels(c) {
    c.fillStyle = this.colour('panel');
    c.fillRect(0, 0, GUTTER, this.height);
    c.strokeStyle = this.colour('line');
    c.lineWidth = 1;
    this.line(c, GUTTER - 0.5, 0, GUTTER - 0.5, this.height);
    c.fillStyle = this.colour('soft');
    if (this.faultRows.length) c.fillText('faults', 12, AXIS + 5);
    for (const { host, wire } of this.lanes) {
      c.font = '600 13px system-ui, sans-serif';
      c.fillStyle = this.colour('ink');
      c.fillText(short(host.name, 17), 12, wire - 8);
      c.font = '10.5px system-ui, sans-serif';
      c.fillStyle = this.colour('soft');
      host.about
        .split(' behind ')
        .forEach((line, i) => c.fillText(short((i ? 'behind ' : '') + line, 22), 12, wire + 7 + 13 * i));
      c.font = '11px system-ui, sans-serif';
    }
  },
});

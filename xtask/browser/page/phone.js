// One user's phone: signs in at the server of examples/own-client, calls, rings, answers and hangs up, with the same letters.
// It is used by its buttons or by `phone.tap`; what it shows goes into its list, and to `report` where a script has put that.
'use strict';

/** How long it waits before it connects to the server again, in milliseconds. */
const RETRY_MS = 500;

const asked = new URLSearchParams(location.search);

const phone = {
  user: asked.get('user') ?? 'alice',
  server: asked.get('server') ?? '127.0.0.1:8080',
  isNaive: asked.get('trickle') === 'naive',
  iceServers: asked.has('stun') ? [{ urls: asked.get('stun') }] : [],
  calls: new Map(),
  // Candidates whose description is not there: it is still to come, or a restart has replaced it.
  early: new Map(),
  over: new Set(),
  // What became of calls that are over.
  past: new Map(),
  strays: 0,
  errors: [],

  /** The user taps: `{tap: 'dial', call: 'c1', to: 'bob'}`, or accept, decline, restart, hang-up. */
  tap(tap) { this.next(() => this.tapped(tap)); },

  /** What is known of a call, also of one that is over. */
  async look(id) {
    const call = this.calls.get(id) ?? this.past.get(id);
    return { ...(call && await call.look()), strays: this.strays, errors: this.errors };
  },

  // One thing after the other: a letter is read when what the one before asked for is done.
  queue: Promise.resolve(),
  next(act) {
    this.queue = this.queue.then(act).catch((error) => this.errors.push(`${error.name}: ${error.message}`));
  },

  signIn() {
    this.socket = new WebSocket(`ws://${this.server}/`);
    this.socket.onopen = () => {
      this.socket.send(JSON.stringify({ user: this.user }));
      this.show({ shown: 'on' });
    };
    this.socket.onmessage = ({ data }) => this.next(() => this.read(JSON.parse(data)));
    this.socket.onclose = () => setTimeout(() => this.signIn(), RETRY_MS);
  },

  async tapped({ tap, call: id, to }) {
    const call = this.calls.get(id);
    if (tap === 'dial') {
      const call = this.begin(id, to);
      this.write(id, to, { type: 'invite', sdp: await call.invite() });
    } else if (!call) {
      return;
    } else if (tap === 'accept') {
      const sdp = await call.answer();
      call.stage = 'connecting';
      this.write(id, call.other, { type: 'accept', sdp });
      this.show({ shown: 'connecting', call: id });
    } else if (tap === 'decline') {
      this.write(id, call.other, { type: 'decline', reason: 'unwanted' });
      await this.end(id, { declined: 'unwanted' });
    } else if (tap === 'restart') {
      await this.restart(id, call);
    } else if (tap === 'hang-up') {
      this.write(id, call.other, { type: 'bye' });
      await this.end(id, 'hung-up');
    }
  },

  async read({ call: id, from, type, ...body }) {
    if (this.over.has(id)) return;
    const call = this.calls.get(id);
    if (type === 'invite') await this.invited(id, from, body.sdp);
    else if (type === 'ice') await this.addIce(id, body.candidate);
    else if (type === 'decline') await this.end(id, { declined: body.reason });
    else if (type === 'bye') await this.end(id, 'hung-up');
    else if (!call) return;
    else if (type === 'accept') {
      await call.answered(body.sdp);
      call.stage = 'connecting';
      await this.addEarly(id);
      this.show({ shown: 'connecting', call: id });
    } else if (type === 'restart') {
      await call.pc.setRemoteDescription({ type: 'offer', sdp: body.sdp });
      this.write(id, call.other, { type: 'restarted', sdp: await call.answer() });
      await this.addEarly(id);
    } else if (type === 'restarted') {
      await call.answered(body.sdp);
      await this.addEarly(id);
    } else if (type === 'please-restart') await this.restart(id, call);
  },

  async invited(id, from, sdp) {
    if (this.calls.has(id)) return;
    if (this.calls.size > 0) {
      this.write(id, from, { type: 'decline', reason: 'busy' });
      return;
    }
    const call = this.begin(id, from);
    await call.invited(sdp);
    await this.addEarly(id);
    this.show({ shown: 'rings', call: id, from });
  },

  /** Offers a restart, or asks who called to offer one: so no two offers ever meet. */
  async restart(id, call) {
    if (!call.isOurs) this.write(id, call.other, { type: 'please-restart' });
    else {
      const sdp = await call.restart();
      if (sdp) this.write(id, call.other, { type: 'restart', sdp });
    }
  },

  async addIce(id, candidate) {
    const call = this.calls.get(id);
    if (!this.isNaive && !call?.isFor(candidate)) {
      this.early.set(id, [...(this.early.get(id) ?? []), candidate]);
    } else if (call) await call.addIce(candidate);
    else this.strays += 1;
  },

  async addEarly(id) {
    const early = this.early.get(id) ?? [];
    this.early.delete(id);
    for (const candidate of early) await this.addIce(id, candidate);
  },

  begin(id, other) {
    const call = new Call(other, this.iceServers, {
      ice: (candidate) => this.write(id, other, { type: 'ice', candidate }),
      state: (state) => this.next(() => this.reported(id, state)),
    });
    this.calls.set(id, call);
    return call;
  },

  async reported(id, state) {
    const call = this.calls.get(id);
    if (!call) return;
    if (state === 'connected') {
      const shown = call.stage === 'connected' ? 'reconnected' : 'connected';
      call.stage = 'connected';
      this.show({ shown, call: id, pair: await call.pair() });
    } else if (state === 'failed') {
      this.write(id, call.other, { type: 'bye' });
      await this.end(id, 'failed');
    }
  },

  async end(id, end) {
    this.over.add(id);
    this.early.delete(id);
    const call = this.calls.get(id);
    if (!call) return;
    this.calls.delete(id);
    this.past.set(id, call);
    const { audio, texts } = await call.look();
    call.close();
    this.show({ shown: 'over', call: id, end, audio, texts });
  },

  write(call, to, body) {
    if (this.socket.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify({ call, from: this.user, to, ...body }));
    }
  },

  show(shown) {
    const line = document.createElement('li');
    line.textContent = Object.entries(shown).map(([k, v]) => `${k} ${typeof v === 'object' ? JSON.stringify(v) : v}`).join(', ');
    document.getElementById('shown').append(line);
    if (shown.call) this.current = shown.call;
    globalThis.report?.(JSON.stringify(shown));
  },
};

document.getElementById('whose').textContent = `The phone of ${phone.user}`;
document.body.addEventListener('click', ({ target }) => {
  const { tap } = target.dataset;
  if (!tap) return;
  const dials = tap === 'dial';
  if (dials) phone.current = crypto.randomUUID?.() ?? `call-${Date.now()}`;
  phone.tap({ tap, call: phone.current, ...(dials && { to: document.getElementById('to').value }) });
});
addEventListener('error', ({ message }) => phone.errors.push(message));
addEventListener('unhandledrejection', ({ reason }) => phone.errors.push(String(reason)));
phone.signIn();

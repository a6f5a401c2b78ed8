// One call: its RTCPeerConnection, from the invitation to the end, and a record of all that it reported.
// Everything is done as W3C webrtc-pc says; nothing here knows which browser it runs in.
'use strict';

/** What tells the candidates of one description from those of another. */
function generation(description) {
  const found = /^a=ice-ufrag:(.*)$/m.exec(description?.sdp ?? '');
  return found ? found[1].trim() : null;
}

class Call {
  /** A call with `other`; `reports` has functions `ice(candidate)` and `state(name)`. */
  constructor(other, iceServers, reports) {
    this.other = other;
    this.stage = 'ringing';
    this.isOurs = false;
    this.heard = { texts: 0, sent: 0, chatClosedAt: null, isOver: false };
    this.record = {
      signaling: [], gathering: [], ice: [], connection: [], times: [], pairs: 0,
      afterClose: 0, refused: [], added: 0, foreign: 0, candidates: [], ends: [], iceErrors: [],
    };
    this.began = performance.now();
    this.pc = new RTCPeerConnection({ iceServers });
    this.watch(reports);
    this.microphone = microphone();
    this.pc.addTrack(this.microphone.track, this.microphone.stream);
  }

  watch(reports) {
    const { pc, record } = this;
    const note = (list, state) => {
      if (this.isClosed) record.afterClose += 1;
      list.push(state);
    };
    pc.onsignalingstatechange = () => note(record.signaling, pc.signalingState);
    pc.onicegatheringstatechange = () => note(record.gathering, pc.iceGatheringState);
    pc.oniceconnectionstatechange = () => note(record.ice, pc.iceConnectionState);
    pc.onconnectionstatechange = () => {
      note(record.connection, pc.connectionState);
      record.times.push([pc.connectionState, Math.round(performance.now())]);
      reports.state(pc.connectionState);
    };
    pc.onicecandidate = ({ candidate }) => {
      // Null says that gathering is over; an empty candidate, that a generation is. Only the latter is for the other side.
      record.ends.push(candidate === null ? 'null' : candidate.candidate === '' ? 'empty' : 'candidate');
      if (candidate === null) return;
      record.candidates.push(candidate.toJSON());
      reports.ice(candidate.toJSON());
    };
    pc.onicecandidateerror = ({ errorCode, errorText, url }) => {
      const afterMs = Math.round(performance.now() - this.began);
      record.iceErrors.push({ errorCode, errorText, url, afterMs });
    };
  }

  /** The caller's invitation. */
  async invite() {
    this.isOurs = true;
    this.channel = this.pc.createDataChannel('chat');
    chat(this.channel, this.heard);
    return this.offer();
  }

  async offer() {
    await this.pc.setLocalDescription();
    this.watchPairs();
    return this.pc.localDescription.sdp;
  }

  /** The callee was invited. */
  async invited(sdp) {
    this.pc.ondatachannel = ({ channel }) => {
      this.channel = channel;
      chat(channel, this.heard);
    };
    await this.pc.setRemoteDescription({ type: 'offer', sdp });
  }

  /** The callee takes the call, or agrees to a restart. */
  async answer() {
    await this.pc.setLocalDescription();
    this.watchPairs();
    return this.pc.localDescription.sdp;
  }

  /** The callee has taken the call, or has agreed to a restart. */
  async answered(sdp) {
    await this.pc.setRemoteDescription({ type: 'answer', sdp });
  }

  /** The caller looks for ways to reach each other anew; null where that is under way, or nothing was agreed on yet. */
  async restart() {
    if (this.pc.signalingState !== 'stable' || this.stage === 'ringing') return null;
    this.pc.restartIce();
    return this.offer();
  }

  watchPairs() {
    const ice = this.pc.getSenders()[0]?.transport?.iceTransport;
    if (ice) ice.onselectedcandidatepairchange = () => { this.record.pairs += 1; };
  }

  /** Whether the description that `candidate` belongs to is there. */
  isFor(candidate) {
    const { remoteDescription } = this.pc;
    const named = candidate.usernameFragment;
    return remoteDescription !== null && (!named || named === generation(remoteDescription));
  }

  /** Gives the other side's candidate to the peer connection; what that refuses is recorded. */
  async addIce(candidate) {
    const isForeign = !this.isFor(candidate);
    try {
      await this.pc.addIceCandidate(candidate);
      this.record.added += 1;
      if (isForeign) this.record.foreign += 1;
    } catch (error) {
      this.record.refused.push(error.name);
    }
  }

  /** By which kinds of way the two reach each other, ours first: `host srflx`. */
  async pair() {
    const { pair } = await this.look();
    return pair ? `${pair.local} ${pair.remote}` : null;
  }

  /** What was heard, and what the statistics say. */
  async look() {
    const stats = new Map(await this.pc.getStats());
    const all = [...stats.values()];
    const audio = all.find((s) => s.type === 'inbound-rtp' && s.kind === 'audio');
    const out = all.find((s) => s.type === 'outbound-rtp' && s.kind === 'audio');
    const transport = all.find((s) => s.type === 'transport');
    const chosen = stats.get(transport?.selectedCandidatePairId);
    const codec = stats.get(audio?.codecId);
    const [local, remote] = [chosen?.localCandidateId, chosen?.remoteCandidateId].map((id) => stats.get(id));
    return {
      ...this.heard,
      audio: audio?.packetsReceived ?? 0,
      codec: codec && `${codec.mimeType} ${codec.sdpFmtpLine ?? ''}`.trim(),
      audioSent: out?.packetsSent ?? 0,
      pair: local && remote && {
        local: local.candidateType, remote: remote.candidateType,
        localUfrag: local.usernameFragment ?? null, remoteUfrag: remote.usernameFragment ?? null,
      },
      transport: transport && {
        iceRole: transport.iceRole, dtlsRole: transport.dtlsRole, dtlsState: transport.dtlsState,
        iceState: transport.iceState, ufrag: transport.iceLocalUsernameFragment ?? null,
        tlsVersion: transport.tlsVersion, srtpCipher: transport.srtpCipher,
      },
      ourUfrag: generation(this.pc.localDescription),
      theirUfrag: generation(this.pc.remoteDescription),
      now: {
        signaling: this.pc.signalingState, gathering: this.pc.iceGatheringState,
        ice: this.pc.iceConnectionState, connection: this.pc.connectionState,
      },
      at: Math.round(performance.now()),
      record: this.record,
    };
  }

  close() {
    this.isClosed = true;
    this.heard.isOver = true;
    this.pc.close();
    this.microphone.context.close();
  }
}

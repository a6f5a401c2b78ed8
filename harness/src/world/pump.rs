//! Carries packets between the hosts: the event loop of the network.
//!
//! The pump takes outgoing packets from the hosts' sockets, asks the packet path for their fate, keeps them in a queue
//! ordered by time and then by arrival, and delivers them when they are due. Between two packets it sleeps, so that
//! time can jump.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use turmoil_net::{EnterGuard, NetstatEntry, NetstatState, Packet, Transport};

use super::{
    Sim, WorldSpec,
    host::name_socket,
    packet::{Hop, InFlight, flow_of, opens, payload_of, readdress, reset, segment_of, short_hash},
    strays::Strays,
};
use crate::{
    net::{
        link::{Copy, Fate},
        path::{Path, Place},
        switch::Routes,
        topology::Topology,
    },
    time::SimTime,
    trace::{Cause, Crossing, Direction, EventKind, Flow, IceKeys, PacketId, Proto, Tapped, Watch, wire},
};

/// Acts on the network from outside, between packets.
pub(super) trait Outside {
    /// Returns the time of the next action; `None` if there is none.
    fn next(&self) -> Option<SimTime>;

    /// Performs every action that is due up to `now`.
    fn act(&mut self, pump: &mut Pump<'_>, now: SimTime);
}

/// The event loop of the network.
pub(super) struct Pump<'a> {
    pub(super) sim: Sim,
    pub(super) network: &'a EnterGuard,
    pub(super) topology: Topology,
    pub(super) path: Path,
    pub(super) routes: Routes,
    // The hosts whose kernels have connections to forget, and when.
    pub(super) to_clear: VecDeque<(SimTime, String)>,
    queue: BinaryHeap<Reverse<InFlight>>,
    order: u64,
    sent: PacketId,
    watch: Option<Arc<Watch>>,
    // What protects the checks that hosts send.
    pub(super) keys: Arc<IceKeys>,
    pub(super) connections: BTreeSet<Flow>,
    pub(super) strays: Strays,
}

impl<'a> Pump<'a> {
    pub(super) fn new(sim: Sim, network: &'a EnterGuard, spec: WorldSpec) -> Self {
        Self {
            path: Path::new(spec.seed, &spec.topology),
            routes: Routes::default(),
            to_clear: VecDeque::new(),
            topology: spec.topology,
            queue: BinaryHeap::new(),
            order: 0,
            sent: 0,
            connections: BTreeSet::new(),
            strays: Strays::default(),
            watch: sim.watch(),
            keys: sim.part(),
            sim,
            network,
        }
    }

    /// Returns the number of the next packet.
    pub(super) fn next_packet(&mut self) -> PacketId {
        self.sent += 1;
        self.sent
    }

    /// Returns the number of packets that were sent.
    pub(super) fn packets(&self) -> u64 {
        self.sent
    }

    /// Lists open sockets and packets in flight, by host.
    pub(super) fn pending(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for host in &self.topology.hosts {
            let Some(address) = host.addresses().next() else {
                continue;
            };
            let sockets = turmoil_net::netstat(address).entries;
            let held: Vec<_> = host.addresses().collect();
            let names = sockets
                .iter()
                .map(name_socket)
                .chain(self.sim.ports().names(&held));
            lines.extend(names.map(|name| format!("socket of {}: {name}", host.name)));
        }
        if !self.queue.is_empty() {
            lines.push(format!("packets in flight: {}", self.queue.len()));
        }
        lines
    }

    /// Runs until more than `max_packets` have been sent, while `outside` acts on the network.
    pub(super) async fn run(&mut self, max_packets: u64, outside: &mut (dyn Outside + Send)) {
        while self.sent <= max_packets {
            self.sim.tick();
            let now = self.sim.now();
            self.clear_after_crashes(now);
            outside.act(self, now);
            let asked = self.sim.take_egress();
            self.take_from_hosts(now, asked);
            if self.move_packets(now) {
                // The stack of the receiving host may answer at once, with acknowledgements.
                continue;
            }
            let due = [
                self.queue.peek().map(|p| p.0.at),
                outside.next(),
                self.next_to_clear(),
            ];
            match due.into_iter().flatten().min() {
                Some(at) => tokio::select! {
                    biased;
                    () = self.sim.egress_wanted() => {}
                    () = tokio::time::sleep(at - now) => {}
                },
                None => self.sim.egress_wanted().await,
            }
        }
    }

    /// Takes what interfaces have sent, and what kernels have, if one may have something: asking them costs as much as
    /// there are hosts and sockets.
    fn take_from_hosts(&mut self, now: SimTime, with_kernels: bool) {
        let mut out = self.sim.ports().take_sent();
        if with_kernels {
            self.network.egress_all(&mut out);
        }
        for packet in out {
            let from = self.path.place(packet.src);
            if from.is_some_and(|place| !self.sim.is_up(place.host)) {
                continue;
            }
            let to = self.path.place(packet.dst);
            if from.is_some_and(|from| to.is_some_and(|to| to.host == from.host)) {
                // It never leaves its host, as through a loopback interface.
                self.deliver(packet);
                continue;
            }
            let id = self.next_packet();
            let flow = self.routes.outbound(flow_of(&packet), opens(&packet));
            let payload = payload_of(&packet).clone();
            let packet = readdress(packet, flow);
            self.record_at(
                self.path.place(flow.src.ip()),
                EventKind::PacketSent {
                    packet: id,
                    flow,
                    len: payload.len() as u32,
                    hash: short_hash(&payload),
                    says: wire::describe(&packet.payload, &self.keys),
                },
            );
            self.tap(id, false, &packet);
            if flow.proto == Proto::Tcp {
                self.connections.insert(flow.min(flow.reversed()));
            }
            let fate = self.path.depart(now, flow, payload.len() as u32);
            self.tell_watch(now, id, (flow, Direction::Up));
            match fate {
                Fate::Reset(at, by) => {
                    self.sim.record(EventKind::PacketDropped { packet: id, by });
                    self.inject_resets(at, flow, Hop::InjectRouted, Hop::Inject);
                }
                fate => self.follow(fate, Hop::Core, id, packet),
            }
        }
    }

    /// Moves every packet that is due one hop further; returns whether one reached a host.
    fn move_packets(&mut self, now: SimTime) -> bool {
        let mut delivered = false;
        while self.queue.peek().is_some_and(|p| p.0.at <= now) {
            let Some(Reverse(InFlight { hop, id, packet, .. })) = self.queue.pop() else {
                break;
            };
            let flow = flow_of(&packet);
            match hop {
                Hop::Core => {
                    let (flow, fate) = self.path.transit(now, flow, payload_of(&packet).len() as u32);
                    if !matches!(fate, Fate::Dropped(Cause::Nat { .. } | Cause::Unroutable { .. })) {
                        self.tell_watch(now, id, (flow, Direction::Down));
                    }
                    match (flow, fate) {
                        (flow, Fate::Reset(at, by)) => {
                            self.sim.record(EventKind::PacketDropped { packet: id, by });
                            self.inject_resets(at, flow, Hop::Inject, Hop::InjectRouted);
                        }
                        (translated, fate) => self.follow(fate, Hop::Door, id, readdress(packet, translated)),
                    }
                }
                Hop::Door => match self.path.arrive(now, flow) {
                    Ok(place) if !self.sim.is_up(place.host) => {
                        let by = Cause::HostDown {
                            host: self.topology.hosts[place.host].name.clone(),
                            fault: self.sim.crashed_by(place.host),
                        };
                        self.sim.record(EventKind::PacketDropped { packet: id, by });
                    }
                    Ok(place) => {
                        self.record_at(Some(place), EventKind::PacketDelivered { packet: id });
                        if let Some(fault) = self
                            .sim
                            .silenced_by(place.host)
                            .filter(|_| flow.proto == Proto::Udp)
                        {
                            self.record_at(Some(place), EventKind::FaultHit { fault });
                        }
                        if let Some(fault) = self.strays.arrives(id, place, &packet) {
                            self.record_at(Some(place), EventKind::FaultHit { fault });
                        }
                        self.tap(id, true, &packet);
                        self.deliver(packet);
                        delivered = true;
                    }
                    Err(by) => {
                        let place = self.path.place(flow.dst.ip());
                        self.record_at(place, EventKind::PacketDropped { packet: id, by });
                    }
                },
                Hop::Inject => {
                    self.tap(id, true, &packet);
                    self.deliver(packet);
                    delivered = true;
                }
                Hop::InjectRouted => {
                    if let Ok((translated, _)) = self.path.route(now, flow) {
                        let packet = readdress(packet, translated);
                        self.tap(id, true, &packet);
                        self.deliver(packet);
                        delivered = true;
                    }
                }
            }
        }
        delivered
    }

    /// Delivers a packet to the kernel of its host. A reset of a half-open connection is discarded: `turmoil-net` 0.1.0
    /// would keep such a connection for ever, and the port of its listener with it (`src/kernel/tcp.rs:703` reaps only
    /// what an app has closed), where a real kernel forgets it (RFC 9293, section 3.10.7.4).
    fn deliver(&self, packet: Packet) {
        let flow = self.routes.inbound(flow_of(&packet));
        let packet = readdress(packet, flow);
        if let Transport::Udp(datagram) = &packet.payload
            && self.sim.ports().put(flow, &datagram.payload)
        {
            return;
        }
        if let Transport::Tcp(segment) = &packet.payload
            && segment.flags.rst
        {
            let half_open = |s: &NetstatEntry| {
                (s.state, s.local, s.peer) == (Some(NetstatState::SynReceived), flow.dst, Some(flow.src))
            };
            if turmoil_net::netstat(packet.dst).entries.iter().any(half_open) {
                return;
            }
        }
        if matches!(packet.payload, Transport::Tcp(_)) {
            // The kernel may answer it.
            self.sim.stir_egress();
        }
        self.network.deliver(packet);
    }

    /// Tells the watch that a packet has entered a link, if the watch keeps crossings.
    fn tell_watch(&self, at: SimTime, packet: PacketId, (flow, direction): (Flow, Direction)) {
        let Some(watch) = &self.watch else { return };
        watch.crossed(|| {
            let end = match direction {
                Direction::Up => flow.src,
                Direction::Down => flow.dst,
            };
            let (link, ordinal) = self.path.last_entered(end.ip(), direction)?;
            Some(Crossing {
                at,
                packet,
                link: link.link.clone(),
                direction,
                ordinal,
                flow,
            })
        });
    }

    /// Carries out the link's decision about a packet, and records every impairment.
    fn follow(&mut self, fate: Fate, next: Hop, id: PacketId, packet: Packet) {
        match fate {
            Fate::Dropped(by) | Fate::Reset(_, by) => {
                self.sim.record(EventKind::PacketDropped { packet: id, by });
            }
            Fate::Carried { first, second } => {
                if let Some((by, at)) = second {
                    self.sim.record(EventKind::PacketDuplicated { packet: id, by });
                    self.push(at, next, id, packet.clone());
                }
                let packet = self.impair(&first, id, packet);
                self.push(first.at, next, id, packet);
            }
        }
    }

    /// Applies a delay, a flipped bit and a truncation.
    fn impair(&mut self, copy: &Copy, id: PacketId, mut packet: Packet) -> Packet {
        if let Some((by, late)) = &copy.delayed {
            self.sim.record(EventKind::PacketDelayed {
                packet: id,
                by: by.clone(),
                by_ns: late.as_nanos() as u64,
            });
        }
        if let (Some((by, bit)), Transport::Udp(datagram)) = (&copy.corrupted, &mut packet.payload) {
            let mut bytes = datagram.payload.to_vec();
            bytes[(bit / 8) as usize] ^= 1 << (bit % 8);
            datagram.payload = Bytes::from(bytes);
            self.sim.record(EventKind::PacketCorrupted {
                packet: id,
                by: by.clone(),
                bit: *bit,
            });
        }
        if let (Some((by, len)), Transport::Udp(datagram)) = (&copy.truncated, &mut packet.payload) {
            datagram.payload.truncate(*len as usize);
            self.sim.record(EventKind::PacketTruncated {
                packet: id,
                by: by.clone(),
                len: *len,
            });
        }
        packet
    }

    /// Sends a reset to both ends of a connection: `there` is the hop of the reset along `flow`, `back` that of the
    /// reset against it. One of the two ends sees the addresses of `flow`, the other may be behind a NAT.
    pub(super) fn inject_resets(&mut self, at: SimTime, flow: Flow, there: Hop, back: Hop) {
        for (flow, hop) in [(flow, there), (flow.reversed(), back)] {
            self.push(at, hop, 0, reset(flow));
        }
    }

    pub(super) fn push(&mut self, at: SimTime, hop: Hop, id: PacketId, packet: Packet) {
        self.order += 1;
        self.queue.push(Reverse(InFlight {
            at,
            order: self.order,
            hop,
            id,
            packet,
        }));
    }

    /// Adds a packet at the interface of a host to the tap, if the run has one.
    fn tap(&self, id: PacketId, received: bool, packet: &Packet) {
        let Some(tap) = self.watch.as_ref().and_then(|watch| watch.tap()) else {
            return;
        };
        let flow = flow_of(packet);
        let end = if received { flow.dst } else { flow.src };
        let place = self.path.place(end.ip());
        tap.passes(Tapped {
            packet: id,
            at: self.sim.now(),
            host: place.map(|place| self.topology.hosts[place.host].name.clone()),
            received,
            flow,
            segment: segment_of(packet),
            payload: payload_of(packet).to_vec(),
        });
    }

    fn record_at(&self, place: Option<Place>, kind: EventKind) {
        self.sim.record_on(place.map(|p| p.host), kind);
    }
}

//! Carries packets between the hosts: the event loop of the network.
//!
//! The pump takes what the hosts' sockets want to send, asks the packet path what becomes of it, keeps it
//! in a queue ordered by time and then by arrival, and hands it over when it is due. Between two packets it
//! sleeps, so that time can jump.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap, VecDeque},
    net::SocketAddr,
};

use bytes::Bytes;
use turmoil_net::{EnterGuard, NetstatEntry, NetstatState, Packet, TcpFlags, TcpSegment, Transport};

use super::{Sim, WorldSpec, chaos};
use crate::{
    net::{
        link::{Copy, Fate},
        path::{Path, Place},
        topology::Topology,
        weather::{Direction, Edge, LinkFault, Schedule, Weather},
    },
    time::SimTime,
    trace::{Cause, CauseKind, EventKind, Flow, PacketId, Proto, wire},
};

/// Where a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// About to cross the core and enter the link of its destination.
    Core,
    /// About to reach its host, past the firewall.
    Door,
    /// A reset that the network itself sends, addressed as its receiver sees it: it passes every firewall.
    Inject,
    /// Such a reset, addressed as the other end sees it: it still has to pass the NATs.
    InjectRouted,
}

struct InFlight {
    at: SimTime,
    order: u64,
    stage: Stage,
    id: PacketId,
    packet: Packet,
}

impl PartialEq for InFlight {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for InFlight {}

impl PartialOrd for InFlight {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for InFlight {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// The event loop of the network.
pub(super) struct Pump<'a> {
    sim: Sim,
    network: &'a EnterGuard,
    topology: Topology,
    path: Path,
    schedule: Schedule,
    edges: VecDeque<Edge>,
    heal_at: Option<SimTime>,
    queue: BinaryHeap<Reverse<InFlight>>,
    order: u64,
    sent: PacketId,
    connections: BTreeSet<Flow>,
}

impl<'a> Pump<'a> {
    pub(super) fn new(sim: Sim, network: &'a EnterGuard, spec: WorldSpec) -> Self {
        let schedule = chaos(&spec);
        Self {
            path: Path::new(spec.seed, &spec.topology),
            edges: schedule.edges().into(),
            schedule,
            heal_at: spec.heal_at,
            topology: spec.topology,
            queue: BinaryHeap::new(),
            order: 0,
            sent: 0,
            connections: BTreeSet::new(),
            sim,
            network,
        }
    }

    /// Packets that the hosts sent.
    pub(super) fn packets(&self) -> u64 {
        self.sent
    }

    /// What is open or under way, by host.
    pub(super) fn pending(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for host in &self.topology.hosts {
            let Some(address) = host.addresses().next() else {
                continue;
            };
            let sockets = turmoil_net::netstat(address).entries;
            lines.extend(
                sockets
                    .iter()
                    .map(|s| format!("socket of {}: {}", host.name, name_socket(s))),
            );
        }
        if !self.queue.is_empty() {
            lines.push(format!("packets in flight: {}", self.queue.len()));
        }
        lines
    }

    /// Runs until `max_packets` have been sent.
    pub(super) async fn run(&mut self, max_packets: u64) {
        while self.sent <= max_packets {
            self.sim.tick();
            let now = self.sim.now();
            self.turn_weather(now);
            for (local, peer) in self.sim.take_given_up() {
                self.network.deliver(reset(peer, local));
            }
            self.take_from_hosts(now);
            if self.move_packets(now) {
                // What was delivered may be answered within the stack: acknowledgements.
                continue;
            }
            let due = [
                self.queue.peek().map(|p| p.0.at),
                self.edges.front().map(|e| e.at),
                self.heal_at,
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

    /// Begins and ends faults, and the healing.
    fn turn_weather(&mut self, now: SimTime) {
        while let Some(edge) = self.edges.pop_front_if(|e| e.at <= now) {
            let fault = self.schedule.name(edge.index);
            if edge.begins {
                self.sim.record(EventKind::FaultStarted { fault });
                if self.schedule.fault(edge.index).fault == LinkFault::Reset {
                    self.reset_connections(now, edge.index);
                }
            } else {
                self.sim.record(EventKind::FaultEnded { fault });
            }
        }
        if self.heal_at.is_some_and(|at| at <= now) {
            self.heal_at = None;
            self.path.heal();
            self.sim.record(EventKind::Healed);
        }
    }

    fn reset_connections(&mut self, now: SimTime, fault: usize) {
        let link = &self.schedule.fault(fault).link;
        let over_link: Vec<Flow> = self
            .connections
            .iter()
            .filter(|f| self.ends_at(**f, link))
            .copied()
            .collect();
        for flow in over_link {
            self.inject_resets(now, flow, Stage::InjectRouted, Stage::Inject);
        }
    }

    fn ends_at(&self, flow: Flow, link: &str) -> bool {
        [flow.src, flow.dst].iter().any(|end| {
            let place = self.path.place(end.ip());
            place.is_some_and(|p| self.topology.hosts[p.host].link_base(p.interface) == link)
        })
    }

    fn take_from_hosts(&mut self, now: SimTime) {
        let mut out = Vec::new();
        self.network.egress_all(&mut out);
        for packet in out {
            let from = self.path.place(packet.src);
            if from.is_some_and(|place| !self.sim.is_up(place.host)) {
                continue;
            }
            self.sent += 1;
            let (id, flow, payload) = (self.sent, flow_of(&packet), payload_of(&packet).clone());
            let hash = blake3::hash(&payload).to_hex();
            self.record_at(
                self.path.place(flow.src.ip()),
                EventKind::PacketSent {
                    packet: id,
                    flow,
                    len: payload.len() as u32,
                    hash: hash[..16].to_owned(),
                    says: wire::describe(&packet.payload),
                },
            );
            if flow.proto == Proto::Tcp {
                self.connections.insert(flow.min(flow.reversed()));
            }
            let (topology, schedule) = (&self.topology, &self.schedule);
            let weather = |place, direction| weather(topology, schedule, place, direction, now);
            match self.path.depart(now, flow, payload.len() as u32, weather) {
                Fate::Reset(at, by) => {
                    self.sim.record(EventKind::PacketDropped { packet: id, by });
                    self.inject_resets(at, flow, Stage::InjectRouted, Stage::Inject);
                }
                fate => self.follow(fate, Stage::Core, id, packet),
            }
        }
    }

    /// Moves every packet that is due one stage further; says whether one reached a host.
    fn move_packets(&mut self, now: SimTime) -> bool {
        let mut delivered = false;
        while self.queue.peek().is_some_and(|p| p.0.at <= now) {
            let Some(Reverse(InFlight {
                stage, id, packet, ..
            })) = self.queue.pop()
            else {
                break;
            };
            let flow = flow_of(&packet);
            match stage {
                Stage::Core => {
                    let len = payload_of(&packet).len() as u32;
                    let (topology, schedule) = (&self.topology, &self.schedule);
                    let weather = |place, direction| weather(topology, schedule, place, direction, now);
                    match self.path.transit(now, flow, len, weather) {
                        (flow, Fate::Reset(at, by)) => {
                            self.sim.record(EventKind::PacketDropped { packet: id, by });
                            self.inject_resets(at, flow, Stage::Inject, Stage::InjectRouted);
                        }
                        (translated, fate) => {
                            self.follow(fate, Stage::Door, id, readdress(packet, translated))
                        }
                    }
                }
                Stage::Door => match self.path.arrive(now, flow) {
                    Ok(place) if !self.sim.is_up(place.host) => {
                        let place = self.topology.hosts[place.host].name.clone();
                        let kind = CauseKind::HostDown;
                        let by = Cause { kind, place };
                        self.sim.record(EventKind::PacketDropped { packet: id, by });
                    }
                    Ok(place) => {
                        self.record_at(Some(place), EventKind::PacketDelivered { packet: id });
                        self.hand_over(packet);
                        delivered = true;
                    }
                    Err(by) => {
                        let place = self.path.place(flow.dst.ip());
                        self.record_at(place, EventKind::PacketDropped { packet: id, by });
                    }
                },
                Stage::Inject => {
                    self.hand_over(packet);
                    delivered = true;
                }
                Stage::InjectRouted => {
                    if let Ok((translated, _)) = self.path.route(now, flow) {
                        self.hand_over(readdress(packet, translated));
                        delivered = true;
                    }
                }
            }
        }
        delivered
    }

    /// Gives a packet to its host. A reset of a connection that is still half open goes nowhere: `turmoil-net` 0.1.0
    /// would keep such a connection for ever, and the port of its listener with it (`src/kernel/tcp.rs:703` reaps only
    /// what an app has closed), where a real kernel forgets it (RFC 9293, section 3.10.7.4).
    fn hand_over(&self, packet: Packet) {
        if let Transport::Tcp(segment) = &packet.payload
            && segment.flags.rst
        {
            let flow = flow_of(&packet);
            let half_open = |s: &NetstatEntry| {
                (s.state, s.local, s.peer) == (Some(NetstatState::SynReceived), flow.dst, Some(flow.src))
            };
            if turmoil_net::netstat(packet.dst).entries.iter().any(half_open) {
                return;
            }
        }
        self.network.deliver(packet);
    }

    /// Does with a packet what its link decided, and writes down what is out of the ordinary.
    fn follow(&mut self, fate: Fate, next: Stage, id: PacketId, packet: Packet) {
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

    /// Applies a delay, a flipped bit and a missing end.
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

    /// Tells both ends of a connection that it is gone: `there` is how the reset along `flow` travels, `back`
    /// the one against it. One of the two ends sees the addresses of `flow`, the other may be behind a NAT.
    fn inject_resets(&mut self, at: SimTime, flow: Flow, there: Stage, back: Stage) {
        for (flow, stage) in [(flow, there), (flow.reversed(), back)] {
            self.push(at, stage, 0, reset(flow.src, flow.dst));
        }
    }

    fn push(&mut self, at: SimTime, stage: Stage, id: PacketId, packet: Packet) {
        self.order += 1;
        self.queue.push(Reverse(InFlight {
            at,
            order: self.order,
            stage,
            id,
            packet,
        }));
    }

    fn record_at(&self, place: Option<Place>, kind: EventKind) {
        self.sim.record_on(place.map(|p| p.host), kind);
    }
}

fn weather(
    topology: &Topology,
    schedule: &Schedule,
    place: Place,
    direction: Direction,
    now: SimTime,
) -> Weather {
    let link = topology.hosts[place.host].link_base(place.interface);
    schedule.over(&link, direction, now)
}

/// A reset from `src` to `dst`.
pub(super) fn reset(src: SocketAddr, dst: SocketAddr) -> Packet {
    Packet {
        src: src.ip(),
        dst: dst.ip(),
        ttl: 64,
        payload: Transport::Tcp(TcpSegment {
            src_port: src.port(),
            dst_port: dst.port(),
            seq: 0,
            ack: 0,
            flags: TcpFlags {
                rst: true,
                ..TcpFlags::default()
            },
            window: 0,
            payload: Bytes::new(),
        }),
    }
}

fn flow_of(packet: &Packet) -> Flow {
    let (proto, src_port, dst_port) = match &packet.payload {
        Transport::Udp(datagram) => (Proto::Udp, datagram.src_port, datagram.dst_port),
        Transport::Tcp(segment) => (Proto::Tcp, segment.src_port, segment.dst_port),
    };
    Flow {
        proto,
        src: SocketAddr::new(packet.src, src_port),
        dst: SocketAddr::new(packet.dst, dst_port),
    }
}

/// A socket as reports call it: protocol, address and state.
pub(super) fn name_socket(socket: &NetstatEntry) -> String {
    let state = socket
        .state
        .map_or_else(|| "bound".to_owned(), |s| s.to_string().to_lowercase());
    format!("{} {} {state}", socket.proto, socket.local)
}

/// The packet with the addresses that NATs gave it.
fn readdress(mut packet: Packet, flow: Flow) -> Packet {
    (packet.src, packet.dst) = (flow.src.ip(), flow.dst.ip());
    let (src_port, dst_port) = match &mut packet.payload {
        Transport::Udp(datagram) => (&mut datagram.src_port, &mut datagram.dst_port),
        Transport::Tcp(segment) => (&mut segment.src_port, &mut segment.dst_port),
    };
    (*src_port, *dst_port) = (flow.src.port(), flow.dst.port());
    packet
}

fn payload_of(packet: &Packet) -> &Bytes {
    match &packet.payload {
        Transport::Udp(datagram) => &datagram.payload,
        Transport::Tcp(segment) => &segment.payload,
    }
}

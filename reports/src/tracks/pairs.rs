//! Candidate pairs with their checks, as the wire shows them.
//!
//! A check through TURN travels inside another packet and is not counted; the selection of its pair shows all the same.
//! With a NAT between two peers, an answer is matched to the oldest check that its sender had received from there.

use std::collections::BTreeMap;

use serde::Serialize;
use sleet::trace::{EventKind, Flow, PacketId, PeerId, StunLine};

use super::Frame;

/// A pair of a peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// The index of the peer's lane.
    pub host: usize,
    /// The peer.
    pub peer: String,
    /// The local transport address.
    pub local: String,
    /// The remote transport address, as this side knows it.
    pub remote: String,
    /// The number of checks sent.
    pub checks: u64,
    /// The number of checks that reached a host.
    pub arrived: u64,
    /// The number of checks whose answer came back.
    pub answered: u64,
    /// The packet that first nominated the pair, if one did.
    pub nominated: Option<PacketId>,
    /// The time at which it was first selected, in nanoseconds.
    pub selected_ns: Option<u64>,
}

/// A check on its way.
struct Check {
    pair: usize,
    host: usize,
    flow: Flow,
}

/// Returns the pairs of all peers, by host and peer.
pub(super) fn of(frame: &Frame<'_>) -> Vec<Pair> {
    let mut grid = Grid {
        owners: owners(frame),
        frame,
        pairs: Vec::new(),
        checks: BTreeMap::new(),
        received: BTreeMap::new(),
        answers: BTreeMap::new(),
    };
    for event in &frame.record.trace.events {
        let host = event.host.as_deref().and_then(|h| frame.lane(h));
        match (&event.kind, host) {
            (
                EventKind::PacketSent {
                    packet, flow, says, ..
                },
                Some(host),
            ) => grid.sent(*packet, host, *flow, says),
            (EventKind::PacketDelivered { packet }, Some(host)) => grid.delivered(*packet, host),
            (EventKind::PairSelected { peer, local, remote }, Some(host)) => {
                let address = |candidate: &str| candidate.rsplit(' ').next().unwrap_or(candidate).to_owned();
                let pair = grid.pair(host, &peer.to_string(), address(local), address(remote));
                let at = event.at.as_nanos();
                grid.pairs[pair].selected_ns.get_or_insert(at);
            }
            _ => {}
        }
    }
    let mut pairs = grid.pairs;
    pairs.sort_by(|a, b| (a.host, &a.peer).cmp(&(b.host, &b.peer)));
    pairs
}

/// Returns the peer of each generation, by host and username fragment.
fn owners(frame: &Frame<'_>) -> BTreeMap<(usize, String), PeerId> {
    let mut owners = BTreeMap::new();
    for event in &frame.record.trace.events {
        let own = match &event.kind {
            EventKind::Described {
                peer,
                remote: false,
                ufrag,
                ..
            }
            | EventKind::DescriptionCreated { peer, ufrag, .. } => Some((peer, ufrag)),
            _ => None,
        };
        let host = event.host.as_deref().and_then(|h| frame.lane(h));
        if let (Some((peer, ufrag)), Some(host)) = (own, host) {
            owners.insert((host, ufrag.clone()), peer.clone());
        }
    }
    owners
}

struct Grid<'a> {
    frame: &'a Frame<'a>,
    owners: BTreeMap<(usize, String), PeerId>,
    pairs: Vec<Pair>,
    checks: BTreeMap<PacketId, Check>,
    /// The checks that a host received and has not answered, the oldest first.
    received: BTreeMap<usize, Vec<PacketId>>,
    /// For each answer, the check that it answers.
    answers: BTreeMap<PacketId, PacketId>,
}

impl Grid<'_> {
    fn pair(&mut self, host: usize, peer: &str, local: String, remote: String) -> usize {
        let known = self
            .pairs
            .iter()
            .position(|p| (p.host, p.peer.as_str(), &p.local, &p.remote) == (host, peer, &local, &remote));
        known.unwrap_or_else(|| {
            self.pairs.push(Pair {
                host,
                peer: peer.to_owned(),
                local,
                remote,
                checks: 0,
                arrived: 0,
                answered: 0,
                nominated: None,
                selected_ns: None,
            });
            self.pairs.len() - 1
        })
    }

    fn sent(&mut self, packet: PacketId, host: usize, flow: Flow, says: &str) {
        let Some(line) = StunLine::read(says) else { return };
        if let Some((_, from)) = line.asks.filter(|_| line.is_check()) {
            let Some(peer) = self.owners.get(&(host, from.to_owned())).map(PeerId::to_string) else {
                return;
            };
            let pair = self.pair(host, &peer, flow.src.to_string(), flow.dst.to_string());
            self.pairs[pair].checks += 1;
            if line.nominates {
                self.pairs[pair].nominated.get_or_insert(packet);
            }
            self.checks.insert(packet, Check { pair, host, flow });
        } else if line.is_answer() {
            let received = self.received.entry(host).or_default();
            let checks = &self.checks;
            let reached = |id: &PacketId| {
                checks
                    .get(id)
                    .is_some_and(|c| c.flow.src == flow.dst || behind(self.frame, c.host, flow))
            };
            if let Some(place) = received.iter().position(reached) {
                self.answers.insert(packet, received.remove(place));
            }
        }
    }

    fn delivered(&mut self, packet: PacketId, host: usize) {
        if let Some(check) = self.checks.get(&packet) {
            self.pairs[check.pair].arrived += 1;
            self.received.entry(host).or_default().push(packet);
        } else if let Some(check) = self.answers.get(&packet).and_then(|id| self.checks.get(id)) {
            self.pairs[check.pair].answered += 1;
        }
    }
}

/// Reports whether an answer goes to the NAT that the host of a check is behind.
fn behind(frame: &Frame<'_>, host: usize, answer: Flow) -> bool {
    let topology = &frame.record.plan.topology;
    let nat = topology
        .host(&frame.hosts[host].name)
        .and_then(|h| h.nat.as_deref());
    let mut outward = nat.and_then(|name| topology.nats.iter().find(|n| n.name == name));
    while let Some(nat) = outward {
        if nat.external == answer.dst.ip() {
            return true;
        }
        outward = nat
            .behind
            .as_ref()
            .and_then(|name| topology.nats.iter().find(|n| n.name == *name));
    }
    false
}

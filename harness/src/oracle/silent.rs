//! An oracle for what a closed peer sends: nothing.
//!
//! It judges by packets, and knows the sockets of a peer by the candidates that it gathered.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use super::{Evidence, Oracle, Verdict, Violation};
use crate::trace::{Event, EventKind, PeerId, Proto, StunLine, Trace};

/// A closed peer is silent.
pub const TEAR_06_SILENT: Oracle = Oracle {
    id: "TEAR-06",
    meaning: "A peer sends nothing and answers no check half a second after its close has returned.",
    source: "docs/stories.md#b-rapid-dial-and-hangup; W3C webrtc-pc section 4.4.2, close; RFC 8445 section 8.3",
    check: &silent,
};

/// The time for which a packet of a closed peer may have been under way between its socket and the wire: the last alert of DTLS is.
pub const UNDER_WAY: Duration = Duration::from_millis(500);

/// The sockets of a host's peers, by their ports.
#[derive(Default)]
struct Sockets<'a> {
    owners: BTreeMap<(&'a str, u16), &'a PeerId>,
    closed: BTreeMap<(&'a str, &'a PeerId), &'a Event>,
    /// The last peer that was made on each host.
    newest: BTreeMap<&'a str, &'a Event>,
}

impl<'a> Sockets<'a> {
    /// Reports whether a packet from a port of a peer that was closed with `closed` may be the first of another socket: the stack
    /// takes ports for its TURN clients at random, and may hand out the same again.
    fn is_taken_over(&self, host: &'a str, closed: &Event, says: &str) -> bool {
        let asks =
            StunLine::read(says).is_some_and(|line| line.method == "allocate" && line.class == "request");
        let newer = self.newest.get(host).is_some_and(|made| made.seq > closed.seq);
        asks && newer
    }
}

/// A packet that a peer sent half a second or more after its close had returned.
#[derive(Clone, Copy, Debug)]
pub struct SaidAfter<'a> {
    /// The end of the closing.
    pub closed: &'a Event,
    /// The packet.
    pub sent: &'a Event,
    /// Where it went.
    pub to: SocketAddr,
    /// What it is, in the terms of its protocol.
    pub says: &'a str,
}

fn silent(evidence: Evidence<'_>) -> Verdict {
    match said_after(evidence.trace).first() {
        Some(said) => speaks(said),
        None => Verdict::Pass,
    }
}

/// Returns everything that closed peers said, in order.
pub fn said_after(trace: &Trace) -> Vec<SaidAfter<'_>> {
    let mut all = Vec::new();
    let mut sockets = Sockets::default();
    for event in &trace.events {
        let Some(host) = event.host.as_deref() else {
            continue;
        };
        match &event.kind {
            EventKind::Gathered {
                peer,
                candidate: Some(candidate),
            } => {
                let ports = ports(&candidate.attribute);
                sockets
                    .owners
                    .extend(ports.into_iter().map(|port| ((host, port), peer)));
            }
            EventKind::Closed { peer } => {
                sockets.closed.insert((host, peer), event);
            }
            EventKind::PacketSent { flow, says, .. } if flow.proto == Proto::Udp => {
                let owner = sockets.owners.get(&(host, flow.src.port()));
                let closed = owner.and_then(|peer| sockets.closed.get(&(host, *peer)));
                if let Some(closed) = closed.copied().filter(|closed| event.at > closed.at + UNDER_WAY) {
                    if sockets.is_taken_over(host, closed, says) {
                        sockets.owners.remove(&(host, flow.src.port()));
                        continue;
                    }
                    all.push(SaidAfter {
                        closed,
                        sent: event,
                        to: flow.dst,
                        says,
                    });
                }
            }
            EventKind::PeerCreated { .. } => {
                sockets.newest.insert(host, event);
            }
            _ => {}
        }
    }
    all
}

/// Returns the local ports that a candidate comes from: its own, of a host candidate, or that of its base.
fn ports(attribute: &str) -> Option<u16> {
    let words: Vec<&str> = attribute.split(' ').collect();
    let base = words.iter().position(|word| *word == "rport");
    let port = match base {
        Some(at) => words.get(at + 1),
        None => words.get(5),
    };
    port?.parse().ok()
}

fn speaks(said: &SaidAfter<'_>) -> Verdict {
    let SaidAfter {
        closed,
        sent,
        to,
        says,
    } = said;
    let what = match StunLine::read(says) {
        Some(line) if line.is_answer() => "answered a check from",
        _ => "sent a packet to",
    };
    let (host, peer) = (closed.host.as_deref(), closed.kind.peer());
    let whose = peer.map(ToString::to_string).unwrap_or_default();
    let why = format!(
        "{whose} of {} was closed at {}, and {what} {to} at {}",
        host.unwrap_or_default(),
        closed.at,
        sent.at
    );
    Verdict::Fail(Violation::at(sent, why))
}

#[cfg(test)]
mod tests {
    use super::{super::machine::testing::*, *};
    use crate::trace::Candidate;

    /// A packet from `port`, `after_ms` after a peer with the candidate `attribute` was closed, or began to be.
    fn judged(attribute: &str, port: u16, closed: bool, after_ms: u64) -> Option<u64> {
        let peer: PeerId = "c1".into();
        let gathered = EventKind::Gathered {
            peer: peer.clone(),
            candidate: Some(Candidate {
                attribute: attribute.into(),
                ufrag: "al".into(),
            }),
        };
        let ends = match closed {
            true => EventKind::Closed { peer },
            false => EventKind::Closing { peer },
        };
        let from = format!("10.0.0.1:{port}");
        let sent = packet(1, [&from, "10.0.0.2:1"], "stun binding success");
        decided(&judged_timed(
            &TEAR_06_SILENT,
            vec![(0, gathered), (0, ends), (after_ms, sent)],
        ))
    }

    #[test]
    fn a_port_may_be_handed_out_again_to_a_newer_peer_that_asks_for_an_allocation() {
        let judged = |newer: bool, says: &str| {
            let candidate = Candidate {
                attribute: "1 1 udp 9 192.0.2.1 49152 typ relay raddr 0.0.0.0 rport 5001".into(),
                ufrag: "al".into(),
            };
            let gathered = EventKind::Gathered {
                peer: "c1".into(),
                candidate: Some(candidate),
            };
            let made = EventKind::PeerCreated {
                peer: "c2".into(),
                offers: true,
            };
            let ends = ["10.0.0.1:5001", "192.0.2.1:3478"];
            let mut events = vec![(0, gathered), (0, closed())];
            events.extend(newer.then_some((1, made)));
            events.extend([(900, packet(1, ends, says)), (901, packet(2, ends, "data"))]);
            decided(&judged_timed(&TEAR_06_SILENT, events))
        };
        assert_eq!(judged(true, "stun allocate request id=0a"), None);
        assert_eq!(judged(false, "stun allocate request id=0a"), Some(2));
        assert_eq!(judged(true, "stun refresh request lifetime=600 id=0a"), Some(3));
    }

    #[test]
    fn a_closed_peer_sends_from_none_of_its_sockets() {
        let host = "1 1 udp 100 10.0.0.1 50001 typ host";
        let mapped = "1 1 udp 90 203.0.113.1 40000 typ srflx raddr 0.0.0.0 rport 50002";
        assert_eq!(judged(host, 50_001, true, 501), Some(2));
        assert_eq!(judged(host, 50_001, true, 500), None, "it was under way");
        assert_eq!(judged(mapped, 50_002, true, 501), Some(2), "its base");
        assert_eq!(
            judged(mapped, 40_000, true, 501),
            None,
            "the port of the NAT is another's"
        );
        assert_eq!(judged(host, 50_003, true, 501), None, "somebody else's socket");
        assert_eq!(
            judged(host, 50_001, false, 501),
            None,
            "it may say goodbye while it closes"
        );
    }
}

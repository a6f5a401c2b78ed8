//! An oracle for what a closed peer sends: nothing.
//!
//! It judges by packets, and knows the sockets of a peer by the candidates that it gathered.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use super::{Evidence, Oracle, Verdict, Violation};
use crate::trace::{Event, EventKind, PeerId, Proto, StunLine};

/// A closed peer is silent.
pub const TEAR_06_SILENT: Oracle = Oracle {
    id: "TEAR-06",
    meaning: "A peer sends nothing and answers no check half a second after its close has returned.",
    source: "docs/stories.md#b-rapid-dial-and-hangup; W3C webrtc-pc section 4.4.2, close; RFC 8445 section 8.3",
    check: &silent,
};

/// The time for which a packet of a closed peer may have been under way between its socket and the wire: the last alert of DTLS is.
const UNDER_WAY: Duration = Duration::from_millis(500);

/// The sockets of a host's peers, by their ports: a host hands out each port once.
#[derive(Default)]
struct Sockets<'a> {
    owners: BTreeMap<(&'a str, u16), &'a PeerId>,
    closed: BTreeMap<(&'a str, &'a PeerId), &'a Event>,
}

fn silent(evidence: Evidence<'_>) -> Verdict {
    let mut sockets = Sockets::default();
    for event in &evidence.trace.events {
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
                if let Some(closed) = closed.filter(|closed| event.at > closed.at + UNDER_WAY) {
                    return speaks(closed, event, flow.dst, says);
                }
            }
            _ => {}
        }
    }
    Verdict::Pass
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

fn speaks(closed: &Event, event: &Event, to: SocketAddr, says: &str) -> Verdict {
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
        event.at
    );
    Verdict::Fail(Violation::at(event, why))
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

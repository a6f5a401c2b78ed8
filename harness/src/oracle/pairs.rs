//! Oracles for candidate pairs: their priorities, their selection, and the state *failed*.
//!
//! A pair works when its packets have crossed both ways. Addresses identify pairs, so these oracles apply to networks
//! without NATs.

use std::{collections::BTreeMap, net::SocketAddr};

use super::{
    Evidence, Oracle, Verdict,
    machine::{Reports, address_of, peers},
    worst,
};
use crate::trace::{Candidate, Event, EventKind, Machine, Proto, Trace};

/// Both sides use the same pair.
pub const PAIR_01_MIRRORED: Oracle = Oracle {
    id: "PAIR-01",
    meaning: "When things are quiet, before a side closes, the selected pairs of both sides mirror each other.",
    source: "docs/stories.md#c-connection-state; RFC 8445 sections 8.1.1 and 8.1.2",
    check: &mirrored,
};

/// The best pair is selected.
pub const PAIR_02_BEST: Oracle = Oracle {
    id: "PAIR-02",
    meaning: "The pair that the controlling side selects has the highest priority of the pairs that work by then.",
    source: "docs/stories.md#c-connection-state; RFC 8445 sections 6.1.2.3 and 8.1.1",
    check: &best,
};

/// Candidates have different priorities.
pub const PAIR_03_RANKED: Oracle = Oracle {
    id: "PAIR-03",
    meaning: "No two candidates of a generation have the same priority.",
    source: "RFC 8445 sections 5.1.2 and 5.1.2.1",
    check: &ranked,
};

/// ICE fails only when no pair is left.
pub const PAIR_04_LAST_PAIR: Oracle = Oracle {
    id: "PAIR-04",
    meaning: "ICE reports failed only when no pair is left that worked and on which nothing has been lost.",
    source: "W3C webrtc-pc section 5.6.4, RTCIceTransportState; docs/hazards.md#8-the-selected-path-dies",
    check: &last_pair,
};

/// The two addresses of a pair, the local one first.
type Pair = (SocketAddr, SocketAddr);

/// A packet on its way, by the sequence numbers of its events.
struct Crossing {
    sent: u64,
    delivered: Option<u64>,
}

/// The packets between each two addresses.
struct Crossings(BTreeMap<Pair, Vec<Crossing>>);

impl Crossings {
    fn of(trace: &Trace) -> Self {
        let delivered: BTreeMap<u64, u64> = trace
            .events
            .iter()
            .filter_map(|e| match &e.kind {
                EventKind::PacketDelivered { packet } => Some((*packet, e.seq)),
                _ => None,
            })
            .collect();
        let mut crossings: BTreeMap<Pair, Vec<Crossing>> = BTreeMap::new();
        for event in &trace.events {
            if let EventKind::PacketSent { packet, flow, .. } = &event.kind
                && flow.proto == Proto::Udp
            {
                crossings.entry((flow.src, flow.dst)).or_default().push(Crossing {
                    sent: event.seq,
                    delivered: delivered.get(packet).copied(),
                });
            }
        }
        Self(crossings)
    }

    /// Reports whether packets had crossed `pair` both ways before the event `seq`.
    fn worked(&self, (local, remote): Pair, seq: u64) -> bool {
        let arrived = |way| {
            let arrived = self.0.get(&way).into_iter().flatten();
            arrived.filter_map(|c| c.delivered).any(|at| at < seq)
        };
        arrived((local, remote)) && arrived((remote, local))
    }

    /// Reports whether no packet that was sent over `pair` before the event `seq` was lost.
    fn unharmed(&self, (local, remote): Pair, seq: u64) -> bool {
        let ways = [(local, remote), (remote, local)];
        let sent = ways.iter().filter_map(|way| self.0.get(way)).flatten();
        sent.filter(|c| c.sent < seq).all(|c| c.delivered.is_some())
    }
}

/// Returns the address and the priority of a candidate (RFC 8839, section 5.1).
fn ranked_address(candidate: &Candidate) -> Option<(SocketAddr, u64)> {
    let priority = candidate.attribute.split(' ').nth(3)?.parse().ok()?;
    Some((address_of(&candidate.to_string())?, priority))
}

/// Returns the pair that `event` selects.
fn selected(event: &Event) -> Option<Pair> {
    match &event.kind {
        EventKind::PairSelected { local, remote, .. } => Some((address_of(local)?, address_of(remote)?)),
        _ => None,
    }
}

/// Iterates over the candidates that `peer` gathered, with priorities.
fn gathered<'a>(peer: &'a Reports<'_>) -> impl Iterator<Item = (&'a Event, &'a Candidate, SocketAddr, u64)> {
    peer.events.iter().filter_map(|e| match &e.kind {
        EventKind::Gathered {
            candidate: Some(candidate),
            ..
        } => ranked_address(candidate).map(|(address, priority)| (*e, candidate, address, priority)),
        _ => None,
    })
}

/// Iterates over the peers on other hosts that belong to the same attempt as `peer`.
fn others<'a, 'b>(all: &'b [Reports<'a>], peer: &'b Reports<'a>) -> impl Iterator<Item = &'b Reports<'a>> {
    all.iter().filter(|o| o.peer == peer.peer && o.host != peer.host)
}

fn mirrored(evidence: Evidence<'_>) -> Verdict {
    let all = peers(evidence.trace);
    let closing = |e: &Event| matches!(e.kind, EventKind::Closing { .. });
    let closes = |peer: &Reports<'_>| {
        peer.events
            .iter()
            .find(|e| closing(e))
            .map_or(u64::MAX, |e| e.seq)
    };
    let last = |peer: &Reports<'_>, before: u64| {
        let selections = peer.events.iter().filter(|e| e.seq < before);
        selections.filter_map(|e| Some((e.seq, selected(e)?))).next_back()
    };
    worst(all.iter().flat_map(|peer| {
        others(&all, peer).map(move |other| {
            let quiet = closes(peer).min(closes(other));
            match (last(peer, quiet), last(other, quiet)) {
                (Some((seq, (local, remote))), Some((later, theirs)))
                    if theirs != (remote, local) && seq > later =>
                {
                    let event = peer.events.iter().find(|e| e.seq == seq).expect("it was found");
                    let (there, here) = theirs;
                    let what = format!("selected {local} to {remote} while {other} uses {there} to {here},");
                    peer.fail(event, &what)
                }
                _ => Verdict::Pass,
            }
        })
    }))
}

/// Computes the priority of a pair of a controlling and a controlled candidate (RFC 8445, section 6.1.2.3).
fn pair_priority(controlling: u64, controlled: u64) -> u64 {
    let (low, high) = (controlling.min(controlled), controlling.max(controlled));
    (low << 32) + 2 * high + u64::from(controlling > controlled)
}

fn best(evidence: Evidence<'_>) -> Verdict {
    let crossings = Crossings::of(evidence.trace);
    let all = peers(evidence.trace);
    let offers =
        |e: &&Event| matches!(&e.kind, EventKind::Described { remote: false, kind, .. } if kind == "offer");
    let controlling = all.iter().filter(|peer| peer.events.iter().any(offers));
    worst(controlling.flat_map(|peer| {
        let selections = peer.events.iter().filter_map(|e| Some((*e, selected(e)?)));
        let judged = selections.map(|(event, chosen)| {
            let ranked = pairs(&all, peer);
            let Some(own) = ranked.get(&chosen) else {
                // A peer-reflexive candidate is never signaled.
                return Verdict::Pass;
            };
            let better = ranked.iter().find(|(pair, priority)| {
                *priority > own && crossings.worked(**pair, event.seq)
            });
            match better {
                None => Verdict::Pass,
                Some(((local, remote), priority)) => {
                    let (l, r) = chosen;
                    let what = format!(
                        "selected {l} to {r} of priority {own} although {local} to {remote} of priority {priority} worked,"
                    );
                    peer.fail(event, &what)
                }
            }
        });
        judged.collect::<Vec<_>>()
    }))
}

/// Returns the pairs of the controlling `peer` with the other sides' candidates, and their priorities.
fn pairs(all: &[Reports<'_>], peer: &Reports<'_>) -> BTreeMap<Pair, u64> {
    let theirs: Vec<(SocketAddr, u64)> = others(all, peer)
        .flat_map(|other| {
            gathered(other)
                .map(|(_, _, address, priority)| (address, priority))
                .collect::<Vec<_>>()
        })
        .collect();
    let mut pairs = BTreeMap::new();
    for (_, _, local, ours) in gathered(peer) {
        for (remote, priority) in &theirs {
            pairs.insert((local, *remote), pair_priority(ours, *priority));
        }
    }
    pairs
}

fn ranked(evidence: Evidence<'_>) -> Verdict {
    worst(peers(evidence.trace).iter().map(|peer| {
        let mut seen: BTreeMap<(&str, u64), &Candidate> = BTreeMap::new();
        for (event, candidate, _, priority) in gathered(peer) {
            if let Some(before) = seen.insert((&candidate.ufrag, priority), candidate) {
                let what = format!("gave {candidate} the priority {priority}, which {before} has,");
                return peer.fail(event, &what);
            }
        }
        Verdict::Pass
    }))
}

fn last_pair(evidence: Evidence<'_>) -> Verdict {
    let crossings = Crossings::of(evidence.trace);
    let all = peers(evidence.trace);
    worst(all.iter().map(|peer| {
        let failed = |e: &&&Event| {
            matches!(&e.kind, EventKind::State { machine: Machine::Ice, state, .. } if state == "failed")
        };
        let Some(event) = peer.events.iter().find(failed) else {
            return Verdict::Pass;
        };
        let left = pairs(&all, peer).into_keys().find(|pair| {
            crossings.worked(*pair, event.seq) && crossings.unharmed(*pair, event.seq)
        });
        match left {
            None => Verdict::Pass,
            Some((local, remote)) => {
                let what = format!("reported ice failed although {local} to {remote} had worked and lost nothing,");
                peer.fail(event, &what)
            }
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::{
        super::machine::testing::{closing, decided, judged_on, packet as sent, reports},
        *,
    };

    const ALICE: &str = "10.0.0.1:1";
    const BOB: &str = "10.0.0.2:2";
    /// Another address of alice.
    const OTHER: &str = "10.0.1.1:1";

    /// Judges a trace of events on hosts, one per millisecond.
    fn verdict(oracle: &Oracle, kinds: Vec<(&str, EventKind)>) -> Verdict {
        let timed = (0..).zip(kinds).map(|(at, (host, kind))| (at, host, kind));
        judged_on(oracle, timed.collect())
    }

    fn selects(local: &str, remote: &str) -> EventKind {
        EventKind::PairSelected {
            peer: "c1".into(),
            local: format!("host {local}"),
            remote: format!("host {remote}"),
        }
    }

    fn gathers(address: &str, priority: u64, ufrag: &str) -> EventKind {
        let (ip, port) = address.split_once(':').unwrap();
        let candidate = Candidate {
            attribute: format!("1 1 udp {priority} {ip} {port} typ host"),
            ufrag: ufrag.into(),
        };
        EventKind::Gathered {
            peer: "c1".into(),
            candidate: Some(candidate),
        }
    }

    /// Creates the events of the packet `packet` from `src` to `dst`, which arrives if `arrives`.
    fn sends<'a>(packet: u64, src: &str, dst: &str, arrives: bool) -> Vec<(&'a str, EventKind)> {
        let mut events = vec![("alice", sent(packet, [src, dst], ""))];
        events.extend(arrives.then_some(("bob", EventKind::PacketDelivered { packet })));
        events
    }

    #[test]
    fn pair_priorities_are_the_specifications() {
        assert_eq!(pair_priority(1, 2), (1 << 32) + 4);
        assert_eq!(pair_priority(2, 1), (1 << 32) + 5);
        assert_eq!(pair_priority(2, 2), (2 << 32) + 4);
    }

    #[test]
    fn both_sides_end_up_on_the_same_pair() {
        let moved = vec![
            ("bob", selects(BOB, ALICE)),
            ("alice", selects(OTHER, BOB)),
            ("bob", selects(BOB, OTHER)),
        ];
        assert_eq!(verdict(&PAIR_01_MIRRORED, moved), Verdict::Pass);
        let apart = vec![("bob", selects(BOB, ALICE)), ("alice", selects(OTHER, BOB))];
        assert_eq!(decided(&verdict(&PAIR_01_MIRRORED, apart)), Some(1));
        let closed = vec![
            ("bob", selects(BOB, ALICE)),
            ("alice", selects(ALICE, BOB)),
            ("bob", closing()),
            ("alice", selects(OTHER, BOB)),
        ];
        assert_eq!(
            verdict(&PAIR_01_MIRRORED, closed),
            Verdict::Pass,
            "bob is gone by then"
        );
    }

    #[test]
    fn no_two_candidates_of_a_generation_have_the_same_priority() {
        let of = |second: u64, ufrag: &str| {
            let events = vec![
                ("alice", gathers(ALICE, 9, "a")),
                ("alice", gathers(OTHER, second, ufrag)),
            ];
            decided(&verdict(&PAIR_03_RANKED, events))
        };
        assert_eq!(of(8, "a"), None);
        assert_eq!(of(9, "b"), None, "another generation");
        assert_eq!(of(9, "a"), Some(1));
    }

    #[test]
    fn ice_fails_only_when_no_pair_is_left() {
        // Packet 3, on the only pair that works, arrives or not.
        let of = |arrives| {
            let mut events = vec![("alice", gathers(ALICE, 9, "a")), ("bob", gathers(BOB, 9, "b"))];
            events.extend(sends(1, ALICE, BOB, true));
            events.extend(sends(2, BOB, ALICE, true));
            events.extend(sends(3, ALICE, BOB, arrives));
            events.push(("alice", reports(Machine::Ice, "failed")));
            verdict(&PAIR_04_LAST_PAIR, events)
        };
        assert_eq!(of(false), Verdict::Pass);
        assert_eq!(decided(&of(true)), Some(8));
    }
}

//! Shared by the oracles of state machines: tables of legal edges, and the reports of one peer.
//!
//! States are compared by their names in the specifications, and by nothing else: the enumerations of the stack give
//! one name different numbers, so that a number must never stand for a state.

use std::{collections::BTreeMap, fmt, net::SocketAddr};

use super::{Verdict, Violation};
use crate::trace::{Event, EventKind, Machine, PeerId, Trace};

/// A state machine of a specification.
pub(super) struct Table {
    /// The machine.
    pub machine: Machine,
    /// The initial state, which has no event.
    pub first: &'static str,
    /// Every state, with the states that may come next.
    pub edges: &'static [(&'static str, &'static [&'static str])],
}

impl Table {
    /// Returns what is wrong with a step from `from` to `to`. A step that changes nothing is not judged here.
    pub fn wrong(&self, from: &str, to: &str) -> Option<String> {
        let next = |state| self.edges.iter().find(|(name, _)| *name == state);
        match (next(from), next(to)) {
            (_, None) => Some(format!("reported {} {to}, which is no such state", self.machine)),
            (Some((_, next)), _) if from != to && !next.contains(&to) => {
                Some(format!("went from {} {from} to {to}", self.machine))
            }
            _ => None,
        }
    }
}

/// The reports of a peer of a host, in order.
pub(super) struct Reports<'a> {
    /// The host.
    pub host: &'a str,
    /// The peer.
    pub peer: &'a PeerId,
    /// The events that name the peer.
    pub events: Vec<&'a Event>,
}

impl fmt::Display for Reports<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.peer, self.host)
    }
}

impl<'a> Reports<'a> {
    /// Reports whether the peer reports states of `machine` at all: a bare agent has ICE states only.
    pub fn has(&self, machine: Machine) -> bool {
        self.events
            .iter()
            .any(|e| state(e).is_some_and(|(m, _)| m == machine))
    }

    /// Creates the failure that `event` decides.
    pub fn fail(&self, event: &Event, what: &str) -> Verdict {
        Verdict::Fail(Violation::at(event, format!("{self} {what} at {}", event.at)))
    }

    /// Creates the failure for something that never happened.
    pub fn never(&self, what: &str) -> Verdict {
        Verdict::Fail(Violation {
            event: None,
            call: Some(self.peer.call.clone()),
            why: format!("{self} never {what}"),
        })
    }

    /// Judges every step of `table`'s machine by its edges alone.
    pub fn walk(&self, table: &Table) -> Verdict {
        let mut now = table.first;
        for event in &self.events {
            let Some(to) = state_of(event, table.machine) else {
                continue;
            };
            if let Some(what) = table.wrong(now, to) {
                return self.fail(event, &what);
            }
            now = to;
        }
        Verdict::Pass
    }
}

/// Returns the peers of a run, by host and name.
pub(super) fn peers(trace: &Trace) -> Vec<Reports<'_>> {
    let mut peers: BTreeMap<(&str, &PeerId), Vec<&Event>> = BTreeMap::new();
    for event in &trace.events {
        if let (Some(host), Some(peer)) = (event.host.as_deref(), event.kind.peer()) {
            peers.entry((host, peer)).or_default().push(event);
        }
    }
    let reports = peers
        .into_iter()
        .map(|((host, peer), events)| Reports { host, peer, events });
    reports.collect()
}

/// Why oracles that judge a peer by its packets cannot judge a plan with NATs.
pub(super) const BEHIND_A_NAT: &str = "behind a NAT, packets do not tell which candidate they come from";

/// Returns the address in a candidate as the trace displays it: `host 10.0.0.1:50000`.
pub(super) fn address_of(displayed: &str) -> Option<SocketAddr> {
    displayed.split(' ').nth(1)?.parse().ok()
}

/// Returns the machine and the state that `event` reports.
pub(super) fn state(event: &Event) -> Option<(Machine, &str)> {
    match &event.kind {
        EventKind::State { machine, state, .. } => Some((*machine, state)),
        _ => None,
    }
}

/// Returns the state of `machine` that `event` reports.
pub(super) fn state_of(event: &Event, machine: Machine) -> Option<&str> {
    state(event).filter(|(m, _)| *m == machine).map(|(_, s)| s)
}

/// The ICE generations of a peer, as its descriptions name them (RFC 8839, section 5.4).
#[derive(Default)]
pub(super) struct Generations<'a> {
    local: Option<&'a str>,
    remote: Option<&'a str>,
    /// Whether a side changed its generation, which is an ICE restart (RFC 8445, section 9).
    pub restarted: bool,
}

impl<'a> Generations<'a> {
    /// Handles `event` if it is a description.
    pub fn see(&mut self, event: &'a Event) {
        if let EventKind::Described { remote, ufrag, .. } = &event.kind {
            let side = if *remote {
                &mut self.remote
            } else {
                &mut self.local
            };
            let before = side.replace(ufrag);
            self.restarted |= before.is_some_and(|b| b != ufrag);
        }
    }

    /// Returns the peer's local generation.
    pub fn local(&self) -> Option<&'a str> {
        self.local
    }
}

#[cfg(test)]
pub(super) mod testing {
    //! Small traces: the reports of the peer `c1` of alice, one event per millisecond.

    use super::*;
    use crate::{
        fault::Plan,
        net::topology::Topology,
        oracle::{Evidence, Oracle},
        time::SimTime,
        trace::{Candidate, Flow, PacketId, Proto},
    };

    /// Judges a trace of `kinds`, each with its time in milliseconds.
    pub fn judged_timed(oracle: &Oracle, kinds: Vec<(u64, EventKind)>) -> Verdict {
        let of_alice = kinds.into_iter().map(|(at, kind)| (at, "alice", kind));
        judged_on(oracle, of_alice.collect())
    }

    /// Judges a trace of events on hosts, each with its time in milliseconds.
    pub fn judged_on(oracle: &Oracle, kinds: Vec<(u64, &str, EventKind)>) -> Verdict {
        let trace = trace_of(kinds);
        let plan = Plan {
            budget_ms: 1,
            ..Plan::new(Topology::default())
        };
        (oracle.check)(Evidence {
            trace: &trace,
            plan: &plan,
        })
    }

    /// Creates a trace of events on hosts, each with its time in milliseconds, which ends a millisecond later.
    pub fn trace_of(kinds: Vec<(u64, &str, EventKind)>) -> Trace {
        let ended = kinds.last().map_or(0, |(at, ..)| at + 1);
        let events = kinds.into_iter().chain([(ended, "alice", EventKind::Ended)]);
        let event = |(seq, (at, host, kind)): (usize, (u64, &str, _))| Event {
            seq: seq as u64,
            at: SimTime::from_millis(at),
            host: Some(host.into()),
            kind,
        };
        Trace::from_events(events.enumerate().map(event).collect())
    }

    /// Judges a trace of `kinds`, one per millisecond.
    pub fn judged(oracle: &Oracle, kinds: Vec<EventKind>) -> Verdict {
        judged_timed(oracle, (0..).zip(kinds).collect())
    }

    /// Returns the sequence number of the deciding event, `None` unless the verdict is a failure.
    pub fn decided(verdict: &Verdict) -> Option<u64> {
        match verdict {
            Verdict::Fail(violation) => violation.event,
            _ => None,
        }
    }

    /// Checks every pair of `table`'s states, reached by the shortest legal way: legal edges pass `oracle`, all others
    /// fail at their own event.
    pub fn try_every_edge(oracle: &Oracle, table: &Table, except: &[(&str, &str)]) {
        for (from, next) in table.edges {
            for (to, _) in table.edges.iter().filter(|(to, _)| to != from) {
                if except.contains(&(*from, *to)) {
                    continue;
                }
                let mut states = way(table, from);
                states.push(to);
                let last = states.len() as u64 - 1;
                let verdict = judged(oracle, states.iter().map(|s| reports(table.machine, s)).collect());
                let expected = (!next.contains(to)).then_some(last);
                assert_eq!(decided(&verdict), expected, "{from} to {to}: {verdict:?}");
            }
        }
    }

    fn way(table: &Table, goal: &str) -> Vec<&'static str> {
        let mut ways = vec![(table.first, Vec::new())];
        for i in 0.. {
            let (at, way) = ways[i].clone();
            if at == goal {
                return way;
            }
            let (_, next) = table.edges.iter().find(|(s, _)| *s == at).expect("a state");
            ways.extend(next.iter().map(|s| (*s, [way.clone(), vec![*s]].concat())));
        }
        unreachable!("every state can be reached")
    }

    pub fn reports(machine: Machine, state: &str) -> EventKind {
        EventKind::State {
            peer: "c1".into(),
            machine,
            state: state.into(),
        }
    }

    pub fn described(remote: bool, ufrag: &str) -> EventKind {
        EventKind::Described {
            peer: "c1".into(),
            remote,
            kind: "offer".into(),
            ufrag: ufrag.into(),
        }
    }

    pub fn gathered(ufrag: Option<&str>) -> EventKind {
        EventKind::Gathered {
            peer: "c1".into(),
            candidate: ufrag.map(|ufrag| Candidate {
                attribute: "1 1 udp 1 10.0.0.1 50000 typ host".into(),
                ufrag: ufrag.into(),
            }),
        }
    }

    pub fn heard() -> EventKind {
        EventKind::Data {
            peer: "c1".into(),
            received: true,
            text: "ping".into(),
        }
    }

    /// The datagram `packet` from `src` to `dst` as it is sent.
    pub fn packet(packet: PacketId, [src, dst]: [&str; 2], says: &str) -> EventKind {
        let flow = Flow {
            proto: Proto::Udp,
            src: src.parse().expect("an address"),
            dst: dst.parse().expect("an address"),
        };
        EventKind::PacketSent {
            packet,
            flow,
            len: 1,
            hash: String::new(),
            says: says.into(),
        }
    }

    pub fn closing() -> EventKind {
        EventKind::Closing { peer: "c1".into() }
    }

    pub fn closed() -> EventKind {
        EventKind::Closed { peer: "c1".into() }
    }
}

#[cfg(test)]
mod tests {
    use super::{testing::*, *};

    #[test]
    fn a_change_of_a_generation_is_a_restart_and_its_repetition_is_not() {
        let event = |kind| Event {
            seq: 0,
            at: crate::time::SimTime::ZERO,
            host: None,
            kind,
        };
        let events: Vec<Event> = [(false, "a"), (true, "b"), (false, "a"), (true, "c")]
            .map(|(remote, ufrag)| event(described(remote, ufrag)))
            .into();
        let mut generations = Generations::default();
        let mut restarted = Vec::new();
        for event in &events {
            generations.see(event);
            restarted.push(generations.restarted);
        }
        assert_eq!(restarted, [false, false, false, true]);
        assert_eq!(generations.local(), Some("a"));
    }
}

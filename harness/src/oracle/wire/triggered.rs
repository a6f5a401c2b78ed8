//! An oracle on the wire for triggered checks: who is checked checks back.
//!
//! It judges an end, not each of its pairs: one that checks on another pair is taken to do what it must.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{Evidence, Oracle, Verdict, Violation, Wire, due, received};
use crate::{
    fault::Plan,
    time::SimTime,
    trace::{Event, EventKind, Machine, PeerId, StunLine},
};

/// Who is checked checks back.
pub const WIRE_05_TRIGGERED: Oracle = Oracle {
    id: "WIRE-05",
    meaning: "Who is checked by an end that it knows checks it within a second, until one of its own checks has been answered.",
    source: "RFC 8445 section 7.3.1.4",
    check: &triggered,
};

/// How long an end may take: an agent of the stack checks each 200 ms.
const CHECKS_BACK: Duration = Duration::from_secs(1);

/// Two generations: that of the end that is judged, and that of the other.
type Between<'a> = (&'a str, &'a str);

/// The generations that a peer has set: its own, and the other end's.
type Set<'a> = (Option<&'a str>, Option<&'a str>);

/// What the ends of a run have heard and said.
#[derive(Default)]
struct Checks<'a> {
    wire: Wire<'a>,
    set: BTreeMap<(&'a str, &'a PeerId), Set<'a>>,
    /// The peers that are closed, or have given up: they owe nothing.
    over: BTreeSet<(&'a str, &'a PeerId)>,
    /// What each host has asked and was not answered.
    asked: BTreeMap<&'a str, BTreeSet<Between<'a>>>,
    answered: BTreeSet<Between<'a>>,
    /// The first check that was not checked back.
    owed: BTreeMap<Between<'a>, &'a Event>,
}

fn triggered(evidence: Evidence<'_>) -> Verdict {
    let mut checks = Checks::default();
    for event in &evidence.trace.events {
        if let Some(late) = checks.overdue(evidence.plan, event.at) {
            return late;
        }
        checks.follow(event);
        checks.hear(event);
        if let Some((host, line)) = checks.wire.read(event)
            && checks.wire.sender(host, &line).is_some()
            && let Some((asked, asks)) = line.asks
        {
            let between = (asks, asked);
            checks.owed.remove(&between);
            if !checks.answered.contains(&between) {
                checks.asked.entry(host).or_default().insert(between);
            }
        }
    }
    Verdict::Pass
}

impl<'a> Checks<'a> {
    /// Follows what becomes of the peers.
    fn follow(&mut self, event: &'a Event) {
        let Some(host) = event.host.as_deref() else { return };
        match &event.kind {
            EventKind::Described {
                peer, remote, ufrag, ..
            } => {
                let (ours, theirs) = self.set.entry((host, peer)).or_default();
                *(if *remote { theirs } else { ours }) = Some(ufrag);
                // What was owed to another generation is owed no more.
                self.settle();
            }
            EventKind::State { peer, machine, state }
                if *machine == Machine::Ice && (state == "failed" || state == "closed") =>
            {
                self.over.insert((host, peer));
                self.settle();
            }
            EventKind::State { peer, machine, .. } if *machine == Machine::Ice => {
                self.over.remove(&(host, peer));
            }
            EventKind::Closing { peer } => {
                self.over.insert((host, peer));
                self.settle();
            }
            EventKind::Crashed => {
                let lost = self.set.keys().filter(|(of, _)| *of == host);
                self.over.extend(lost.copied());
                self.settle();
            }
            _ => {}
        }
    }

    /// Forgets what an end that is over, or has begun anew, owed.
    fn settle(&mut self) {
        let mut owed = std::mem::take(&mut self.owed);
        owed.retain(|between, _| self.owes(*between));
        self.owed = owed;
    }

    /// Reports whether the end has set both descriptions, knows the other by them, and is neither closed nor has it given up.
    fn owes(&self, (ours, theirs): Between<'a>) -> bool {
        let Some(end) = self.wire.ends.get(ours) else {
            return false;
        };
        let key = (end.host, end.peer);
        self.set.get(&key) == Some(&(Some(ours), Some(theirs))) && !self.over.contains(&key)
    }

    /// Takes note of a check, or of an answer, that a host receives.
    fn hear(&mut self, event: &'a Event) {
        let Some((host, line)) = received(&self.wire, event) else {
            return;
        };
        if line.is_answer() {
            // Nothing but its transaction says which check it answers.
            for between in self.asked.remove(host).into_iter().flatten() {
                self.owed.remove(&between);
                self.answered.insert(between);
            }
        }
        let is_valid = |line: &&StunLine<'a>| line.is_check() && line.flaws.is_empty();
        let Some((ours, theirs)) = Some(line).filter(is_valid).and_then(|line| line.asks) else {
            return;
        };
        let is_here = self.wire.ends.get(ours).is_some_and(|end| end.host == host);
        if is_here && self.owes((ours, theirs)) && !self.answered.contains(&(ours, theirs)) {
            self.owed.entry((ours, theirs)).or_insert(event);
        }
    }

    fn overdue(&self, plan: &Plan, now: SimTime) -> Option<Verdict> {
        let is_late = |event: &Event| {
            let host = event.host.as_deref().unwrap_or_default();
            now > due(plan, host, event.at, CHECKS_BACK)
        };
        let ((ours, _), late) = self.owed.iter().find(|(_, event)| is_late(event))?;
        let end = self.wire.ends.get(ours)?;
        let why = format!(
            "{} of {} received a check at {}, had no answer to its own, and checked no more",
            end.peer, end.host, late.at
        );
        Some(Verdict::Fail(Violation::at(late, why)))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::super::machine::testing::*, *};
    use crate::{
        fault::host_sleep,
        net::topology::Topology,
        trace::{Cause, FaultId},
    };

    const CHECK: &str = "stun binding request al:bo controlled priority=7";
    const BACK: &str = "stun binding request bo:al controlling priority=7";
    const ANSWER: &str = "stun binding success mapped=10.0.0.1:1";

    /// Alice knows bob.
    fn known() -> Vec<(u64, &'static str, EventKind)> {
        let created = |ufrag: &str| EventKind::DescriptionCreated {
            peer: "c1".into(),
            kind: "offer".into(),
            ufrag: ufrag.into(),
        };
        vec![
            (0, "alice", created("al")),
            (0, "bob", created("bo")),
            (0, "alice", described(false, "al")),
            (0, "alice", described(true, "bo")),
        ]
    }

    /// Alice and bob know each other; bob's packets, of which alice receives each, and hers, at these times; the run ends after three
    /// seconds.
    fn verdict(does: &[(u64, &'static str, &str)], otherwise: Option<EventKind>) -> Verdict {
        let mut events = known();
        for (number, (at, host, says)) in (1..).zip(does) {
            events.push((*at, *host, packet(number, ["10.0.0.1:1"; 2], says)));
            if *host == "bob" {
                events.push((*at, "alice", EventKind::PacketDelivered { packet: number }));
            }
        }
        events.extend(otherwise.map(|kind| (1_500, "alice", kind)));
        events.push((3_000, "network", EventKind::Crashed));
        judged_on(&WIRE_05_TRIGGERED, events)
    }

    #[test]
    fn who_is_checked_checks_back_until_a_check_was_answered() {
        assert_eq!(decided(&verdict(&[], None)), None);
        assert_eq!(decided(&verdict(&[(1_000, "bob", CHECK)], None)), Some(5));
        let back = [(1_000, "bob", CHECK), (1_900, "alice", BACK)];
        assert_eq!(decided(&verdict(&back, None)), None);
        let before = [(900, "alice", BACK), (1_000, "bob", CHECK)];
        assert_eq!(decided(&verdict(&before, None)), Some(6), "it gave up");
        let answered = [(800, "alice", BACK), (900, "bob", ANSWER), (1_000, "bob", CHECK)];
        assert_eq!(decided(&verdict(&answered, None)), None);
        let damaged = "stun binding request al:bo controlled priority=7 wrong-integrity";
        assert_eq!(decided(&verdict(&[(1_000, "bob", damaged)], None)), None);
        let unknown = "stun binding request al:who controlled priority=7";
        assert_eq!(decided(&verdict(&[(1_000, "bob", unknown)], None)), None);
    }

    #[test]
    fn an_end_that_sleeps_checks_back_when_it_is_awake() {
        let mut events = known();
        events.push((1_000, "bob", packet(1, ["10.0.0.1:1"; 2], CHECK)));
        events.push((1_000, "alice", EventKind::PacketDelivered { packet: 1 }));
        events.push((4_000, "alice", packet(2, ["10.0.0.1:1"; 2], BACK)));
        let trace = &trace_of(events);
        let mut plan = Plan {
            heal_at_ms: 9_000,
            ..Plan::new(Topology::default())
        };
        let judged = |plan: &Plan| decided(&triggered(Evidence { trace, plan }));
        assert_eq!(judged(&plan), Some(5));
        plan.inject(host_sleep("alice", 900, 3_900));
        assert_eq!(judged(&plan), None);
    }

    #[test]
    fn a_check_that_the_network_has_damaged_asks_for_nothing() {
        let cut = EventKind::PacketTruncated {
            packet: 1,
            by: Cause::Fault { fault: FaultId(1) },
            len: 90,
        };
        let ends = ["10.0.0.1:1"; 2];
        let events = |damaged: bool| {
            let mut events = known();
            events.push((1_000, "bob", packet(1, ends, CHECK)));
            events.extend(damaged.then(|| (1_000, "network", cut.clone())));
            events.push((1_050, "alice", EventKind::PacketDelivered { packet: 1 }));
            events.push((3_000, "network", EventKind::Crashed));
            decided(&judged_on(&WIRE_05_TRIGGERED, events))
        };
        assert_eq!(events(false), Some(5));
        assert_eq!(events(true), None);
    }

    #[test]
    fn who_is_closed_has_failed_or_begins_anew_owes_nothing() {
        let check = [(1_000, "bob", CHECK)];
        let failed = EventKind::State {
            peer: "c1".into(),
            machine: Machine::Ice,
            state: "failed".into(),
        };
        let anew = EventKind::Described {
            peer: "c1".into(),
            remote: true,
            kind: "offer".into(),
            ufrag: "an".into(),
        };
        let closing = EventKind::Closing { peer: "c1".into() };
        for otherwise in [failed, anew, closing, EventKind::Crashed] {
            assert_eq!(decided(&verdict(&check, Some(otherwise))), None);
        }
    }
}

//! Oracles for remote candidates: each is applied, once, to its own generation.

use std::time::Duration;

use super::{Evidence, Oracle, Verdict, Violation, wanted::due, worst};
use crate::{
    fault::Plan,
    trace::{Candidate, Event, EventKind, PeerId, SERVICE, SignalDirection, Trace},
};

/// Every received candidate is applied.
pub const CAND_01_APPLIED: Oracle = Oracle {
    id: "CAND-01",
    meaning: "Every candidate that a client receives for its live generation is applied, exactly once.",
    source: "docs/stories.md#a-lost-candidates; W3C webrtc-pc section 4.4.2, addIceCandidate",
    check: &applied,
};

/// Candidates of different generations are kept apart.
pub const CAND_02_OWN_GENERATION: Oracle = Oracle {
    id: "CAND-02",
    meaning: "A candidate is applied only to the generation that it belongs to.",
    source: "docs/stories.md#a-lost-candidates; RFC 8838 section 11; docs/hazards.md#22-candidates-of-an-old-generation",
    check: &own_generation,
};

fn applied(Evidence { trace, plan }: Evidence<'_>) -> Verdict {
    worst(trace.events.iter().filter_map(|e| match &e.kind {
        EventKind::Signal {
            direction: SignalDirection::Received,
            with,
            call: Some(call),
            candidate: Some(candidate),
            ..
        } if with == SERVICE => {
            let host = e.host.as_deref()?;
            let life = life_of(trace, host, e)?;
            let (peer, ufrag) = live_generation(&life, call)?;
            (ufrag == candidate.ufrag && !overtaken(plan, &life, e, peer))
                .then(|| once(&life, e, host, candidate))
        }
        _ => None,
    }))
}

/// Returns the events of `host` in the life of `event`; `None` if a crash has ended that life.
fn life_of<'a>(trace: &'a Trace, host: &'a str, event: &Event) -> Option<Vec<&'a Event>> {
    let crash = trace.of(host).filter(|e| e.kind == EventKind::Crashed).last();
    let began = crash.map_or(0, |e| e.seq);
    (event.seq >= began).then(|| trace.of(host).filter(|e| e.seq >= began).collect())
}

/// Returns the last remote description applied in `call`: its peer and its generation.
fn live_generation<'a>(life: &[&'a Event], call: &str) -> Option<(&'a PeerId, &'a str)> {
    let mut described = life.iter().filter_map(|e| match &e.kind {
        EventKind::Described {
            peer,
            remote: true,
            ufrag,
            ..
        } if peer.call == call => Some((peer, ufrag.as_str())),
        _ => None,
    });
    described.next_back()
}

/// The time that a client may take to apply a candidate.
const PATIENCE: Duration = Duration::from_secs(1);

/// Reports whether `peer` began to close before its host had the time to apply what it received: then another attempt
/// or a hangup has replaced its generation.
fn overtaken(plan: &Plan, life: &[&Event], received: &Event, peer: &PeerId) -> bool {
    let host = received.host.as_deref().unwrap_or_default();
    let by = due(plan, host, received.at, PATIENCE);
    life.iter()
        .any(|e| matches!(&e.kind, EventKind::Closing { peer: p } if p == peer) && e.at <= by)
}

fn once(life: &[&Event], received: &Event, host: &str, candidate: &Candidate) -> Verdict {
    let fail = |event: u64, what: String| {
        Verdict::Fail(Violation {
            event: Some(event),
            why: format!(
                "{host} received the candidate {candidate} at {} and {what}",
                received.at
            ),
            ..Violation::default()
        })
    };
    let mut applications = life
        .iter()
        .filter(|e| matches!(&e.kind, EventKind::CandidateApplied { candidate: c, .. } if c == candidate));
    match (applications.next(), applications.next()) {
        (Some(_), None) => Verdict::Pass,
        (Some(_), Some(again)) => fail(again.seq, format!("applied it again at {}", again.at)),
        (None, _) => {
            let refused = life.iter().find_map(|e| match &e.kind {
                EventKind::CandidateRefused {
                    candidate: c, error, ..
                } if c == candidate => Some((e.seq, error)),
                _ => None,
            });
            match refused {
                Some((seq, error)) => fail(seq, format!("lost it: {error}")),
                None => fail(received.seq, "never applied it".to_owned()),
            }
        }
    }
}

fn own_generation(evidence: Evidence<'_>) -> Verdict {
    worst(evidence.trace.events.iter().map(|e| match &e.kind {
        EventKind::CandidateApplied { candidate, into, .. } if candidate.ufrag != *into => {
            Verdict::Fail(Violation::at(
                e,
                format!(
                    "{} applied the candidate {candidate} of generation {} to generation {into}",
                    e.host.as_deref().unwrap_or_default(),
                    candidate.ufrag,
                ),
            ))
        }
        _ => Verdict::Pass,
    }))
}

#[cfg(test)]
mod tests {
    use super::{applied as applied_in, *};
    use crate::{
        fault::host_sleep,
        net::topology::Topology,
        oracle::machine::testing::{decided, judged_timed, trace_of},
    };

    fn candidate() -> Candidate {
        Candidate {
            attribute: "1 1 udp 1 10.0.0.1 5000 typ host".into(),
            ufrag: "u".into(),
        }
    }

    fn described() -> EventKind {
        EventKind::Described {
            peer: "c1".into(),
            remote: true,
            kind: "offer".into(),
            ufrag: "u".into(),
        }
    }

    fn received() -> EventKind {
        EventKind::Signal {
            direction: SignalDirection::Received,
            with: "server".into(),
            message: "candidate".into(),
            call: Some("c1".into()),
            ufrag: Some("u".into()),
            candidate: Some(candidate()),
        }
    }

    fn applied() -> EventKind {
        EventKind::CandidateApplied {
            peer: "c1".into(),
            candidate: candidate(),
            into: "u".into(),
        }
    }

    #[test]
    fn a_candidate_is_applied_once() {
        let judged = |more: Vec<(u64, EventKind)>| {
            let events = [(0, described()), (1, received())].into_iter().chain(more);
            decided(&judged_timed(&CAND_01_APPLIED, events.collect()))
        };
        assert_eq!(judged(vec![(2, applied())]), None);
        assert_eq!(judged(vec![(2_000, described())]), Some(1));
        assert_eq!(judged(vec![(2, applied()), (3, applied())]), Some(3));
    }

    #[test]
    fn what_comes_within_a_second_of_the_close_may_be_left() {
        let closing = |at| (at, EventKind::Closing { peer: "c1".into() });
        let judged = |at| {
            let events = vec![(0, described()), (1, received()), closing(at)];
            decided(&judged_timed(&CAND_01_APPLIED, events))
        };
        assert_eq!(judged(1_001), None);
        assert_eq!(judged(1_002), Some(1));
    }

    #[test]
    fn a_phone_that_sleeps_applies_and_closes_when_it_is_awake() {
        let mut plan = Plan {
            heal_at_ms: 9_000,
            ..Plan::new(Topology::default())
        };
        plan.inject(host_sleep("alice", 100, 5_100));
        let closing = EventKind::Closing { peer: "c1".into() };
        let events = [(0, described()), (1, received()), (5_900, closing)];
        let events = events.map(|(at, kind)| (at, "alice", kind));
        let trace = &trace_of(events.into());
        assert_eq!(applied_in(Evidence { trace, plan: &plan }), Verdict::Pass);
        plan.faults.clear();
        let awake = applied_in(Evidence { trace, plan: &plan });
        assert_eq!(decided(&awake), Some(1));
    }

    #[test]
    fn a_crash_takes_candidates_along_and_every_life_applies_its_own() {
        let crash = || EventKind::Crashed;
        let lost = vec![(0, described()), (1, received()), (2, crash())];
        assert_eq!(judged_timed(&CAND_01_APPLIED, lost), Verdict::Pass);
        let first = [described(), received(), applied(), crash()];
        let second = [described(), received(), applied()];
        let events = first.into_iter().chain(second);
        assert_eq!(
            judged_timed(&CAND_01_APPLIED, (0..).zip(events).collect()),
            Verdict::Pass
        );
    }
}

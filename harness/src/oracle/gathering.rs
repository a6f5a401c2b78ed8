//! An oracle for gathering: its states, its candidates and their end.
//!
//! A bare agent reports no gathering states; only its candidates and their end are judged.

use std::collections::BTreeSet;

use super::{
    Evidence, Oracle, Verdict,
    machine::{Generations, Reports, Table, peers, state_of},
    worst,
};
use crate::{
    time::SimTime,
    trace::{Event, EventKind, Machine},
};

/// Gathering begins, yields candidates, and ends.
pub const STATE_03_ONE_END: Oracle = Oracle {
    id: "STATE-03",
    meaning: "Candidates come only while gathering, each generation ends exactly once, and only a restart begins another.",
    source: "docs/stories.md#c-connection-state; W3C webrtc-pc section 4.3.2, RTCIceGatheringState; RFC 8838 sections 9 and 13",
    check: &one_end,
};

const TABLE: Table = Table {
    machine: Machine::Gathering,
    first: "new",
    edges: &[
        ("new", &["gathering"]),
        ("gathering", &["complete"]),
        ("complete", &["gathering"]),
    ],
};

fn one_end(evidence: Evidence<'_>) -> Verdict {
    let ended = evidence.trace.events.last().map_or(SimTime::ZERO, |e| e.at);
    worst(peers(evidence.trace).iter().map(|peer| judge(peer, ended)))
}

/// The known state of a peer's gathering.
struct GatheredSoFar<'a> {
    /// Whether the peer reports gathering states.
    reports: bool,
    now: &'a str,
    generations: Generations<'a>,
    /// The generations whose candidates have ended.
    over: BTreeSet<&'a str>,
    /// The report of *complete*, until the end of candidates follows.
    owes_end: Option<&'a Event>,
}

fn judge(peer: &Reports<'_>, ended: SimTime) -> Verdict {
    let mut known = GatheredSoFar {
        reports: peer.has(Machine::Gathering),
        now: TABLE.first,
        generations: Generations::default(),
        over: BTreeSet::new(),
        owes_end: None,
    };
    for event in &peer.events {
        if let Some(what) = known.wrong(event) {
            return peer.fail(event, &what);
        }
    }
    match known.owes_end {
        Some(event) if event.at == ended => {
            Verdict::Unknown(format!("the run ended while {peer} completed gathering"))
        }
        Some(event) => peer.fail(event, "completed gathering and never ended its candidates"),
        None => Verdict::Pass,
    }
}

impl<'a> GatheredSoFar<'a> {
    /// Handles `event`; returns what is wrong with it.
    fn wrong(&mut self, event: &'a Event) -> Option<String> {
        self.generations.see(event);
        match &event.kind {
            EventKind::State { .. } => {
                state_of(event, TABLE.machine).and_then(|to| self.state_changed(event, to))
            }
            EventKind::Gathered {
                candidate: Some(candidate),
                ..
            } => {
                let idle = self.reports && self.now != "gathering";
                if self.over.contains(candidate.ufrag.as_str()) {
                    Some(format!(
                        "gathered {candidate} after the end of generation {}",
                        candidate.ufrag
                    ))
                } else if idle || self.generations.local().is_none() {
                    Some(format!("gathered {candidate} while it was not gathering"))
                } else {
                    None
                }
            }
            EventKind::Gathered { candidate: None, .. } => self.ends(),
            // A peer that is closed before it reported the end need not report it.
            EventKind::Closing { .. } => {
                self.owes_end = None;
                None
            }
            _ => None,
        }
    }

    fn state_changed(&mut self, event: &'a Event, to: &'a str) -> Option<String> {
        let from = std::mem::replace(&mut self.now, to);
        if let Some(what) = TABLE.wrong(from, to) {
            return Some(what);
        }
        match (from, to) {
            ("complete", "gathering") if !self.generations.restarted => {
                Some("gathered again without a restart".to_owned())
            }
            (_, "gathering") => {
                self.generations.restarted = false;
                None
            }
            ("gathering", "complete") => {
                let over = self.generations.local().is_some_and(|g| self.over.contains(g));
                self.owes_end = (!over).then_some(event);
                None
            }
            _ => None,
        }
    }

    fn ends(&mut self) -> Option<String> {
        self.owes_end = None;
        match self.generations.local() {
            None => Some("ended its candidates before it had a description".to_owned()),
            Some(_) if self.reports && self.now == "new" => {
                Some("ended its candidates before it gathered any".to_owned())
            }
            Some(generation) if !self.over.insert(generation) => {
                Some(format!("ended the candidates of generation {generation} again"))
            }
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::machine::testing::*, *};

    fn gathering(state: &str) -> EventKind {
        reports(Machine::Gathering, state)
    }

    fn whole() -> Vec<EventKind> {
        vec![
            described(false, "a"),
            gathering("gathering"),
            gathered(Some("a")),
            gathering("complete"),
            gathered(None),
        ]
    }

    fn decided_after(more: &[EventKind]) -> Option<u64> {
        decided(&judged(&STATE_03_ONE_END, [whole(), more.to_vec()].concat()))
    }

    #[test]
    fn gathering_and_gathering_again_by_a_restart_are_legal() {
        assert_eq!(judged(&STATE_03_ONE_END, whole()), Verdict::Pass);
        let again = [
            described(false, "b"),
            gathering("gathering"),
            gathered(Some("b")),
            gathering("complete"),
            gathered(None),
        ];
        assert_eq!(
            judged(&STATE_03_ONE_END, [whole(), again.to_vec()].concat()),
            Verdict::Pass
        );
    }

    #[test]
    fn a_bare_agent_is_judged_by_its_candidates() {
        let bare = vec![described(false, "a"), gathered(Some("a")), gathered(None)];
        assert_eq!(judged(&STATE_03_ONE_END, bare.clone()), Verdict::Pass);
        let late = [bare.clone(), vec![gathered(Some("a"))]].concat();
        assert_eq!(decided(&judged(&STATE_03_ONE_END, late)), Some(3));
        assert_eq!(decided(&judged(&STATE_03_ONE_END, bare[1..].to_vec())), Some(0));
    }

    #[test]
    fn every_illegal_step_fails_at_its_event() {
        assert_eq!(decided_after(&[gathering("gathering")]), Some(5), "no restart");
        assert_eq!(decided_after(&[gathering("new")]), Some(5));
        assert_eq!(decided_after(&[gathering("closed")]), Some(5), "no such name");
        assert_eq!(
            decided(&judged(&STATE_03_ONE_END, vec![gathering("complete")])),
            Some(0)
        );
        let first = vec![gathering("gathering"), gathering("new")];
        assert_eq!(decided(&judged(&STATE_03_ONE_END, first)), Some(1));
    }

    #[test]
    fn candidates_come_only_while_gathering_and_end_once() {
        assert_eq!(decided_after(&[gathered(None)]), Some(5), "twice");
        assert_eq!(decided_after(&[gathered(Some("a"))]), Some(5), "after the end");
        assert_eq!(decided_after(&[gathered(Some("b"))]), Some(5), "not gathering");
        let mut early = whole();
        early.swap(1, 2);
        assert_eq!(decided(&judged(&STATE_03_ONE_END, early)), Some(1));
        let mut endless = whole();
        endless.truncate(4);
        assert_eq!(decided(&judged(&STATE_03_ONE_END, endless.clone())), Some(3));
        endless.push(closing());
        assert_eq!(judged(&STATE_03_ONE_END, endless), Verdict::Pass);
    }
}

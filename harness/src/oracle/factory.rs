//! An oracle for the factory of an app's peers.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{Evidence, Oracle, Verdict, Violation, calls::calls, wanted::due, worst};
use crate::{
    time::SimTime,
    trace::{CallEvent, Event, EventKind, Intent, SignalDirection, Trace},
};

/// The factory lives as long as there are calls.
pub const FACT_01_AS_LONG_AS_CALLS: Oracle = Oracle {
    id: "FACT-01",
    meaning: "An app has one factory for its peers exactly while it has calls, up to half a second: it is not released while a call lives, and not kept when none does.",
    source: "docs/stories.md#b-rapid-dial-and-hangup; docs/hazards.md#groups",
    check: &as_long_as_calls,
};

/// The time that a factory may be late.
const GRACE: Duration = Duration::from_millis(500);

fn as_long_as_calls(evidence: Evidence<'_>) -> Verdict {
    let trace = evidence.trace;
    let has_factory = |e: &&Event| matches!(e.kind, EventKind::Factory { .. });
    let hosts: BTreeSet<&str> = trace
        .events
        .iter()
        .filter(has_factory)
        .filter_map(|e| e.host.as_deref())
        .collect();
    worst(hosts.into_iter().map(|host| judge(evidence, host)))
}

fn judge(evidence: Evidence<'_>, host: &str) -> Verdict {
    let Evidence { trace, plan } = evidence;
    let late = |since: SimTime| due(plan, host, since, GRACE);
    let ended = trace.events.last().map_or(SimTime::ZERO, |e| e.at);
    let fail = |seq: u64, why: String| {
        Verdict::Fail(Violation {
            event: Some(seq),
            why: format!("the factory of {host} {why}"),
            ..Violation::default()
        })
    };
    let dials: BTreeSet<&str> = calls(trace).iter().map(|c| c.name).collect();
    let mut alive = false;
    let mut live: BTreeMap<&str, u64> = BTreeMap::new();
    // For each call that its app may not have seen yet, the time of its first message.
    let mut arriving: BTreeMap<&str, SimTime> = BTreeMap::new();
    // The time since when the factory has existed without a call, or a call without the factory, and the event.
    let mut amiss: Option<(SimTime, u64)> = None;
    for event in trace.of(host) {
        if let Some((since, seq)) = amiss.filter(|(since, _)| event.at > late(*since)) {
            return fail(seq, out_of_step(alive, since));
        }
        match &event.kind {
            EventKind::Factory { alive: false } if live.keys().any(|c| is_there(&arriving, c, event.at)) => {
                let calls: Vec<&str> = live.keys().copied().collect();
                return fail(
                    event.seq,
                    format!(
                        "was released at {}, while {} lived",
                        event.at,
                        calls.join(" and ")
                    ),
                );
            }
            EventKind::Factory { alive: true } if alive => {
                return fail(event.seq, format!("was created again at {}", event.at));
            }
            EventKind::Factory { alive: now } => alive = *now,
            // A crash ends everything of that life.
            EventKind::Crashed => {
                alive = false;
                live.clear();
            }
            EventKind::Intended {
                intent: Intent::Dial { call, .. },
                ..
            } if dials.contains(call.as_str()) => {
                live.insert(call, event.seq);
            }
            // Some calls do not ring, because their user has dialed the caller.
            EventKind::Signal {
                direction: SignalDirection::Received,
                message,
                call: Some(call),
                ..
            } if matches!(message.as_str(), "ring" | "offer") && is_taken(trace, host, call, event.seq) => {
                live.entry(call).or_insert(event.seq);
                arriving.insert(call, event.at);
            }
            EventKind::PeerCreated { peer, .. } => {
                live.entry(&peer.call).or_insert(event.seq);
            }
            EventKind::Call { call, what } => match what {
                CallEvent::Rings { .. } => {
                    live.insert(call, event.seq);
                }
                CallEvent::Over { .. } => {
                    live.remove(call.as_str());
                }
                _ => continue,
            },
            _ => continue,
        }
        amiss = (alive == live.is_empty()).then(|| amiss.unwrap_or((event.at, event.seq)));
    }
    match amiss.filter(|(since, _)| ended > late(*since)) {
        Some((since, seq)) => fail(seq, out_of_step(alive, since)),
        None => Verdict::Pass,
    }
}

/// Reports whether the app has had the time to notice that `call` exists.
fn is_there(arriving: &BTreeMap<&str, SimTime>, call: &str, now: SimTime) -> bool {
    arriving.get(call).is_none_or(|at| now > *at + GRACE)
}

/// Reports whether the app on `host` handles `call` after the event `seq`: it creates a peer for it, or ends it.
fn is_taken(trace: &Trace, host: &str, call: &str, seq: u64) -> bool {
    let life = trace
        .of(host)
        .filter(|e| e.seq > seq)
        .take_while(|e| e.kind != EventKind::Crashed);
    life.into_iter().any(|e| match &e.kind {
        EventKind::PeerCreated { peer, .. } => peer.call == call,
        EventKind::Signal {
            direction: SignalDirection::Sent,
            message,
            call: Some(c),
            ..
        } => message == "ringing" && c == call,
        EventKind::Call {
            call: c,
            what: CallEvent::Over { .. },
        } => c == call,
        _ => false,
    })
}

fn out_of_step(alive: bool, since: SimTime) -> String {
    if alive {
        format!("was kept without a call from {since} on")
    } else {
        format!("was missing from {since} on, while a call lived")
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{ends::testing::*, machine::testing::*},
        *,
    };
    use crate::trace::CallOutcome;

    fn verdict(events: Vec<(u64, EventKind)>) -> Option<u64> {
        decided(&judged_timed(&FACT_01_AS_LONG_AS_CALLS, events))
    }

    fn factory(alive: bool) -> EventKind {
        EventKind::Factory { alive }
    }

    fn later() -> (u64, EventKind) {
        (9_000, closed())
    }

    #[test]
    fn it_comes_with_the_first_call_and_goes_with_the_last() {
        let second = |what| EventKind::Call {
            call: "c2".into(),
            what,
        };
        let end = CallEvent::Over {
            outcome: CallOutcome::Talked,
        };
        let begin = CallEvent::Rings { from: "bob".into() };
        let both = [(0, dialed()), (0, factory(true)), (1, second(begin))];
        let with = |more: Vec<(u64, EventKind)>| {
            verdict(both.iter().cloned().chain(more).chain([later()]).collect())
        };
        let (first_over, second_over) = (over(CallOutcome::Talked), second(end));
        assert_eq!(
            with(vec![
                (2, first_over.clone()),
                (3, second_over.clone()),
                (3, factory(false))
            ]),
            None
        );
        assert_eq!(with(vec![(2, first_over.clone()), (3, factory(false))]), Some(4));
        assert_eq!(with(vec![(2, first_over), (3, second_over)]), Some(4), "kept");
        assert_eq!(with(vec![(2, factory(true))]), Some(3), "two at once");
        assert_eq!(
            verdict(vec![
                (0, factory(true)),
                (1, factory(false)),
                (2, dialed()),
                later()
            ]),
            Some(2)
        );
    }
}

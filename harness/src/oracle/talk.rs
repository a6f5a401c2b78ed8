//! An oracle for the messages on a connected call: they arrive until the end.

use std::time::Duration;

use super::{Evidence, Oracle, Verdict, Violation, calls, calls::Call, worst};
use crate::{
    time::SimTime,
    trace::{CallEvent, EventKind, Trace},
};

/// Messages arrive until the end of a call.
pub const TALK_01_TO_THE_END: Oracle = Oracle {
    id: "TALK-01",
    meaning: "When the run is over, every call that had connected and that nobody ended still carries what either end says, whatever the storm did to its path.",
    source: "docs/judging.md#liveness; docs/stories.md#c-connection-state",
    check: &to_the_end,
};

/// The number of intervals at the end without a message that are tolerated.
const MISSED: u32 = 5;

fn to_the_end(evidence: Evidence<'_>) -> Verdict {
    let Evidence { trace, plan } = evidence;
    let Some(every) = plan.talk_every() else {
        return Verdict::Pass;
    };
    let Some(end) = trace.events.iter().find(|e| e.kind == EventKind::CleanUp) else {
        return Verdict::Unknown("the run was stopped before its calls were ended".into());
    };
    worst(
        calls::calls(trace)
            .iter()
            .map(|call| match is_there(trace, call, end.at) {
                true => worst(
                    [call.caller, call.callee].map(|host| hears(trace, call, host, end.at, every * MISSED)),
                ),
                false => Verdict::Pass,
            }),
    )
}

/// Reports whether `call` had connected at both ends by `end`, no user has ended it, and no app has shown that it is
/// over. CONN-01 judges whether it connects at all.
fn is_there(trace: &Trace, call: &Call<'_>, end: SimTime) -> bool {
    let over = trace
        .events
        .iter()
        .take_while(|e| e.at <= end)
        .any(|e| match &e.kind {
            EventKind::Call {
                call: of,
                what: CallEvent::Over { .. },
            } => of == call.name,
            _ => false,
        });
    let connected = |host: &str| {
        let usable = |kind: &EventKind| matches!(kind, EventKind::Usable { peer } if peer.call == call.name);
        trace
            .of(host)
            .take_while(|e| e.at <= end)
            .any(|e| usable(&e.kind))
    };
    let connected = [call.caller, call.callee].into_iter().all(connected);
    connected && !over && call.hung_up.is_none_or(|at| at > end)
}

fn hears(trace: &Trace, call: &Call<'_>, host: &str, end: SimTime, patience: Duration) -> Verdict {
    let heard = trace
        .of(host)
        .take_while(|e| e.at <= end)
        .filter(|e| match &e.kind {
            EventKind::Heard { peer } => peer.call == call.name,
            _ => false,
        });
    match heard.last() {
        Some(event) if event.at + patience >= end => Verdict::Pass,
        Some(event) => Verdict::Fail(Violation::at(
            event,
            format!(
                "{host} heard the other end of {} last at {}, and the call was held until {end}",
                call.name, event.at
            ),
        )),
        None => Verdict::Fail(Violation {
            event: None,
            call: Some(call.name.to_owned()),
            why: format!(
                "{host} never heard the other end of {}, and the call was held until {end}",
                call.name
            ),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::machine::testing::{decided, trace_of},
        *,
    };
    use crate::{
        fault::Plan,
        net::topology::Topology,
        trace::{CallOutcome, Intent},
    };

    /// Judges a call of alice to herself with messages every 200 ms, held until 10 s.
    fn verdict(heard_ms: &[u64], over: Option<u64>) -> Verdict {
        let dialed = EventKind::Intended {
            id: 0,
            intent: Intent::Dial {
                call: "c1".into(),
                to: "alice".into(),
            },
        };
        let heard = heard_ms
            .iter()
            .map(|ms| (*ms, EventKind::Heard { peer: "c1".into() }));
        let over = over.map(|ms| {
            let outcome = CallOutcome::Dropped;
            let what = CallEvent::Over { outcome };
            (
                ms,
                EventKind::Call {
                    call: "c1".into(),
                    what,
                },
            )
        });
        let usable = EventKind::Usable { peer: "c1".into() };
        let events = [(0, dialed), (50, usable)].into_iter().chain(heard).chain(over);
        let events = events.chain([(10_000, EventKind::CleanUp)]);
        let trace = trace_of(events.map(|(ms, kind)| (ms, "alice", kind)).collect());
        let plan = Plan {
            talk_every_ms: Some(200),
            ..Plan::new(Topology::default())
        };
        (TALK_01_TO_THE_END.check)(Evidence {
            trace: &trace,
            plan: &plan,
        })
    }

    #[test]
    fn whoever_is_held_is_heard_to_the_end() {
        assert_eq!(verdict(&[100, 9_000], None), Verdict::Pass);
        assert_eq!(decided(&verdict(&[100, 8_999], None)), Some(3));
        assert!(matches!(verdict(&[], None), Verdict::Fail(_)));
        assert_eq!(verdict(&[100], Some(5_000)), Verdict::Pass, "it was over");
    }
}

//! An oracle for a ringing phone that is told that its call is over.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Evidence, Oracle, Verdict, Violation,
    ends::{cleaned_up, run_over},
    wanted::due,
    worst,
};
use crate::{
    time::SimTime,
    trace::{CallEvent, Event, EventKind, SERVICE, SignalDirection},
};

/// Who is told stops ringing.
pub const RING_04_TOLD: Oracle = Oracle {
    id: "RING-04",
    meaning: "A phone falls silent within two seconds of the message that its call is over, whatever the network is like.",
    source: "docs/stories.md#b-rapid-dial-and-hangup",
    check: &told,
};

/// How long a phone may ring on.
const PATIENCE: Duration = Duration::from_secs(2);
/// The messages that end a call.
const ENDINGS: [&str; 5] = ["hangup", "reject", "busy", "glare", "elsewhere"];

fn told(evidence: Evidence<'_>) -> Verdict {
    let hosts = evidence.plan.topology.hosts.iter();
    worst(hosts.map(|host| judge(evidence, &host.name)))
}

fn judge(evidence: Evidence<'_>, host: &str) -> Verdict {
    let Evidence { trace, plan } = evidence;
    let cleaned_up = cleaned_up(trace);
    // The calls that ring, and when the message that ends them came.
    let mut ringing: BTreeMap<&str, Option<&Event>> = BTreeMap::new();
    for event in trace.of(host).take_while(|e| e.seq < cleaned_up) {
        if let Some(late) = late(&ringing, event.at, |from| due(plan, host, from, PATIENCE)) {
            return rang_on(host, late);
        }
        match &event.kind {
            EventKind::Crashed => ringing.clear(),
            EventKind::Call { call, what } => match what {
                CallEvent::Rings { .. } => drop(ringing.insert(call, None)),
                CallEvent::Silent | CallEvent::Over { .. } => drop(ringing.remove(call.as_str())),
                _ => {}
            },
            EventKind::Signal {
                direction: SignalDirection::Received,
                with,
                message,
                call: Some(call),
                ..
            } if with == SERVICE && ENDINGS.contains(&message.as_str()) => {
                if let Some(told) = ringing.get_mut(call.as_str()) {
                    told.get_or_insert(event);
                }
            }
            _ => {}
        }
    }
    late(&ringing, run_over(evidence), |from| {
        due(plan, host, from, PATIENCE)
    })
    .map_or(Verdict::Pass, |e| rang_on(host, e))
}

fn late<'a>(
    ringing: &BTreeMap<&str, Option<&'a Event>>,
    now: SimTime,
    due: impl Fn(SimTime) -> SimTime,
) -> Option<&'a Event> {
    let told = ringing.values().copied().flatten();
    told.filter(|e| now > due(e.at)).min_by_key(|e| e.seq)
}

fn rang_on(host: &str, told: &Event) -> Verdict {
    let call = told.kind.call().unwrap_or_default();
    let why = format!("{host} was told at {} that {call} is over, and rang on", told.at);
    Verdict::Fail(Violation::at(told, why))
}

#[cfg(test)]
mod tests {
    use super::{super::machine::testing::*, *};
    use crate::{
        fault::Plan,
        net::{
            latency::Latency,
            link::LinkProfile,
            topology::{HostSpec, Topology},
        },
    };

    fn shows(what: CallEvent) -> EventKind {
        EventKind::Call {
            call: "c1".into(),
            what,
        }
    }

    fn hangup() -> EventKind {
        EventKind::Signal {
            direction: SignalDirection::Received,
            with: SERVICE.into(),
            message: "hangup".into(),
            call: Some("c1".into()),
            ufrag: None,
            candidate: None,
        }
    }

    /// Alice's phone rings, is told at 0 that the call is over, and falls silent at `silent_ms`.
    fn verdict(silent_ms: u64) -> Option<u64> {
        let rings = shows(CallEvent::Rings { from: "bob".into() });
        let events = vec![(0, rings), (0, hangup()), (silent_ms, shows(CallEvent::Silent))];
        let trace = trace_of(events.into_iter().map(|(at, kind)| (at, "alice", kind)).collect());
        let host = HostSpec::new("alice", "10.0.0.1", LinkProfile::good(Latency::NONE));
        let plan = Plan::new(Topology {
            hosts: vec![host],
            ..Topology::default()
        });
        decided(&told(Evidence {
            trace: &trace,
            plan: &plan,
        }))
    }

    #[test]
    fn who_is_told_rings_for_two_seconds_at_most() {
        assert_eq!(verdict(2_000), None);
        assert_eq!(verdict(2_001), Some(1));
    }
}

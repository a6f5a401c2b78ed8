//! Oracles for every run, whatever its subject.

use super::{Evidence, Oracle, Verdict, Violation};
use crate::trace::{EventKind, Stop};

/// No task panics.
pub const RUN_01_NO_PANIC: Oracle = Oracle {
    id: "RUN-01",
    meaning: "No task panics, in the client or in the stack.",
    source: "docs/stories.md#b-rapid-dial-and-hangup",
    check: &no_panic,
};

/// Every program takes part.
pub const RUN_03_PLAYED: Oracle = Oracle {
    id: "RUN-03",
    meaning: "Every program starts, and every app knows what its user can want of it.",
    source: "docs/your-client.md",
    check: &played,
};

/// Every run ends by itself.
pub const RUN_02_BOUNDED: Oracle = Oracle {
    id: "RUN-02",
    meaning: "The run ends by itself, before its horizon and within its share of work.",
    source: "docs/judging.md#bounds",
    check: &bounded,
};

fn no_panic(evidence: Evidence<'_>) -> Verdict {
    for event in &evidence.trace.events {
        if let EventKind::Panicked { message, place } = &event.kind {
            let host = event.host.as_deref().unwrap_or("the run");
            return Verdict::Fail(Violation::at(
                event,
                format!("a task of {host} panicked at {place}: {message}"),
            ));
        }
    }
    Verdict::Pass
}

fn played(evidence: Evidence<'_>) -> Verdict {
    for event in &evidence.trace.events {
        let host = event.host.as_deref().unwrap_or("the run");
        let why = match &event.kind {
            EventKind::NotUnderstood { id } => {
                let wanted = evidence.trace.events.iter().find_map(|e| match &e.kind {
                    EventKind::Intended { id: i, intent } if i == id => Some(intent.name()),
                    _ => None,
                });
                format!(
                    "the app on {host} has no act for a user who {}",
                    wanted.unwrap_or("acts")
                )
            }
            EventKind::NotStarted { error } => format!("what runs on {host} did not start: {error}"),
            _ => continue,
        };
        return Verdict::Fail(Violation::at(event, why));
    }
    Verdict::Pass
}

/// How many of the things that are pending at the end a failure names; the trace has all.
const TOLD: usize = 8;

fn bounded(evidence: Evidence<'_>) -> Verdict {
    match evidence.trace.events.last().map(|e| (e, &e.kind)) {
        Some((_, EventKind::Ended)) => Verdict::Pass,
        Some((event, EventKind::Stopped { bound, pending })) => {
            let bound = match bound {
                Stop::Horizon => "its simulated time was used up",
                Stop::Work => "it sent more packets or polled more tasks than a run may",
            };
            let (first, more) = pending.split_at(pending.len().min(TOLD));
            let first = first.join("; ");
            let more = match more.len() {
                0 => String::new(),
                n => format!(" and {n} more"),
            };
            let why = format!("stopped because {bound}; pending were {first}{more}");
            Verdict::Fail(Violation::at(event, why))
        }
        _ => Verdict::Unknown("the trace has no end".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{ends::testing::*, machine::testing::*},
        *,
    };

    #[test]
    fn an_act_that_an_app_lacks_and_a_program_that_does_not_start_fail() {
        let lacks = judged(
            &RUN_03_PLAYED,
            vec![hung_up(), EventKind::NotUnderstood { id: 3 }],
        );
        let Verdict::Fail(violation) = lacks else {
            panic!("{lacks:?}")
        };
        assert_eq!(
            violation.why,
            "the app on alice has no act for a user who hangs up"
        );
        let error = "port 80 is taken".into();
        let down = judged(&RUN_03_PLAYED, vec![EventKind::NotStarted { error }]);
        assert_eq!(decided(&down), Some(0));
        assert_eq!(judged(&RUN_03_PLAYED, vec![hung_up(), returned()]), Verdict::Pass);
    }
}

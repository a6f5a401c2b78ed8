//! What must hold of every run, whatever it is about.

use super::{Evidence, Oracle, Verdict, Violation};
use crate::trace::{EventKind, Stop};

/// No panic anywhere.
pub const NO_PANIC: Oracle = Oracle {
    id: "RUN-01",
    meaning: "No task panics, in the client or in the stack.",
    source: "docs/stories.md#b-rapid-dial-and-hangup",
    check: no_panic,
};

/// Every run ends by itself.
pub const BOUNDED: Oracle = Oracle {
    id: "RUN-02",
    meaning: "The run ends by itself, before its horizon and within its share of work.",
    source: "docs/judging.md#bounds",
    check: bounded,
};

fn no_panic(evidence: Evidence<'_>) -> Verdict {
    for event in &evidence.trace.events {
        if let EventKind::Panicked { message, place } = &event.kind {
            let host = event.host.as_deref().unwrap_or("the run");
            return Verdict::Fail(Violation {
                event: Some(event.seq),
                why: format!("a task of {host} panicked at {place}: {message}"),
            });
        }
    }
    Verdict::Pass
}

fn bounded(evidence: Evidence<'_>) -> Verdict {
    match evidence.trace.events.last().map(|e| (e, &e.kind)) {
        Some((_, EventKind::Ended)) => Verdict::Pass,
        Some((event, EventKind::Stopped { bound, pending })) => {
            let bound = match bound {
                Stop::Horizon => "its simulated time was used up",
                Stop::Work => "it sent more packets or polled more tasks than a run may",
            };
            Verdict::Fail(Violation {
                event: Some(event.seq),
                why: format!("stopped because {bound}; pending were {}", pending.join("; ")),
            })
        }
        _ => Verdict::Unknown("the trace has no end".into()),
    }
}

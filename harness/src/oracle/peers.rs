//! What must hold of peers.

use std::time::Duration;

use super::{Evidence, Oracle, Verdict, Violation, worst};
use crate::trace::{Event, EventKind, Trace};

/// Closing a peer ends.
pub const CLOSES: Oracle = Oracle {
    id: "TEAR-01",
    meaning: "Closing a peer returns within two seconds of simulated time, whatever it was doing.",
    source: "STORIES B; ORACLES 3, hazards 2 to 4",
    check: closes,
};

/// Nothing stays behind.
pub const NOTHING_LEFT: Oracle = Oracle {
    id: "TEAR-02",
    meaning: "When every call is over, no task, socket or TURN allocation of it is left.",
    source: "STORIES B; ORACLES 1, teardown",
    check: nothing_left,
};

/// How long a close may take. Nothing that it does waits for the other side.
const PATIENCE: Duration = Duration::from_secs(2);

fn closes(evidence: Evidence<'_>) -> Verdict {
    let trace = evidence.trace;
    worst(trace.events.iter().filter_map(|e| match &e.kind {
        EventKind::Closing { peer } => Some(judge(trace, e, peer)),
        _ => None,
    }))
}

fn nothing_left(evidence: Evidence<'_>) -> Verdict {
    let mut censuses = 0;
    for event in &evidence.trace.events {
        let EventKind::Census {
            tasks,
            sockets,
            allocations,
        } = &event.kind
        else {
            continue;
        };
        censuses += 1;
        if !tasks.is_empty() || !sockets.is_empty() || *allocations > 0 {
            let host = event.host.as_deref().unwrap_or_default();
            let left: String = tasks.iter().chain(sockets).map(|l| format!(", {l}")).collect();
            return Verdict::Fail(Violation {
                event: Some(event.seq),
                why: format!("at the end {host} still had {allocations} allocations{left}"),
            });
        }
    }
    match censuses {
        0 => Verdict::Unknown("the run ended before a census was taken".into()),
        _ => Verdict::Pass,
    }
}

fn judge(trace: &Trace, closing: &Event, peer: &str) -> Verdict {
    let host = closing.host.as_deref().unwrap_or_default();
    let closed = trace
        .of(host)
        .find(|e| e.seq > closing.seq && matches!(&e.kind, EventKind::Closed { peer: p } if p == peer));
    let ended = trace.events.last().map_or(closing.at, |e| e.at);
    let fail = |how: String| {
        Verdict::Fail(Violation {
            event: Some(closing.seq),
            why: format!("{host} began to close {peer} at {}, which {how}", closing.at),
        })
    };
    match closed {
        Some(closed) if closed.at - closing.at <= PATIENCE => Verdict::Pass,
        Some(closed) => fail(format!("took {} ms", (closed.at - closing.at).as_millis())),
        None if ended - closing.at <= PATIENCE => {
            Verdict::Unknown(format!("the run ended while {host} was closing {peer}"))
        }
        None => fail("never returned".to_owned()),
    }
}

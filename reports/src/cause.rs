//! Causes of packets' fates, and the faults of a plan, for drawings: as a tag, and as a span of time.
//!
//! This is the only place of the drawings that looks into a cause or a fault. Whole sentences come from
//! `sleet::explain::descriptions`.

use serde::Serialize;
use sleet::{
    fault::{Fault, Plan},
    time::SimTime,
    trace::{Cause, Effect, EventKind, FaultId, Trace},
};

/// A fault while it was in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// The number in the plan.
    pub id: FaultId,
    /// The description.
    pub name: String,
    /// The start, in nanoseconds.
    pub from_ns: u64,
    /// The end, in nanoseconds; the end of the run if nothing ended the fault.
    pub until_ns: u64,
}

/// Returns a tag of one or two words for a cause.
pub fn tag(plan: &Plan, by: &Cause) -> &'static str {
    match by {
        Cause::Fault { fault } => plan.fault(*fault).map_or("fault", |fault| fault.spec().name),
        Cause::Firewall { .. } => "firewall",
        Cause::Nat { .. } => "NAT",
        Cause::Unroutable { .. } => "no host",
        Cause::HostDown { .. } => "host down",
        Cause::Link { effect, .. } => match effect {
            Effect::Loss => "loss",
            Effect::Burst => "burst",
            Effect::Reorder => "reorder",
            Effect::Duplicate => "duplicate",
            Effect::Corrupt => "corrupt",
            Effect::Truncate => "truncate",
            Effect::QueueFull => "queue full",
            Effect::TooLarge => "too large",
            Effect::GivenUp => "given up",
        },
    }
}

/// Returns the index in `spans` of the fault behind a cause, if there is one.
pub fn fault(by: &Cause, spans: &[Span]) -> Option<usize> {
    place(by.fault()?, spans)
}

/// Returns the index in `spans` of the fault that took effect in an event about no packet.
pub fn of_event(kind: &EventKind, spans: &[Span]) -> Option<usize> {
    place(kind.struck_by()?, spans)
}

fn place(id: FaultId, spans: &[Span]) -> Option<usize> {
    spans.iter().position(|span| span.id == id)
}

/// Returns the faults of a run of `plan` in the order in which they began. One that nothing ends lasts to the end of
/// the run.
pub fn spans(trace: &Trace, plan: &Plan, ended: SimTime) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut open: Vec<FaultId> = Vec::new();
    for event in &trace.events {
        match &event.kind {
            EventKind::FaultStarted { fault } => {
                let what = plan.fault(*fault).map(Fault::describe);
                spans.push(Span {
                    id: *fault,
                    name: format!("{fault}: {}", what.as_deref().unwrap_or("not in the plan")),
                    from_ns: event.at.as_nanos(),
                    until_ns: ended.as_nanos(),
                });
                open.push(*fault);
            }
            EventKind::FaultEnded { fault } if open.contains(fault) => {
                open.retain(|id| id != fault);
                if let Some(span) = spans.iter_mut().rev().find(|span| span.id == *fault) {
                    span.until_ns = event.at.as_nanos();
                }
            }
            _ => {}
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use sleet::{net::topology::Topology, trace::Event};

    use super::*;

    #[test]
    fn a_fault_that_nothing_ends_lasts_to_the_end_of_the_run() {
        let at = |seq, ms, kind| Event {
            seq,
            at: SimTime::from_millis(ms),
            host: None,
            kind,
        };
        let begins = |fault| EventKind::FaultStarted {
            fault: FaultId(fault),
        };
        let trace = Trace::from_events(vec![
            at(0, 10, begins(1)),
            at(1, 20, begins(2)),
            at(2, 30, EventKind::FaultEnded { fault: FaultId(1) }),
        ]);
        let plan = Plan::new(Topology::default());
        let spans = spans(&trace, &plan, SimTime::from_millis(99));
        let times: Vec<(u64, u64)> = spans.iter().map(|s| (s.from_ns, s.until_ns)).collect();
        assert_eq!(times, [(10_000_000, 30_000_000), (20_000_000, 99_000_000)]);
        assert_eq!(fault(&Cause::Fault { fault: FaultId(2) }, &spans), Some(1));
        assert_eq!(fault(&Cause::Firewall { host: "bob".into() }, &spans), None);
    }
}

//! Counts how often the faults of a plan took effect in a run: a fault without effect tests nothing.
//!
//! Counted where a fault takes effect, by its number, never where it is injected.

use std::collections::BTreeMap;

use super::{Fault, Plan};
use crate::trace::{Effect, FaultId, Trace};

/// Returns the marks of all effects with their counts: of the faults of `plan`, and of its links without a fault.
pub fn coverage(plan: &Plan, trace: &Trace) -> BTreeMap<&'static str, u64> {
    let faults: BTreeMap<FaultId, &Fault> = plan.faults.iter().map(|f| (f.id, f)).collect();
    let mut coverage = BTreeMap::new();
    for event in &trace.events {
        let mark = match event.kind.struck_by() {
            Some(id) => faults
                .get(&id)
                .and_then(|f| f.kind.behaviour().mark(f, &event.kind, plan)),
            None => event.kind.cause().and_then(|by| by.effect()).map(of_a_link),
        };
        if let Some(mark) = mark {
            *coverage.entry(mark).or_default() += 1;
        }
    }
    coverage
}

/// Returns the mark for an effect of a link's own profile.
const fn of_a_link(effect: Effect) -> &'static str {
    match effect {
        Effect::Loss => "loss-hit",
        Effect::Burst => "bursts-hit",
        Effect::Reorder => "reorder-hit",
        Effect::Duplicate => "duplicate-hit",
        Effect::Corrupt => "corrupt-hit",
        Effect::Truncate => "truncate-hit",
        Effect::QueueFull => "queue-full-hit",
        Effect::TooLarge => "too-large-hit",
        Effect::GivenUp => "given-up-hit",
    }
}

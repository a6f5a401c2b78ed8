//! A check for kinds whose faults on the same target must not overlap.

use crate::{fault::Fault, time::SimTime};

/// Returns an error if `fault` overlaps in time with one of `others`.
pub(super) fn check<'a>(fault: &Fault, others: impl IntoIterator<Item = &'a Fault>) -> Result<(), String> {
    let until = |f: &Fault| f.until().unwrap_or(SimTime::MAX);
    let overlaps = |other: &&Fault| other.from() < until(fault) && fault.from() < until(other);
    match others.into_iter().find(overlaps) {
        Some(other) => Err(format!(
            "from_ms: fault {} of {} lies over that time: begin when it has ended, or end before it begins",
            other.id,
            fault.target.name()
        )),
        None => Ok(()),
    }
}

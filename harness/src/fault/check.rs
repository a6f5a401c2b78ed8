//! Checks the faults of a plan; an error names the path and how to mend it.

use std::collections::BTreeSet;

use super::{
    Fault, Plan, Span,
    kind::{Befalls, is_one_way},
};

/// Checks the faults of `plan`.
///
/// # Errors
/// Returns the path of the offending field and how to mend it.
pub(super) fn check(plan: &Plan) -> Result<(), String> {
    let mut ids = BTreeSet::new();
    for (i, fault) in plan.faults.iter().enumerate() {
        if fault.id.0 == 0 || !ids.insert(fault.id) {
            let free = plan.next_fault_id();
            return Err(format!(
                "faults[{i}].id: {} is zero or taken; {free} is free",
                fault.id
            ));
        }
        one(fault, &plan.faults[..i], plan).map_err(|e| format!("faults[{i}].{e}"))?;
    }
    Ok(())
}

/// Checks `fault`, which comes after `before` in `plan`.
pub(super) fn one(fault: &Fault, before: &[Fault], plan: &Plan) -> Result<(), String> {
    target(fault, plan)?;
    span(fault)?;
    fault.kind.behaviour().check(fault, before, plan)
}

/// Reports whether the target of `fault` exists.
pub(super) fn befalls_something(fault: &Fault, plan: &Plan) -> bool {
    let there = fault.spec().befalls.all(plan);
    there.iter().any(|t| t.is_same_as(&fault.target))
}

fn target(fault: &Fault, plan: &Plan) -> Result<(), String> {
    let (name, befalls) = (fault.spec().name, fault.spec().befalls);
    let there = befalls.all(plan);
    if there.is_empty() {
        return Err(format!(
            "kind: {name} cannot hit this world: it befalls {}, and there is none",
            befalls.describe()
        ));
    }
    if !befalls_something(fault, plan) {
        let names: Vec<&str> = there.iter().map(|t| t.name()).collect();
        return Err(format!(
            "target: {name} befalls {}, as {}: here {}",
            befalls.describe(),
            befalls.schema(),
            names.join(", ")
        ));
    }
    if befalls == Befalls::LinkDirection && !is_one_way(&fault.target) {
        return Err(format!(
            "target.link.directions: {name} befalls one direction: up or down"
        ));
    }
    Ok(())
}

fn span(fault: &Fault) -> Result<(), String> {
    let name = fault.spec().name;
    match (fault.spec().span, fault.until_ms) {
        (Span::Moment | Span::ForGood, Some(_)) => Err(format!("until_ms: {name} has no end: leave it out")),
        (_, Some(until)) if until <= fault.from_ms => Err(format!("until_ms: {until} is not after from_ms")),
        _ => Ok(()),
    }
}

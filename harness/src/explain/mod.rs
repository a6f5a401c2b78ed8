//! Explanations: which elements of a failing plan decide it, and how the deciding one leads to the broken oracle.
//!
//! - [`candidates`]: the life of a candidate, from gathered to lost
//! - [`signaling`]: messages and connections that were lost or late
//! - [`checks`]: connectivity checks that went nowhere
//! - [`app`]: what the app under test complained of in its own log
//! - [`words`]: causes and faults in words
//! - [`states`]: what peers reported, panics, and the last events where no rule knows more
//!
//! A chain is read from the trace alone, by rules that know the protocol. A rule says only what events show: where no
//! rule knows, the last events that touch the call stand there, and [`Explanation::understood`] says so.

mod app;
mod candidates;
mod checks;
mod signaling;
mod states;
#[cfg(test)]
mod tests;
pub mod words;

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    oracle::{
        Violation,
        calls::{self, CONNECTS, Call},
        candidates::{APPLIED, OWN_GENERATION},
        runs::NO_PANIC,
    },
    run::RunRecord,
    seed::Seed,
    shrink::{Element, ExecuteError, Executor, Inventory, Shrunk},
    time::SimTime,
    trace::Event,
};

/// Why a plan breaks its oracle.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The name of the scenario.
    pub scenario: String,
    /// The seed.
    pub seed: Seed,
    /// The oracle.
    pub oracle: String,
    /// How it was broken, as the oracle puts it.
    pub why: String,
    /// What is left of the plan, and what each part is needed for. Together they suffice: nothing else is in the plan.
    pub roles: Vec<Role>,
    /// Whether nothing is left that could go.
    pub is_minimal: bool,
    /// What happened, in order.
    pub chain: Vec<Link>,
    /// Whether a rule knew how the failure came about; else the chain is what happened last.
    pub understood: bool,
}

/// An element of the plan, and what it is needed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Which.
    pub element: Element,
    /// What comes of the plan without it.
    pub without: Without,
}

/// What comes of a plan without one of its elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Without {
    /// Every oracle holds: the element is necessary.
    Holds,
    /// It breaks another oracle.
    BreaksOther(String),
    /// It breaks the same oracle: the element is not necessary.
    BreaksAlike,
    /// Nothing that can be run.
    NoPlan,
}

/// A step on the way to the failure.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// When.
    pub at: SimTime,
    /// The event that shows it.
    pub event: u64,
    /// What happened, in protocol terms.
    pub what: String,
}

impl Link {
    fn new(event: &Event, what: String) -> Self {
        Self {
            at: event.at,
            event: event.seq,
            what,
        }
    }
}

/// Explains what was shrunk: `record` is the run of its plan.
///
/// # Errors
/// [`ExecuteError`]
pub fn explain(
    executor: &dyn Executor,
    shrunk: &Shrunk,
    record: &RunRecord,
) -> Result<Explanation, ExecuteError> {
    let violation = record.failure().map(|(_, violation)| violation);
    let (mut chain, understood) = chain(record, &shrunk.oracle, violation);
    chain.sort();
    chain.dedup();
    Ok(Explanation {
        scenario: record.scenario.clone(),
        seed: record.seed,
        oracle: shrunk.oracle.clone(),
        why: violation.map(|v| v.why.clone()).unwrap_or_default(),
        roles: roles(executor, shrunk)?,
        is_minimal: shrunk.complete,
        chain,
        understood,
    })
}

fn roles(executor: &dyn Executor, shrunk: &Shrunk) -> Result<Vec<Role>, ExecuteError> {
    let inventory = Inventory::of(&shrunk.plan);
    let role = |(i, element): (usize, &Element)| {
        let without = match inventory.without(&BTreeSet::from([i])) {
            None => Without::NoPlan,
            Some(plan) => match executor.run(&Arc::new(plan))? {
                None => Without::Holds,
                Some(broken) if broken.oracle == shrunk.oracle => Without::BreaksAlike,
                Some(broken) => Without::BreaksOther(broken.oracle),
            },
        };
        Ok(Role {
            element: element.clone(),
            without,
        })
    };
    inventory.elements().iter().enumerate().map(role).collect()
}

/// How the failure of `record` came about, in order of time, and whether a rule knew it; nothing where every oracle held.
pub fn how(record: &RunRecord) -> Option<(Vec<Link>, bool)> {
    let (oracle, violation) = record.failure()?;
    let (mut chain, understood) = chain(record, oracle, Some(violation));
    chain.sort();
    chain.dedup();
    Some((chain, understood))
}

/// What led to `violation`, in no order, and whether a rule knew it.
fn chain(record: &RunRecord, oracle: &str, violation: Option<&Violation>) -> (Vec<Link>, bool) {
    let trace = &record.trace;
    let decided = violation
        .and_then(|v| v.event)
        .and_then(|seq| trace.events.get(seq as usize));
    let mut chain = match oracle {
        id if id == NO_PANIC.id => decided.map_or_else(Vec::new, |event| states::panic(record, event)),
        id if id == CONNECTS.id => {
            unconnected(record).map_or_else(Vec::new, |call| never_connected(record, &call))
        }
        id if id == APPLIED.id || id == OWN_GENERATION.id => {
            decided.map_or_else(Vec::new, |event| candidates::life(trace, event))
        }
        _ => Vec::new(),
    };
    let understood = !chain.is_empty();
    if !understood {
        chain = states::last_events(record, decided);
    }
    if let Some(event) = decided.filter(|_| !understood) {
        let host = event.host.as_deref().unwrap_or("the network");
        chain.push(Link::new(event, format!("this decided it, on {host}")));
    }
    (chain, understood)
}

/// The first call that was not connected in time.
fn unconnected(record: &RunRecord) -> Option<Call<'_>> {
    calls::calls(&record.trace).into_iter().find(|call| {
        let deadline = call.last_try.max(record.plan.heal_at()) + record.plan.budget();
        let hosts = [call.caller, call.callee];
        let late = |host: &&str| {
            call.connected_at(&record.trace, host)
                .is_none_or(|at| at > deadline)
        };
        call.hung_up.is_none_or(|at| at >= deadline) && hosts.iter().any(late)
    })
}

/// Why a call did not connect. Only what gets in the way of a call makes it understood; the states around it do not.
fn never_connected(record: &RunRecord, call: &Call<'_>) -> Vec<Link> {
    let mut chain = candidates::lost(&record.trace, call);
    chain.extend(signaling::trouble(&record.plan, &record.trace, call));
    chain.extend(checks::unanswered(record, call));
    if !chain.is_empty() {
        chain.extend(signaling::descriptions(&record.trace, call));
        chain.extend(states::of_peers(&record.trace, call));
        chain.extend(app::complaints(&record.trace, call));
    }
    chain
}

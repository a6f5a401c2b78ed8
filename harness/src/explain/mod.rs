//! Explanations: which elements of a failing plan decide it, and how the deciding one leads to the broken oracle.
//!
//! - [`case`], [`rules`]: the subject of an explanation, and the rules that are asked
//! - [`candidates`]: the life of a candidate, from gathered to lost
//! - [`signaling`]: messages and connections that were lost or late
//! - [`checks`]: connectivity checks that failed
//! - [`silence`]: a call that was connected, and then fell silent
//! - [`ends`]: users' intents for a call, and what its ends sent and showed
//! - [`leftovers`]: what a host still had at the end, and the peers that it came from
//! - [`app`]: warnings and errors in the log of the app under test
//! - [`descriptions`]: causes and faults in words
//! - [`states`]: states that peers reported, panics, and the last events if no rule applies
//!
//! A chain is derived from the trace alone, by rules that know the protocol. The events in the trace decide which rule
//! applies, never the id of an oracle: a custom oracle is explained as ours are. A rule says only what events show: if
//! no rule applies, the chain is the last events that touch the call, and [`Explanation::understood`] says so.

mod app;
mod candidates;
mod case;
mod checks;
pub mod descriptions;
mod ends;
mod leftovers;
mod rules;
mod signaling;
mod silence;
mod states;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, sync::Arc};

use case::Case;

use crate::{
    oracle::Evidence,
    run::RunRecord,
    scenario::Scenario,
    seed::Seed,
    shrink::{Element, ExecuteError, Executor, Inventory, Shrunk},
    time::SimTime,
    trace::Event,
};

/// The largest number of steps in a chain of acts and ends: the last ones before the deciding event.
const MOST: usize = 24;

/// The explanation of a plan that breaks its oracle.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The name of the scenario.
    pub scenario: String,
    /// The seed.
    pub seed: Seed,
    /// The oracle.
    pub oracle: String,
    /// The reason that the oracle gives.
    pub why: String,
    /// The remaining elements of the plan, and what each is needed for. Together they suffice: the plan has no others.
    pub roles: Vec<Role>,
    /// Whether no element is left that could be removed.
    pub is_minimal: bool,
    /// The clues, in order.
    pub chain: Vec<Link>,
    /// Whether a rule applied; otherwise the chain is the last events.
    pub understood: bool,
}

/// An element of the plan, and what it is needed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The element.
    pub element: Element,
    /// The result of the plan without it.
    pub without: Without,
}

/// The result of a plan without one of its elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Without {
    /// Every oracle holds: the element is necessary.
    Holds,
    /// The plan breaks another oracle.
    BreaksOther(String),
    /// The plan breaks the same oracle: the element is not necessary.
    BreaksAlike,
    /// The plan without the element cannot be run.
    NoPlan,
}

/// A step on the way to the failure.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// The time.
    pub at: SimTime,
    /// The event that shows the step.
    pub event: u64,
    /// The step, in protocol terms.
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

/// Explains a shrunk plan: `record` is its run with `scenario`.
///
/// # Errors
/// [`ExecuteError`]
pub fn explain(
    executor: &dyn Executor,
    scenario: &Scenario,
    shrunk: &Shrunk,
    record: &RunRecord,
) -> Result<Explanation, ExecuteError> {
    let violation = record.failure().map(|(_, violation)| violation);
    let (chain, understood) = how(scenario, record).unwrap_or_default();
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

/// Returns how the failure of `record` came about, in order of time, and whether a rule applied; `None` if every oracle
/// held. The clues of [`Scenario::explained_by`] are added to those of the rules here.
pub fn how(scenario: &Scenario, record: &RunRecord) -> Option<(Vec<Link>, bool)> {
    let (_, violation) = record.failure()?;
    let evidence = Evidence {
        trace: &record.trace,
        plan: &record.plan,
    };
    let clues = scenario.tells.iter().flat_map(|tell| tell(evidence, violation));
    let mut told: Vec<Link> = clues
        .filter_map(|clue| {
            Some(Link::new(
                record.trace.events.get(clue.event as usize)?,
                clue.what,
            ))
        })
        .collect();
    let (chain, known) = rules::chain(&Case::of(record, violation));
    let understood = known || !told.is_empty();
    told.extend(chain);
    told.sort();
    told.dedup();
    Some((told, understood))
}

//! Explanations: which elements of a failing plan decide it, and how the deciding one leads to the broken oracle.
//!
//! - [`case`], [`rules`]: what is to be explained, and which rules are asked
//! - [`candidates`]: the life of a candidate, from gathered to lost
//! - [`signaling`]: messages and connections that were lost or late
//! - [`checks`]: connectivity checks that went nowhere
//! - [`silence`]: a call that was connected, and not heard any more
//! - [`ends`]: what users wanted of a call, what its ends said and showed
//! - [`app`]: what the app under test complained of in its own log
//! - [`descriptions`]: causes and faults in words
//! - [`states`]: what peers reported, panics, and the last events where no rule knows more
//!
//! A chain is read from the trace alone, by rules that know the protocol. Which rule applies is decided by what the trace speaks
//! of, never by the id of an oracle: an oracle of somebody's own is explained as ours are. A rule says only what events show: where
//! no rule knows, the last events that touch the call stand there, and [`Explanation::understood`] says so.

mod app;
mod candidates;
mod case;
mod checks;
pub mod descriptions;
mod ends;
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

/// Explains what was shrunk: `record` is the run of its plan, in which `scenario` was played.
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

/// How the failure of `record` came about, in order of time, and whether a rule knew it; nothing where every oracle held.
/// What [`Scenario::explained_by`] knows of it stands beside what the rules here know.
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

//! New plans from plans that reached something: one or two things changed, or the parts of two plans put together.
//!
//! What is changed stays within what the scenario draws: faults come from its own draws, an act comes at a time or a point at which
//! some draw has it, and nobody dials earlier or picks up later than drawn. So a promise that is kept for all draws can be asked of
//! bred plans too. Every bred plan passes [`Plan::check`]. Nothing here runs a plan, and nothing draws but from the stream given.

use std::collections::BTreeSet;

use super::{
    acts,
    aim::{aimed, place},
};
use crate::{
    fault::{Fault, Plan, Span},
    seed::Stream,
};

/// A change of a plan, or of its seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Change {
    /// A fault goes.
    RemoveFault,
    /// A fault comes at another time, for as long as before.
    MoveFault,
    /// A fault lasts longer or shorter.
    StretchFault,
    /// A fault of another draw comes in.
    CopyFault,
    /// The network and the faults of one plan, and the acts of another.
    Cross,
    /// An act comes at another time.
    MoveAct,
    /// An act comes when another plan has it.
    TakeTime,
    /// An act of another plan comes in.
    CopyAct,
    /// An act goes.
    RemoveAct,
    /// Another seed: what the plan leaves open is drawn anew.
    Reseed,
}

impl Change {
    /// All changes.
    pub const ALL: [Self; 10] = [
        Self::RemoveFault,
        Self::MoveFault,
        Self::StretchFault,
        Self::CopyFault,
        Self::Cross,
        Self::MoveAct,
        Self::TakeTime,
        Self::CopyAct,
        Self::RemoveAct,
        Self::Reseed,
    ];

    /// Returns the name, in a word or two.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RemoveFault => "a fault removed",
            Self::MoveFault => "a fault moved",
            Self::StretchFault => "a fault made longer or shorter",
            Self::CopyFault => "a fault of another draw",
            Self::Cross => "the acts of another plan",
            Self::MoveAct => "an act moved",
            Self::TakeTime => "an act at the time of another plan",
            Self::CopyAct => "an act of another plan",
            Self::RemoveAct => "an act removed",
            Self::Reseed => "another seed",
        }
    }
}

/// What a plan is bred from.
#[derive(Clone, Copy, Debug)]
pub struct Parents<'a> {
    /// The plan to change.
    pub plan: &'a Plan,
    /// The times at which its run reached something new, in milliseconds.
    pub moments: &'a [u64],
    /// Another plan that reached something.
    pub other: &'a Plan,
    /// A fresh draw of the scenario.
    pub fresh: &'a Plan,
}

/// The most faults and acts that a bred plan may have: each copy adds one.
const MOST: usize = 48;

/// Applies `change`; `None` if there is nothing to change, or the result could not be run.
///
/// [`Change::Reseed`] leaves the plan alone: the seed is no part of it.
pub fn breed(change: Change, parents: Parents<'_>, draws: &mut Stream) -> Option<Plan> {
    let mut plan = parents.plan.clone();
    match change {
        Change::RemoveFault => {
            let at = place(draws, plan.faults.len())?;
            plan.faults.remove(at);
        }
        Change::MoveFault => move_fault(&mut plan, parents.moments, draws)?,
        Change::StretchFault => stretch_fault(&mut plan, draws)?,
        Change::CopyFault => copy_fault(&mut plan, parents.fresh, draws)?,
        Change::Cross => {
            let other = same_people(&plan, parents.other)?;
            plan.script.clone_from(&other.script);
        }
        Change::MoveAct => acts::move_one(&mut plan, parents.moments, draws)?,
        Change::TakeTime => acts::take_time(&mut plan, same_people(parents.plan, parents.other)?, draws)?,
        Change::CopyAct => acts::copy_one(&mut plan, same_people(parents.plan, parents.other)?, draws)?,
        Change::RemoveAct => acts::remove_one(&mut plan, draws)?,
        Change::Reseed => return Some(plan),
    }
    let is_small = plan.faults.len().max(plan.script.len()) <= MOST.max(parents.plan.faults.len());
    let is_new = is_small && plan != *parents.plan;
    (is_new && plan.check().is_ok()).then_some(plan)
}

/// Returns `other` if the same hosts and users are in it, so that the acts of one can be played in the other.
fn same_people<'a>(plan: &Plan, other: &'a Plan) -> Option<&'a Plan> {
    fn hosts(plan: &Plan) -> BTreeSet<&str> {
        plan.topology.hosts.iter().map(|h| h.name.as_str()).collect()
    }
    let same = hosts(plan) == hosts(other) && plan.users == other.users && plan.order == other.order;
    same.then_some(other)
}

/// Gives a fault another time: within the chaos phase, or what outlasts it up to twice as late.
fn move_fault(plan: &mut Plan, moments: &[u64], draws: &mut Stream) -> Option<()> {
    let at = place(draws, plan.faults.len())?;
    let fault = &plan.faults[at];
    let lasts = fault.until_ms.map(|until| until - fault.from_ms);
    let end = latest(plan, fault).saturating_sub(lasts.unwrap_or(0)).max(1);
    let from_ms = aimed(moments, draws).unwrap_or_else(|| draws.below(end)).min(end);
    let fault = &mut plan.faults[at];
    fault.from_ms = from_ms;
    fault.until_ms = lasts.map(|lasts| from_ms + lasts);
    Some(())
}

/// Lets a fault with an end last between a quarter and twice as long, at most until the chaos phase ends.
fn stretch_fault(plan: &mut Plan, draws: &mut Stream) -> Option<()> {
    let ends = |f: &Fault| f.until_ms.is_some();
    let with_end: Vec<usize> = (0..plan.faults.len())
        .filter(|at| ends(&plan.faults[*at]))
        .collect();
    let at = with_end[place(draws, with_end.len())?];
    let fault = &plan.faults[at];
    let (until, lasts) = (fault.until_ms?, fault.until_ms? - fault.from_ms);
    let latest = plan.heal_at_ms.max(until);
    let lasts = draws.between(lasts.div_ceil(4), lasts * 2).max(1);
    let until = (fault.from_ms + lasts).min(latest);
    plan.faults[at].until_ms = Some(until.max(plan.faults[at].from_ms + 1));
    Some(())
}

/// Adds a fault of `fresh`, and its chaos phase to a plan that has none.
fn copy_fault(plan: &mut Plan, fresh: &Plan, draws: &mut Stream) -> Option<()> {
    let fault = fresh.faults[place(draws, fresh.faults.len())?].clone();
    if plan.heal_at_ms == 0 {
        plan.heal_at_ms = fresh.heal_at_ms;
        plan.horizon_ms = plan.horizon_ms.max(fresh.horizon_ms);
    }
    plan.inject_if_it_fits(fault);
    Some(())
}

/// Returns the latest time at which a fault like `fault` may come, in milliseconds.
fn latest(plan: &Plan, fault: &Fault) -> u64 {
    match fault.spec().span {
        Span::ForGood => fault.from_ms * 2,
        _ => plan.heal_at_ms.max(fault.until_ms.unwrap_or(fault.from_ms)),
    }
}

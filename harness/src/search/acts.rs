//! Changes of what users do: an act comes at another time or goes, or an act of another plan comes in.
//!
//! An answer never goes and never comes later than drawn, and nobody dials earlier: that would be another story, in which a call
//! need not connect. A plan is changed in place; whether it can be run is checked by who asks.

use super::aim::{aimed, place};
use crate::{
    fault::{Act, Plan, Scripted, When},
    seed::{Ppm, Stream},
};

/// How much later an act may come than it did, in milliseconds.
const LATER_MS: u64 = 200;

/// Gives an act another time.
pub(super) fn move_one(plan: &mut Plan, moments: &[u64], draws: &mut Stream) -> Option<()> {
    let at = place(draws, plan.script.len())?;
    let last = last_ms(plan);
    let Scripted { when, act, .. } = &mut plan.script[at];
    let soon = draws.chance(Ppm::percent(30));
    let around = |ms: u64, draws: &mut Stream| match soon {
        true => draws.below(3),
        false => draws.between(ms / 2, ms + ms / 2 + 20),
    };
    match when {
        When::At { ms } if dials(act) => *ms += draws.below(LATER_MS),
        When::At { ms } => {
            let jitter = ms.saturating_sub(LATER_MS) + draws.below(2 * LATER_MS);
            *ms = aimed(moments, draws).unwrap_or(jitter).min(last + LATER_MS);
        }
        When::Rung { ms } => *ms = draws.between(0, *ms),
        When::Free { .. } => return None,
        When::Reached { after_ms, .. } | When::Over { after_ms } => *after_ms = around(*after_ms, draws),
    }
    Some(())
}

/// Lets an act come when `other` has an act of the same kind on the same host.
pub(super) fn take_time(plan: &mut Plan, other: &Plan, draws: &mut Stream) -> Option<()> {
    let at = place(draws, plan.script.len())?;
    let own = &plan.script[at];
    let alike = |s: &&Scripted| s.host == own.host && s.act.name() == own.act.name() && s.when != own.when;
    let times: Vec<When> = other.script.iter().filter(alike).map(|s| s.when).collect();
    plan.script[at].when = times[place(draws, times.len())?];
    Some(())
}

/// Adds an act of `other`: one that ends a call, or begins one whose name is not taken.
pub(super) fn copy_one(plan: &mut Plan, other: &Plan, draws: &mut Stream) -> Option<()> {
    let taken: Vec<&str> = plan.script.iter().filter_map(|s| begins(&s.act)).collect();
    let is_new = |s: &&Scripted| match begins(&s.act) {
        Some(call) => !taken.contains(&call),
        None => !matches!(s.act, Act::Answer | Act::App { .. }) && !plan.script.contains(s),
    };
    let acts: Vec<&Scripted> = other.script.iter().filter(is_new).collect();
    let act = acts[place(draws, acts.len())?].clone();
    plan.script.push(act);
    Some(())
}

/// Removes an act that is no answer, and not the only dial.
pub(super) fn remove_one(plan: &mut Plan, draws: &mut Stream) -> Option<()> {
    let dialed = plan.script.iter().filter(|s| dials(&s.act)).count();
    let can_go = |s: &Scripted| match s.act {
        Act::Answer | Act::App { .. } => false,
        _ => dialed > 1 || !dials(&s.act),
    };
    let places: Vec<usize> = (0..plan.script.len())
        .filter(|at| can_go(&plan.script[*at]))
        .collect();
    plan.script.remove(places[place(draws, places.len())?]);
    Some(())
}

/// Reports whether `act` begins a call out of nothing.
fn dials(act: &Act) -> bool {
    matches!(act, Act::Dial { .. } | Act::DialGroup { .. })
}

/// Returns the name of the call or the group that `act` begins.
fn begins(act: &Act) -> Option<&str> {
    match act {
        Act::Dial { call, .. } => Some(call),
        Act::Redial { again, .. } => Some(again),
        Act::DialGroup { group, .. } => Some(group),
        _ => None,
    }
}

/// Returns the latest fixed time of an act.
fn last_ms(plan: &Plan) -> u64 {
    let fixed = plan.script.iter().filter_map(|s| match s.when {
        When::At { ms } => Some(ms),
        _ => None,
    });
    fixed.max().unwrap_or_default()
}

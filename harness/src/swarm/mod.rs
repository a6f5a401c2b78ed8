//! The swarm: draws, from a seed, which kinds of fault a run has at all, and then the faults.
//!
//! Leaving whole kinds out finds more than always having a little of each (Groce et al., "Swarm Testing", 2012): one
//! fault often hides another. The drawn faults are plain data of the plan: a saved plan replays without this code. Each
//! kind draws its own faults, from a stream of its own, so that leaving one out moves no other. All faults lie in the
//! chaos phase of the plan.

use std::collections::BTreeSet;

pub use crate::fault::KindId as Kind;
use crate::{
    fault::Plan,
    seed::{Ppm, Seed},
};

/// The probability that a run has a given kind of fault.
const ON: Ppm = Ppm::percent(35);

/// Draws the kinds of fault of the run of `seed`.
pub fn kinds(seed: Seed) -> BTreeSet<Kind> {
    let mut draws = seed.stream("swarm/kinds");
    let all = Kind::ALL.iter().copied();
    all.filter(|_| draws.chance(ON)).collect()
}

/// Adds drawn faults of `kinds` that can hit its world to `plan`. A drawn fault that does not fit the others is left
/// out.
pub fn brew(seed: Seed, kinds: &BTreeSet<Kind>, mut plan: Plan) -> Plan {
    for kind in kinds {
        let spec = kind.spec();
        let mut draws = seed.stream(&format!("swarm/{}", spec.name));
        for fault in (spec.draw)(&mut draws, &plan) {
            plan.inject_if_it_fits(fault);
        }
    }
    plan
}

/// Returns the kinds for which the swarm draws faults in one of `worlds`, such as those of the first seeds.
pub fn can_hit(worlds: &[Plan]) -> BTreeSet<Kind> {
    let draws = |kind: &Kind| {
        let mut worlds = worlds.iter().zip(0..);
        worlds.any(|(world, seed)| !brew(Seed(seed), &[*kind].into(), world.clone()).faults.is_empty())
    };
    Kind::ALL.iter().copied().filter(draws).collect()
}

/// Returns the marks for faults of `kinds` that took effect.
pub fn marks(kinds: &BTreeSet<Kind>) -> Vec<&'static str> {
    kinds.iter().flat_map(|kind| kind.spec().marks).copied().collect()
}

#[cfg(test)]
mod tests;

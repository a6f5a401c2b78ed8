//! The swarm: draws, from a seed, which kinds of fault exist in a run at all, and then the faults.
//!
//! Leaving whole kinds out finds more than always having a little of each (Groce et al., "Swarm Testing",
//! 2012): one fault often hides another. What is drawn is plain data of the plan: a saved plan replays
//! without this code. How a kind is drawn, the kind says; each draws from a stream of its own, so that leaving one out
//! moves no other. Everything happens in the chaos phase of the plan.

use std::collections::BTreeSet;

pub use crate::fault::KindId as Kind;
use crate::{
    fault::Plan,
    seed::{Ppm, Seed},
};

/// How often a run has a kind of fault.
const ON: Ppm = Ppm::percent(35);

/// The kinds of fault that the run of `seed` has.
pub fn kinds(seed: Seed) -> BTreeSet<Kind> {
    let mut draws = seed.stream("swarm/kinds");
    let all = Kind::ALL.iter().copied();
    all.filter(|_| draws.chance(ON)).collect()
}

/// `plan` with the faults of `kinds` that can hit its world. What is drawn and does not fit what is there already is left out.
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

/// The kinds that the swarm draws faults of for one of `worlds`, such as those of the first seeds.
pub fn can_hit(worlds: &[Plan]) -> BTreeSet<Kind> {
    let draws = |kind: &Kind| {
        let mut worlds = worlds.iter().zip(0..);
        worlds.any(|(world, seed)| !brew(Seed(seed), &[*kind].into(), world.clone()).faults.is_empty())
    };
    Kind::ALL.iter().copied().filter(draws).collect()
}

/// The marks that say that faults of `kinds` struck something.
pub fn marks(kinds: &BTreeSet<Kind>) -> Vec<&'static str> {
    kinds.iter().flat_map(|kind| kind.spec().marks).copied().collect()
}

#[cfg(test)]
mod tests;

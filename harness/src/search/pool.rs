//! The plans that a search breeds from: a bounded number of those that reached something new or rare.
//!
//! Whatever is drawn is drawn from the stream given.

use std::{collections::BTreeMap, sync::Arc};

use super::reached::{Feature, Reached};
use crate::{fault::Plan, seed::Seed, seed::Stream};

/// The most plans that are kept.
pub(super) const MOST: usize = 64;
/// The weight of a feature that one run reached: of *n* runs, it is divided by *n*.
const RARE: u64 = 1 << 20;

/// A plan that reached something.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// The seed of the run.
    pub seed: Seed,
    /// The plan.
    pub plan: Arc<Plan>,
    /// The times at which the run reached what was new then, in milliseconds.
    pub moments: Vec<u64>,
    /// What the run reached that was rare when it was kept.
    rare: Vec<Feature>,
    /// How often it was chosen.
    chosen: u64,
}

/// The plans, and how many runs reached each feature.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool {
    kept: Vec<Kept>,
    runs: BTreeMap<Feature, u64>,
}

impl Pool {
    /// Returns how many runs reached each feature.
    pub fn runs(&self) -> &BTreeMap<Feature, u64> {
        &self.runs
    }

    /// Returns the number of plans.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Counts what a run reached; returns what no run had reached before.
    pub fn count(&mut self, reached: &Reached) -> Vec<Feature> {
        let mut new = Vec::new();
        for feature in reached.features() {
            let runs = self.runs.entry(feature.clone()).or_default();
            *runs += 1;
            if *runs == 1 {
                new.push(feature.clone());
            }
        }
        new
    }

    /// Keeps a plan whose run reached `new`; of too many, the one goes whose features are the most common.
    pub fn keep(&mut self, seed: Seed, plan: Arc<Plan>, reached: &Reached, new: Vec<Feature>) {
        let mut moments: Vec<u64> = new
            .iter()
            .filter_map(|f| reached.when(f))
            .map(|at| at.as_millis())
            .collect();
        moments.sort_unstable();
        moments.dedup();
        self.kept.push(Kept {
            seed,
            plan,
            moments,
            rare: new,
            chosen: 0,
        });
        if self.kept.len() > MOST {
            let weights: Vec<u64> = self.kept.iter().map(|k| self.rarity(k)).collect();
            let least = (0..weights.len()).min_by_key(|at| weights[*at]);
            self.kept.remove(least.unwrap_or_default());
        }
    }

    /// Chooses a plan: the rarer its features and the less often it was chosen, the more likely.
    pub fn choose(&mut self, draws: &mut Stream) -> Option<Kept> {
        let weight = |k: &Kept| self.rarity(k) / (k.chosen + 1) + 1;
        let weights: Vec<u64> = self.kept.iter().map(weight).collect();
        let sum: u64 = weights.iter().sum();
        if sum == 0 {
            return None;
        }
        let mut drawn = draws.below(sum);
        for (kept, weight) in self.kept.iter_mut().zip(weights) {
            if drawn < weight {
                kept.chosen += 1;
                return Some(kept.clone());
            }
            drawn -= weight;
        }
        None
    }

    fn rarity(&self, kept: &Kept) -> u64 {
        let runs = |f: &Feature| self.runs.get(f).copied().unwrap_or(1).max(1);
        kept.rare.iter().map(|f| RARE / runs(f)).sum()
    }
}

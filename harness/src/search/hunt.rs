//! The search: proposes plans, is told what their runs reached, and breeds from those that reached something new.
//!
//! It never runs anything itself. The same scenario, first seed and strategy, told the same, propose the same.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    breed::{Change, Parents, breed},
    lesson::Lesson,
    pool::{Kept, Pool},
    reached::Feature,
    strategy::{Origin, Strategy},
    traits::{Traits, Tried},
};
use crate::{
    fault::Plan,
    run::{RunRecord, Runner},
    scenario::Scenario,
    seed::{Ppm, Seed, Stream},
    world::WorldError,
};

/// The number of plans out of which a guided search proposes one.
const CANDIDATES: usize = 12;
/// The number of plans that must have reached something new before any is bred.
const FIRST: usize = 4;
/// The least and the most percent of candidates that are bred.
const BRED: (u64, u64) = (5, 50);
/// How often a plan that cannot be changed as drawn is tried again.
const TRIES: usize = 8;
/// The probability of one more change of a bred plan.
const MORE: Ppm = Ppm::percent(40);
/// The number of runs after which what was reached before counts half.
const OF_LATE: u64 = 64;

/// A run that a search asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// The seed.
    pub seed: Seed,
    /// The plan.
    pub plan: Arc<Plan>,
    /// Where the plan comes from.
    pub origin: Origin,
}

impl Proposal {
    /// Runs it.
    ///
    /// # Errors
    /// [`WorldError`], as of [`Runner::run`].
    pub fn run(&self, scenario: &Arc<Scenario>) -> Result<RunRecord, WorldError> {
        Runner::new(scenario, self.seed)
            .with_plan(self.plan.clone())
            .run()
    }
}

/// A search for plans of one scenario.
#[derive(Clone, Debug)]
pub struct Search {
    scenario: Arc<Scenario>,
    strategy: Strategy,
    /// The seed of the next fresh draw.
    next: Seed,
    draws: Stream,
    pool: Pool,
    tried: Tried,
    yields: Yields,
}

impl Search {
    /// A search of `scenario` whose fresh draws begin with the seed `first`.
    pub fn new(scenario: Arc<Scenario>, first: Seed, strategy: Strategy) -> Self {
        Self {
            scenario,
            strategy,
            next: first,
            draws: first.stream("search"),
            pool: Pool::default(),
            tried: Tried::default(),
            yields: Yields::default(),
        }
    }

    /// Proposes the next run.
    ///
    /// # Errors
    /// [`WorldError::NoPlan`] if the scenario cannot draw a plan; the search can go on with the next seed.
    pub fn propose(&mut self) -> Result<Proposal, WorldError> {
        let mut best = self.drawn()?;
        if self.strategy == Strategy::Swarm {
            return Ok(best);
        }
        let mut traits = Traits::of(&best.plan);
        let mut novelty = self.tried.novelty(&traits);
        for _ in 1..CANDIDATES {
            let other = self.candidate()?;
            let its = Traits::of(&other.plan);
            let how_new = self.tried.novelty(&its);
            if how_new > novelty {
                (best, traits, novelty) = (other, its, how_new);
            }
        }
        self.tried.count(&traits);
        Ok(best)
    }

    /// Learns what the run of `proposal` reached, and whether it broke something; returns how much of it no run had reached before.
    /// From a plan that breaks something nothing is bred: the same would be found again and again.
    pub fn learn(&mut self, proposal: &Proposal, Lesson { reached, found }: &Lesson) -> usize {
        let new = self.pool.count(reached);
        let count = new.len();
        self.yields.add(&proposal.origin, count as u64);
        if self.strategy == Strategy::Guided && found.is_none() && count > 0 {
            self.pool.keep(proposal.seed, proposal.plan.clone(), reached, new);
        }
        count
    }

    /// Returns how many runs reached each feature.
    pub fn reached(&self) -> &BTreeMap<Feature, u64> {
        self.pool.runs()
    }

    /// Returns the number of plans that it breeds from.
    pub fn kept(&self) -> usize {
        self.pool.len()
    }

    /// Breeds a plan or draws one, as often as either reached something new of late.
    fn candidate(&mut self) -> Result<Proposal, WorldError> {
        let breeds = self.pool.len() >= FIRST && self.draws.chance(self.yields.bred());
        if breeds && let Some(bred) = self.bred()? {
            return Ok(bred);
        }
        self.drawn()
    }

    /// Draws the plan of the next seed.
    fn drawn(&mut self) -> Result<Proposal, WorldError> {
        let seed = self.next;
        self.next = Seed(seed.0.wrapping_add(1));
        Ok(Proposal {
            seed,
            plan: Arc::new(self.scenario.try_draw(seed)?),
            origin: Origin::Drawn,
        })
    }

    /// Breeds a plan; `None` if none of some changes could be made.
    fn bred(&mut self) -> Result<Option<Proposal>, WorldError> {
        let parents = (
            self.pool.choose(&mut self.draws),
            self.pool.choose(&mut self.draws),
        );
        let (
            Some(Kept {
                seed, plan, moments, ..
            }),
            Some(other),
        ) = parents
        else {
            return Ok(None);
        };
        let fresh = self.scenario.try_draw(Seed(self.draws.next_u64()))?;
        let (mut seed, mut plan) = (seed, Arc::unwrap_or_clone(plan));
        let mut changes = Vec::new();
        for _ in 0..TRIES {
            let change = Change::ALL[self.draws.below(Change::ALL.len() as u64) as usize];
            let parents = Parents {
                plan: &plan,
                moments: &moments,
                other: &other.plan,
                fresh: &fresh,
            };
            let Some(changed) = breed(change, parents, &mut self.draws) else {
                continue;
            };
            if change == Change::Reseed {
                seed = Seed(self.draws.next_u64());
            }
            plan = changed;
            changes.push(change);
            if !self.draws.chance(MORE) {
                break;
            }
        }
        let bred = Proposal {
            seed,
            plan: Arc::new(plan),
            origin: Origin::Bred(changes.clone()),
        };
        Ok((!changes.is_empty()).then_some(bred))
    }
}

/// How much drawn and bred plans reached that was new, of late: runs, and new features.
#[derive(Clone, Debug, Default)]
struct Yields {
    drawn: (u64, u64),
    bred: (u64, u64),
}

impl Yields {
    fn add(&mut self, origin: &Origin, new: u64) {
        let (runs, features) = match origin {
            Origin::Drawn => &mut self.drawn,
            Origin::Bred(_) => &mut self.bred,
        };
        (*runs, *features) = (*runs + 1, *features + new);
        if self.drawn.0 + self.bred.0 >= OF_LATE {
            let half = |(runs, new): (u64, u64)| (runs / 2, new / 2);
            (self.drawn, self.bred) = (half(self.drawn), half(self.bred));
        }
    }

    /// Returns the share of candidates to breed.
    fn bred(&self) -> Ppm {
        let rate = |(runs, new): (u64, u64)| (new + 1) * 1_000 / (runs + 1);
        let (drawn, bred) = (rate(self.drawn), rate(self.bred));
        let percent = 100 * bred / (drawn + bred).max(1);
        Ppm::percent(percent.clamp(BRED.0, BRED.1) as u32)
    }
}

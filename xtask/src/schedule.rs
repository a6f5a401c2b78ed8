//! Which runs a suite consists of, in which order, and which of them are this machine's.

use std::{collections::BTreeMap, sync::Arc};

use sleet::{
    run::{shard::Shard, suite::Job},
    scenario::Scenario,
    seed::Seed,
};

/// The runs of a suite. Each has a place in it, from 0.
pub struct Schedule {
    runs: Runs,
    shard: Shard,
}

enum Runs {
    /// Scenario by scenario, seed by seed.
    Listed {
        jobs: Vec<Job>,
        places: BTreeMap<(String, Seed), u64>,
    },
    /// Seed by seed, every scenario on each, without end.
    Endless {
        scenarios: Vec<Arc<Scenario>>,
        base: u64,
    },
}

impl Schedule {
    /// The share of `shard` of `jobs`, of which none is there twice.
    pub fn listed(jobs: Vec<Job>, shard: Shard) -> Self {
        let name = |(place, job): (usize, &Job)| ((job.scenario.name.clone(), job.seed), place as u64);
        let places = jobs.iter().enumerate().map(name).collect();
        Self {
            runs: Runs::Listed { jobs, places },
            shard,
        }
    }

    /// The share of `shard` of all seeds from `base`.
    pub fn endless(scenarios: Vec<Arc<Scenario>>, base: Seed, shard: Shard) -> Self {
        Self {
            runs: Runs::Endless {
                scenarios,
                base: base.0,
            },
            shard,
        }
    }

    /// This shard's runs, each with its place in the whole suite.
    pub fn jobs(&self) -> impl Iterator<Item = (u64, Job)> + '_ {
        (0..).map_while(|n| {
            let place = self.shard.place(n);
            Some((place, self.job(place)?))
        })
    }

    /// How many runs this shard has, if they end.
    pub fn len(&self) -> Option<u64> {
        match &self.runs {
            Runs::Listed { .. } => Some(self.jobs().count() as u64),
            Runs::Endless { .. } => None,
        }
    }

    /// The place of a run in the suite, if it is this shard's.
    pub fn place(&self, scenario: &str, seed: Seed) -> Option<u64> {
        let place = match &self.runs {
            Runs::Listed { places, .. } => places.get(&(scenario.to_owned(), seed)).copied(),
            Runs::Endless { scenarios, base } => {
                let column = scenarios.iter().position(|s| s.name == scenario)? as u64;
                let row = seed.0.checked_sub(*base)?;
                row.checked_mul(scenarios.len() as u64)?.checked_add(column)
            }
        };
        place.filter(|place| self.shard.takes(*place))
    }

    /// The run at a place of the suite.
    pub fn job(&self, place: u64) -> Option<Job> {
        match &self.runs {
            Runs::Listed { jobs, .. } => jobs.get(usize::try_from(place).ok()?).cloned(),
            Runs::Endless { scenarios, base } => {
                let count = scenarios.len() as u64;
                Some(Job {
                    scenario: scenarios[(place % count) as usize].clone(),
                    seed: Seed(base.checked_add(place / count)?),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenarios() -> Vec<Arc<Scenario>> {
        sleet_scenarios::catalogue().into_iter().take(3).collect()
    }

    fn names<'a>(jobs: impl Iterator<Item = (u64, Job)> + 'a) -> Vec<(u64, String, u64)> {
        jobs.map(|(place, job)| (place, job.scenario.name.clone(), job.seed.0))
            .collect()
    }

    #[test]
    fn an_endless_schedule_goes_seed_by_seed_and_knows_every_place() {
        let shard = "2/2".parse().expect("a shard");
        let schedule = Schedule::endless(scenarios(), Seed(100), shard);
        let first = names(schedule.jobs().take(4));
        let of = |n: usize| scenarios()[n].name.clone();
        let expected = [(1, of(1), 100), (3, of(0), 101), (5, of(2), 101), (7, of(1), 102)];
        assert_eq!(first, expected);
        for (place, job) in schedule.jobs().take(100) {
            assert_eq!(schedule.place(&job.scenario.name, job.seed), Some(place));
        }
        assert_eq!(schedule.place(&of(0), Seed(100)), None, "it is the other shard's");
        assert_eq!(schedule.place(&of(0), Seed(99)), None);
    }

    #[test]
    fn the_shards_of_a_list_are_the_list() {
        let jobs: Vec<Job> = scenarios()
            .into_iter()
            .flat_map(|scenario| {
                (0..5).map(move |seed| Job {
                    scenario: scenario.clone(),
                    seed: Seed(seed),
                })
            })
            .collect();
        let part = |shard: &str| Schedule::listed(jobs.clone(), shard.parse().expect("a shard"));
        let mut parts: Vec<_> = ["1/4", "2/4", "3/4", "4/4"]
            .iter()
            .flat_map(|s| names(part(s).jobs()))
            .collect();
        parts.sort();
        assert_eq!(parts, names(part("1/1").jobs()));
        assert_eq!(part("4/4").len(), Some(3));
    }
}

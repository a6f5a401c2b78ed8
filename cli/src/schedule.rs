//! The schedule of a suite: its runs, their order, and which of them belong to this machine.
//!
//! Nothing in here grows with the number of seeds.

use std::{collections::BTreeMap, fmt, ops::Range, str::FromStr, sync::Arc};

use anyhow::{Context, ensure};
use sleet::{
    run::{shard::Shard, suite::Job},
    scenario::Scenario,
    seed::{self, Seed},
};

/// The seeds of one scenario, in order, each once. Written as `A..B` or `A,B,C`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seeds {
    /// A range, the end excluded.
    Range(Range<u64>),
    /// A list.
    Listed(Vec<Seed>),
}

impl Seeds {
    /// Returns the number of seeds.
    pub fn len(&self) -> u64 {
        match self {
            Self::Range(range) => range.end.saturating_sub(range.start),
            Self::Listed(seeds) => seeds.len() as u64,
        }
    }

    /// Returns the seed at index `n`, from 0.
    fn get(&self, n: u64) -> Option<Seed> {
        match self {
            Self::Range(range) => range.start.checked_add(n).filter(|s| range.contains(s)).map(Seed),
            Self::Listed(seeds) => seeds.get(usize::try_from(n).ok()?).copied(),
        }
    }

    fn position(&self, seed: Seed) -> Option<u64> {
        match self {
            Self::Range(range) => range.contains(&seed.0).then(|| seed.0 - range.start),
            Self::Listed(seeds) => seeds.iter().position(|s| *s == seed).map(|at| at as u64),
        }
    }

    /// Iterates over the seeds in order.
    pub fn iter(&self) -> impl Iterator<Item = Seed> + '_ {
        (0..).map_while(|n| self.get(n))
    }
}

impl fmt::Display for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range(range) => write!(f, "{}..{}", range.start, range.end),
            Self::Listed(seeds) => {
                let seeds: Vec<String> = seeds.iter().map(ToString::to_string).collect();
                f.write_str(&seeds.join(","))
            }
        }
    }
}

impl FromStr for Seeds {
    type Err = anyhow::Error;

    fn from_str(words: &str) -> anyhow::Result<Self> {
        ensure!(
            !words.starts_with("from "),
            "a soak has no end, so its shards cannot be proven whole"
        );
        if words.contains("..") {
            return Ok(Self::Range(seed::parse_range(words)?));
        }
        let one = |word: &str| {
            word.trim()
                .parse()
                .with_context(|| format!("'{words}' are not seeds"))
        };
        Ok(Self::Listed(
            words.split(',').map(one).collect::<anyhow::Result<_>>()?,
        ))
    }
}

/// The runs of a suite on this machine, numbered from 0 in the order of the suite.
pub struct Schedule {
    runs: Runs,
    shard: Shard,
}

enum Runs {
    /// Scenario by scenario, seed by seed.
    Listed {
        parts: Vec<Part>,
        names: BTreeMap<String, usize>,
    },
    /// Seed by seed, every scenario on each, without end.
    Endless {
        scenarios: Vec<Arc<Scenario>>,
        base: u64,
    },
}

/// One scenario of a suite.
struct Part {
    scenario: Arc<Scenario>,
    seeds: Seeds,
    /// The number of runs of the scenarios before it.
    before: u64,
}

impl Schedule {
    /// Creates the share of `shard` of `suite`, in which each scenario comes once.
    pub fn listed(suite: Vec<(Arc<Scenario>, Seeds)>, shard: Shard) -> Self {
        let mut before = 0;
        let part = |(scenario, seeds): (Arc<Scenario>, Seeds)| {
            let part = Part {
                scenario,
                before,
                seeds,
            };
            before += part.seeds.len();
            part
        };
        let parts: Vec<Part> = suite.into_iter().map(part).collect();
        let name = |(n, part): (usize, &Part)| (part.scenario.name.clone(), n);
        Self {
            runs: Runs::Listed {
                names: parts.iter().enumerate().map(name).collect(),
                parts,
            },
            shard,
        }
    }

    /// Creates the share of `shard` of all seeds from `base`.
    pub fn endless(scenarios: Vec<Arc<Scenario>>, base: Seed, shard: Shard) -> Self {
        Self {
            runs: Runs::Endless {
                scenarios,
                base: base.0,
            },
            shard,
        }
    }

    /// Iterates over this machine's runs, each with its number.
    pub fn jobs(&self) -> impl Iterator<Item = (u64, Job)> + '_ {
        (0..).map_while(|number| Some((number, self.job(number)?)))
    }

    /// Returns the number of runs on this machine, `None` if they do not end.
    pub fn len(&self) -> Option<u64> {
        match &self.runs {
            Runs::Listed { parts, .. } => {
                let all = parts.last().map_or(0, |last| last.before + last.seeds.len());
                let before = self.shard.number() - 1;
                Some(all.saturating_sub(before).div_ceil(self.shard.total()))
            }
            Runs::Endless { .. } => None,
        }
    }

    /// Returns the number of a run, if it belongs to this machine.
    pub fn number(&self, scenario: &str, seed: Seed) -> Option<u64> {
        let place = match &self.runs {
            Runs::Listed { parts, names } => {
                let part = &parts[*names.get(scenario)?];
                part.before + part.seeds.position(seed)?
            }
            Runs::Endless { scenarios, base } => {
                let column = scenarios.iter().position(|s| s.name == scenario)? as u64;
                let row = seed.0.checked_sub(*base)?;
                row.checked_mul(scenarios.len() as u64)?.checked_add(column)?
            }
        };
        self.shard.takes(place).then(|| place / self.shard.total())
    }

    /// Returns the run with a number.
    pub fn job(&self, number: u64) -> Option<Job> {
        let place = self.shard.place(number);
        match &self.runs {
            Runs::Listed { parts, .. } => {
                let after = parts.partition_point(|part| part.before <= place);
                // Parts without seeds begin where the next one does.
                let part = &parts[..after].iter().rev().find(|part| part.seeds.len() > 0)?;
                Some(Job {
                    scenario: part.scenario.clone(),
                    seed: part.seeds.get(place - part.before)?,
                })
            }
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
    use sleet::{fault::Plan, scenario::Kind};

    use super::*;

    fn scenarios() -> Vec<Arc<Scenario>> {
        let scenario = |name: &str| {
            let draw = |_| -> Plan { unreachable!("nothing is drawn") };
            Arc::new(Scenario::new(Kind::Promise, name, draw, |_, _| async {}))
        };
        ["a/one", "a/two", "b/three"].map(scenario).to_vec()
    }

    fn names(jobs: impl Iterator<Item = (u64, Job)>) -> Vec<(u64, String, u64)> {
        jobs.map(|(n, job)| (n, job.scenario.name.clone(), job.seed.0))
            .collect()
    }

    #[test]
    fn an_endless_schedule_goes_seed_by_seed_and_knows_every_number() {
        let shard = "2/2".parse().expect("a shard");
        let schedule = Schedule::endless(scenarios(), Seed(100), shard);
        let first = names(schedule.jobs().take(4));
        let of = |n: usize| scenarios()[n].name.clone();
        let expected = [(0, of(1), 100), (1, of(0), 101), (2, of(2), 101), (3, of(1), 102)];
        assert_eq!(first, expected);
        for (number, job) in schedule.jobs().take(100) {
            assert_eq!(schedule.number(&job.scenario.name, job.seed), Some(number));
        }
        assert_eq!(
            schedule.number(&of(0), Seed(100)),
            None,
            "it is the other shard's"
        );
        assert_eq!(schedule.number(&of(0), Seed(99)), None);
    }

    #[test]
    fn the_shards_of_a_list_are_the_list() {
        let seeds = ["3..8", "7..7", "9,2,5,4"];
        let suite = || {
            let seeds = seeds.map(|words| words.parse().unwrap_or(Seeds::Range(7..7)));
            scenarios().into_iter().zip(seeds).collect::<Vec<_>>()
        };
        let part = |shard: &str| Schedule::listed(suite(), shard.parse().expect("a shard"));
        let whole = part("1/1");
        let expected: Vec<(String, u64)> = (3..8)
            .map(|seed| ("a/one".to_owned(), seed))
            .chain([9, 2, 5, 4].map(|seed| ("b/three".to_owned(), seed)))
            .collect();
        let runs = |schedule: &Schedule| -> Vec<(String, u64)> {
            let jobs = names(schedule.jobs()).into_iter();
            jobs.map(|(_, name, seed)| (name, seed)).collect()
        };
        assert_eq!(runs(&whole), expected);
        assert_eq!(whole.len(), Some(9));
        let mut parts: Vec<_> = ["1/4", "2/4", "3/4", "4/4"]
            .map(part)
            .iter()
            .flat_map(runs)
            .collect();
        parts.sort();
        let mut sorted = expected;
        sorted.sort();
        assert_eq!(parts, sorted);
        for shard in ["1/4", "2/4", "3/4", "4/4", "11/12"] {
            let schedule = part(shard);
            assert_eq!(schedule.len(), Some(schedule.jobs().count() as u64), "{shard}");
            for (number, job) in schedule.jobs() {
                assert_eq!(schedule.number(&job.scenario.name, job.seed), Some(number));
            }
        }
    }

    #[test]
    fn seeds_are_read_as_they_are_written() {
        for words in ["0..100", "7", "9,2,5"] {
            assert_eq!(words.parse::<Seeds>().expect("seeds").to_string(), words);
        }
        for bad in ["", "a", "from 7", "5..5", "1,,2"] {
            assert!(bad.parse::<Seeds>().is_err(), "{bad}");
        }
    }
}

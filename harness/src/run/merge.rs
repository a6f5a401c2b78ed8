//! The results of several shards, put together.
//!
//! A proof, not a union: every run of the suite is there exactly once, and nothing else is. Pure; who reads the files
//! says where each part came from.

use std::collections::BTreeMap;

use thiserror::Error;

use super::result::RunResult;
use crate::seed::Seed;

/// How many runs a message names.
const NAMED: usize = 3;

/// A run, named.
pub type Run = (String, Seed);

/// Parts that are not a whole.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum MergeError {
    /// Runs that no part has.
    #[error("{} missing: {}", runs(*.0), .1.join(", "))]
    Missing(usize, Vec<String>),
    /// A run that two parts have, with the same result.
    #[error("{run} ran twice: in {left} and in {right}")]
    Doubled {
        /// The run.
        run: String,
        /// A part that has it.
        left: String,
        /// Another.
        right: String,
    },
    /// A run that two parts have, with different results.
    #[error("{run} is in conflict: {left} and {right} have different results of it")]
    Conflict {
        /// The run.
        run: String,
        /// A part that has it.
        left: String,
        /// Another.
        right: String,
    },
    /// A run that the suite does not have.
    #[error("{run} of {part} is not part of the suite")]
    Foreign {
        /// The run.
        run: String,
        /// The part that has it.
        part: String,
    },
}

fn runs(n: usize) -> String {
    match n {
        1 => "1 run is".to_owned(),
        n => format!("{n} runs are"),
    }
}

/// Puts `parts`, each with its name, in the order of `suite`.
///
/// # Errors
/// [`MergeError`], the first in the order of the suite; what is missing is looked for last.
pub fn merge(suite: &[Run], parts: Vec<(String, Vec<RunResult>)>) -> Result<Vec<RunResult>, MergeError> {
    let places: BTreeMap<(&str, Seed), usize> = suite
        .iter()
        .enumerate()
        .map(|(place, (scenario, seed))| ((scenario.as_str(), *seed), place))
        .collect();
    let mut whole = BTreeMap::<usize, (String, RunResult)>::new();
    let mut wrong = BTreeMap::new();
    for (part, results) in parts {
        for result in results {
            let run = format!("{}@{}", result.scenario, result.seed);
            let Some(place) = places.get(&(result.scenario.as_str(), result.seed)).copied() else {
                return Err(MergeError::Foreign { run, part });
            };
            match whole.get(&place) {
                None => drop(whole.insert(place, (part.clone(), result))),
                Some((left, known)) => {
                    let (left, right) = (left.clone(), part.clone());
                    wrong.entry(place).or_insert(match *known == result {
                        true => MergeError::Doubled { run, left, right },
                        false => MergeError::Conflict { run, left, right },
                    });
                }
            }
        }
    }
    if let Some((_, error)) = wrong.pop_first() {
        return Err(error);
    }
    let missing = suite
        .iter()
        .enumerate()
        .filter(|(place, _)| !whole.contains_key(place));
    let missing: Vec<String> = missing
        .map(|(_, (scenario, seed))| format!("{scenario}@{seed}"))
        .collect();
    match missing.len() {
        0 => Ok(whole.into_values().map(|(_, result)| result).collect()),
        n => Err(MergeError::Missing(n, missing.into_iter().take(NAMED).collect())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::run::{result::RunOutcome, shard::Shard};

    fn suite(runs: u64) -> Vec<Run> {
        (0..runs)
            .map(|n| (format!("family/{}", n / 10), Seed(n % 10)))
            .collect()
    }

    fn result(run: &Run) -> RunResult {
        RunResult::without_record(&run.0, run.1, RunOutcome::Error, String::new())
    }

    fn deal(suite: &[Run], total: u64) -> Vec<(String, Vec<RunResult>)> {
        let part = |number| {
            let shard = Shard::new(number, total).expect("a shard");
            let runs = suite
                .iter()
                .enumerate()
                .filter(|(place, _)| shard.takes(*place as u64));
            (
                shard.to_string(),
                runs.map(|(_, run)| result(run)).rev().collect(),
            )
        };
        (1..=total).map(part).collect()
    }

    proptest! {
        #[test]
        fn what_was_dealt_comes_back_in_order(runs in 0_u64..200, total in 1_u64..12) {
            let suite = suite(runs);
            let whole: Vec<RunResult> = suite.iter().map(result).collect();
            prop_assert_eq!(merge(&suite, deal(&suite, total)), Ok(whole));
        }

        #[test]
        fn a_run_that_is_lost_is_missed(runs in 1_u64..200, total in 1_u64..12, pick in any::<prop::sample::Index>()) {
            let suite = suite(runs);
            let lost = &suite[pick.index(suite.len())];
            let mut parts = deal(&suite, total);
            for (_, results) in &mut parts {
                results.retain(|r| (&r.scenario, r.seed) != (&lost.0, lost.1));
            }
            let name = format!("{}@{}", lost.0, lost.1);
            prop_assert_eq!(merge(&suite, parts), Err(MergeError::Missing(1, vec![name])));
        }
    }

    #[test]
    fn doubles_conflicts_and_strangers_are_named() {
        let suite = suite(6);
        let mut parts = deal(&suite, 3);
        let doubled = parts[1].clone();
        parts.push(("again".into(), doubled.1));
        let (run, left, right) = ("family/0@1".to_owned(), "2/3".to_owned(), "again".to_owned());
        let both = MergeError::Doubled {
            run: run.clone(),
            left: left.clone(),
            right: right.clone(),
        };
        assert_eq!(merge(&suite, parts.clone()), Err(both));
        for r in &mut parts[3].1 {
            r.sim_ms = 7;
        }
        assert_eq!(
            merge(&suite, parts),
            Err(MergeError::Conflict { run, left, right })
        );
        let error = merge(&suite[..5], deal(&suite, 1)).expect_err("six of five");
        assert_eq!(error.to_string(), "family/0@5 of 1/1 is not part of the suite");
    }
}

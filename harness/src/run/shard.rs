//! A suite dealt to several machines.
//!
//! Runs are dealt round-robin over the ordered list of all (scenario, seed), so that every shard gets its share of each
//! scenario. Pure arithmetic: which runs are a shard's depends on nothing but the list and the shard.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One of the parts of a suite, written `K/N`, `K` from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Shard {
    number: u64,
    total: u64,
}

/// Something that is no shard.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("'{0}' is not a shard: write K/N, with K from 1 to N")]
pub struct ShardError(String);

impl Shard {
    /// The whole suite.
    pub const WHOLE: Self = Self { number: 1, total: 1 };

    /// Shard `number` (from 1) of `total`.
    ///
    /// # Errors
    /// [`ShardError`] unless 1 ≤ `number` ≤ `total`.
    pub fn new(number: u64, total: u64) -> Result<Self, ShardError> {
        let shard = Self { number, total };
        match (1..=total).contains(&number) {
            true => Ok(shard),
            false => Err(ShardError(shard.to_string())),
        }
    }

    /// Which one, from 1.
    pub fn number(self) -> u64 {
        self.number
    }

    /// Of how many.
    pub fn total(self) -> u64 {
        self.total
    }

    /// The place in the suite of the shard's run number `n`, both from 0.
    pub fn place(self, n: u64) -> u64 {
        n * self.total + self.number - 1
    }

    /// Whether the run at `place` of the suite, from 0, is this shard's.
    pub fn takes(self, place: u64) -> bool {
        place % self.total == self.number - 1
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.total)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(s: &str) -> Result<Self, ShardError> {
        let error = || ShardError(s.to_owned());
        let (number, total) = s.split_once('/').ok_or_else(error)?;
        let number = number.parse().map_err(|_| error())?;
        Self::new(number, total.parse().map_err(|_| error())?).map_err(|_| error())
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

impl TryFrom<String> for Shard {
    type Error = ShardError;

    fn try_from(s: String) -> Result<Self, ShardError> {
        s.parse()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_run_is_dealt_to_exactly_one_shard(total in 1_u64..50, place in 0_u64..100_000) {
            let takers = (1..=total).filter(|n| Shard::new(*n, total).expect("a shard").takes(place));
            prop_assert_eq!(takers.count(), 1);
        }

        #[test]
        fn a_shard_takes_its_places_and_no_others(total in 1_u64..50, pick in 0_u64..50, runs in 0_u64..2_000) {
            let shard = Shard::new(pick % total + 1, total).expect("a shard");
            let places: Vec<u64> = (0..).map(|n| shard.place(n)).take_while(|p| *p < runs).collect();
            let taken: Vec<u64> = (0..runs).filter(|p| shard.takes(*p)).collect();
            prop_assert_eq!(places, taken);
        }

        #[test]
        fn no_shard_gets_more_than_one_run_more_of_a_scenario(
            total in 1_u64..20, before in 0_u64..500, seeds in 0_u64..500,
        ) {
            let share = |n| {
                let shard = Shard::new(n, total).expect("a shard");
                (before..before + seeds).filter(|p| shard.takes(*p)).count() as u64
            };
            for n in 1..=total {
                prop_assert!(share(n).abs_diff(seeds / total) <= 1);
            }
        }

        #[test]
        fn a_shard_is_read_as_it_is_written(total in 1_u64..1_000, pick in 0_u64..1_000) {
            let shard = Shard::new(pick % total + 1, total).expect("a shard");
            prop_assert_eq!(shard.to_string().parse(), Ok(shard));
        }
    }

    #[test]
    fn what_is_no_shard_is_refused() {
        for bad in ["", "1", "0/3", "4/3", "1/0", "-1/3", "a/b", "1/3/5", " 1/3"] {
            assert_eq!(bad.parse::<Shard>(), Err(ShardError(bad.to_owned())), "{bad}");
        }
    }
}

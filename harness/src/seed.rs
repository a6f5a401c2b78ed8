//! Seeds and labelled random streams: the only source of randomness.
//!
//! Every consumer draws from a stream of its own, named by a label, so that a new draw in one place
//! moves no draw elsewhere. Ranges and probabilities are derived here with integer arithmetic, not by
//! a library whose sampling may change between versions; golden vectors in the tests pin them.

use std::{fmt, ops::Range, str::FromStr};

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The seed of a run: it determines all random draws.
///
/// ```
/// use sleet::seed::Seed;
///
/// let seed: Seed = "0x2a".parse()?;
/// assert_eq!(seed, Seed(42));
/// let mut loss = seed.stream("link/alice->net/loss");
/// let again = seed.stream("link/alice->net/loss").next_u64();
/// assert_eq!(loss.next_u64(), again);
/// # Ok::<(), sleet::seed::SeedError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Seed {
    /// Returns the random stream called `label`.
    pub fn stream(self, label: &str) -> Stream {
        Stream {
            rng: ChaCha8Rng::from_seed(self.key(label)),
        }
    }

    /// Returns the stream called `label`, read by ordinal instead of in sequence.
    pub fn indexed(self, label: &str) -> IndexedStream {
        IndexedStream {
            stream: self.stream(label),
        }
    }

    fn key(self, label: &str) -> [u8; 32] {
        let mut material = Vec::with_capacity(8 + label.len());
        material.extend_from_slice(&self.0.to_le_bytes());
        material.extend_from_slice(label.as_bytes());
        blake3::derive_key("sleet 2026 labelled stream", &material)
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The error of a seed or a range of seeds that could not be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SeedError {
    /// The text is neither decimal nor `0x…`, or the number is larger than 64 bits.
    #[error("'{0}' is not a seed: write a decimal or 0x… number below 2^64")]
    Seed(String),
    /// The text is not `A..B` with `A` below `B`.
    #[error("'{0}' is not a range of seeds: write A..B with A below B (B is excluded), for example 0..500")]
    Range(String),
}

impl FromStr for Seed {
    type Err = SeedError;

    fn from_str(s: &str) -> Result<Self, SeedError> {
        let parsed = match s.strip_prefix("0x").or_else(|| s.strip_prefix("0X")) {
            Some(hex) => u64::from_str_radix(hex, 16),
            None => s.parse(),
        };
        // `parse` accepts a leading plus sign, which no printed seed has.
        match parsed {
            Ok(n) if !s.contains('+') => Ok(Seed(n)),
            _ => Err(SeedError::Seed(s.to_owned())),
        }
    }
}

/// Parses `A..B`, `B` excluded.
///
/// # Errors
/// Returns [`SeedError::Range`] if it is malformed or empty, [`SeedError::Seed`] if an end is no seed.
pub fn parse_range(s: &str) -> Result<Range<u64>, SeedError> {
    let (from, until) = s.split_once("..").ok_or_else(|| SeedError::Range(s.to_owned()))?;
    let (from, until) = (from.parse::<Seed>()?.0, until.parse::<Seed>()?.0);
    if from >= until {
        return Err(SeedError::Range(s.to_owned()));
    }
    Ok(from..until)
}

/// A probability in parts per million, 0 to 1,000,000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Ppm(u32);

impl Ppm {
    /// Probability 0.
    pub const ZERO: Self = Self(0);
    /// Probability 1.
    pub const ONE: Self = Self(1_000_000);

    /// Creates a probability of `ppm` parts per million.
    ///
    /// # Panics
    /// Panics above 1,000,000.
    pub const fn new(ppm: u32) -> Self {
        assert!(ppm <= 1_000_000, "a probability is at most 1,000,000 ppm");
        Self(ppm)
    }

    /// Creates a probability of `percent` percent.
    ///
    /// # Panics
    /// Panics above 100.
    pub const fn percent(percent: u32) -> Self {
        Self::new(percent * 10_000)
    }

    /// Returns the parts per million.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for Ppm {
    type Error = String;

    fn try_from(ppm: u32) -> Result<Self, String> {
        if ppm <= 1_000_000 {
            Ok(Self(ppm))
        } else {
            Err(format!("{ppm} is not a probability in ppm: at most 1000000"))
        }
    }
}

impl From<Ppm> for u32 {
    fn from(p: Ppm) -> u32 {
        p.0
    }
}

/// A stream of random numbers that depends on nothing but its seed and its label.
#[derive(Clone, Debug)]
pub struct Stream {
    rng: ChaCha8Rng,
}

impl Stream {
    /// Draws 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// Draws a number below `bound`, each equally likely up to one part in 2^64 / `bound`.
    ///
    /// It takes one draw whatever the bound, so that a plan edited in one place keeps its draws in another.
    ///
    /// # Panics
    /// Panics if `bound` is zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "nothing lies below zero");
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// Draws a number from `low` to `high`, both included.
    ///
    /// # Panics
    /// Panics if `low` is above `high`, or if they span all 64 bits.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        assert!(low <= high, "an empty range: {low} to {high}");
        low + self.below(high - low + 1)
    }

    /// Draws whether an event of probability `p` happens.
    pub fn chance(&mut self, p: Ppm) -> bool {
        self.below(1_000_000) < u64::from(p.0)
    }

    /// Fills `buf` with random bytes.
    pub fn fill(&mut self, buf: &mut [u8]) {
        self.rng.fill_bytes(buf);
    }
}

/// A stream that is read by ordinal: the draws for packet 7 do not depend on the draws for packets 0 to 6.
#[derive(Clone, Debug)]
pub struct IndexedStream {
    stream: Stream,
}

impl IndexedStream {
    /// The number of 32-bit words reserved for each ordinal: as many as ChaCha computes at once.
    const WORDS: u128 = 64;

    /// Returns the stream at the position of `ordinal`, good for 32 draws.
    pub fn at(&mut self, ordinal: u64) -> &mut Stream {
        self.stream.rng.set_word_pos(u128::from(ordinal) * Self::WORDS);
        &mut self.stream
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_vectors_of_streams() {
        let mut s = Seed(42).stream("link/alice->net");
        let drawn: Vec<u64> = (0..3).map(|_| s.next_u64()).collect();
        assert_eq!(drawn, GOLDEN_STREAM);
        let mut i = Seed(42).indexed("link/alice->net");
        assert_eq!(i.at(0).next_u64(), GOLDEN_STREAM[0], "ordinal 0 is the beginning");
        assert_eq!(i.at(7).next_u64(), GOLDEN_ORDINAL_7);
        assert_eq!(Seed(43).stream("link/alice->net").next_u64(), GOLDEN_NEXT_SEED);
    }

    #[test]
    fn golden_vectors_of_ranges_and_chances() {
        let mut s = Seed(7).stream("golden");
        let drawn: Vec<u64> = (0..6).map(|_| s.between(10, 19)).collect();
        assert_eq!(drawn, GOLDEN_RANGE);
        let hits: Vec<bool> = (0..12).map(|_| s.chance(Ppm::percent(30))).collect();
        assert_eq!(hits.iter().filter(|h| **h).count(), GOLDEN_HITS);
    }

    #[test]
    fn an_ordinal_does_not_depend_on_what_was_drawn_before() {
        let mut a = Seed(1).indexed("x");
        let mut b = Seed(1).indexed("x");
        for _ in 0..20 {
            a.at(3).next_u64();
        }
        assert_eq!(a.at(9).next_u64(), b.at(9).next_u64());
    }

    #[test]
    fn chances_come_out_as_often_as_they_say() {
        let mut s = Seed(5).stream("often");
        let hits = (0..100_000).filter(|_| s.chance(Ppm::percent(5))).count();
        // Five standard deviations of a binomial(100000, 0.05) are 345.
        assert!((4_655..=5_345).contains(&hits), "{hits}");
        assert!((0..1000).all(|_| s.chance(Ppm::ONE)));
        assert!((0..1000).all(|_| !s.chance(Ppm::ZERO)));
    }

    #[test]
    fn seeds_and_ranges_are_read_strictly() {
        assert_eq!("0xFF".parse::<Seed>(), Ok(Seed(255)));
        assert_eq!("18446744073709551615".parse::<Seed>(), Ok(Seed(u64::MAX)));
        for bad in ["", "x", "-1", "+1", "0x", "1.5", "18446744073709551616"] {
            assert_eq!(bad.parse::<Seed>(), Err(SeedError::Seed(bad.to_owned())));
        }
        assert_eq!(parse_range("0..0x10"), Ok(0..16));
        for bad in ["5", "5..5", "6..5"] {
            assert_eq!(parse_range(bad), Err(SeedError::Range(bad.to_owned())));
        }
        assert_eq!(parse_range("a..5"), Err(SeedError::Seed("a".to_owned())));
    }

    const GOLDEN_STREAM: [u64; 3] = [
        7_982_329_999_750_060_922,
        757_939_044_492_025_259,
        10_477_090_969_360_614_231,
    ];
    const GOLDEN_ORDINAL_7: u64 = 2_944_415_542_697_403_937;
    const GOLDEN_NEXT_SEED: u64 = 8_016_048_463_975_485_338;
    const GOLDEN_RANGE: [u64; 6] = [12, 11, 13, 10, 16, 11];
    const GOLDEN_HITS: usize = 2;
}

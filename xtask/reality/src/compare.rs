//! Whether what happened for real and what was simulated agree.
//!
//! Rates agree when their 95 % Wilson intervals overlap, times when their medians are within 50 ms or 5 % of each other, or no further apart than
//! those of two samples of the simulated calls would be by chance. What was left after hangups is compared as rates are, each kind of it
//! by itself. A test of whole distributions, such as Kolmogorov and Smirnov's, would fail on any constant shift, and processors take some
//! milliseconds.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};
use sleet::run::stats::{Histogram, Share};

/// How far medians may be apart, in milliseconds.
const TOLERANCE_MS: u64 = 50;
/// How far they may be apart, in percent of the simulated one.
const TOLERANCE_PERCENT: u64 = 5;
/// How many connected calls it takes to speak of a median.
const ENOUGH: usize = 10;
/// How rare a pair type is that only one of the two need have seen, in percent.
const RARE_PERCENT: u64 = 5;

/// What came of the calls of a case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// How many calls.
    pub calls: u64,
    /// How many of them came out as their story wants; none says that it is those which have a time.
    #[serde(default)]
    pub well: Option<u64>,
    /// What the story measures of each call that has it, in milliseconds: of most, how long it took to connect.
    pub connect_ms: Vec<u64>,
    /// How often the caller selected which kinds of pair.
    pub pairs: BTreeMap<String, u64>,
    /// After how many rounds of hangups which kinds of things were left.
    #[serde(default)]
    pub left: BTreeMap<String, u64>,
    /// In how many rounds a task was left that the simulation knows by its place in the source.
    #[serde(default)]
    pub places: BTreeMap<String, u64>,
}

impl Sample {
    /// Adds a call that came out well or did not, what its story measured, and the pair that it had.
    pub fn add(&mut self, well: bool, ms: Option<u64>, pair: Option<&str>) {
        self.calls += 1;
        *self.well.get_or_insert_default() += u64::from(well);
        self.connect_ms.extend(ms);
        if let Some(pair) = pair.filter(|pair| !pair.is_empty()) {
            *self.pairs.entry(pair.to_owned()).or_default() += 1;
        }
    }

    /// Notes what was left after the call that was added last.
    pub fn leaves<'a>(&mut self, what: impl IntoIterator<Item = &'a String>) {
        for what in what {
            *self.left.entry(what.clone()).or_default() += 1;
        }
    }

    /// How many came out well.
    pub fn share(&self) -> Share {
        let well = self.well.unwrap_or(self.connect_ms.len() as u64);
        Share::wilson(well, self.calls.max(1))
    }

    /// After how many of them `what` was left.
    fn share_with(&self, what: &str) -> Share {
        Share::wilson(
            self.left.get(what).copied().unwrap_or_default(),
            self.calls.max(1),
        )
    }

    /// A percentile of what the story measures, in milliseconds.
    pub fn percentile(&self, percent: u64) -> Option<u64> {
        let mut histogram = Histogram::default();
        self.connect_ms.iter().for_each(|ms| histogram.add(*ms));
        histogram.percentile(percent)
    }
}

impl Sample {
    /// Where the median of so many other calls may lie, in milliseconds, if they were of this kind: in 95 of 100 samples between these two of
    /// ours, by order statistics; and within the tolerance of our median in any case.
    fn median_of(&self, calls: usize) -> Option<(u64, u64)> {
        let mut sorted = self.connect_ms.clone();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)? as f64;
        // Twice the deviation of the rank of a median, in shares of the sample: of theirs, and of ours.
        let spread = (1.0 / calls as f64 + 1.0 / sorted.len() as f64).sqrt();
        let at = |share: f64| sorted[(last * share.clamp(0.0, 1.0)).round() as usize];
        let median = at(0.5);
        let tolerance = TOLERANCE_MS.max(median * TOLERANCE_PERCENT / 100);
        Some((
            at(0.5 - spread).min(median.saturating_sub(tolerance)),
            at(0.5 + spread).max(median + tolerance),
        ))
    }

    /// The median, in milliseconds, of enough calls to speak of one.
    fn median(&self) -> Option<u64> {
        let enough = self.connect_ms.len() >= ENOUGH;
        enough.then(|| self.percentile(50)).flatten()
    }
}

/// A case with both.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The case.
    pub case: String,
    /// In a few words.
    pub about: String,
    /// What happened.
    pub real: Sample,
    /// What was simulated.
    pub simulated: Sample,
    /// The captures of real calls that are kept, as paths from the folder of what was executed.
    #[serde(default)]
    pub captures: Vec<PathBuf>,
}

impl Row {
    /// What they disagree in.
    pub fn disagreements(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.real.calls == 0 || self.simulated.calls == 0 {
            return vec!["one of the two is missing".to_owned()];
        }
        found.extend(apart("rates", self.real.share(), self.simulated.share()));
        let kinds: BTreeSet<&String> = self.real.left.keys().chain(self.simulated.left.keys()).collect();
        for kind in kinds {
            found.extend(apart(
                kind,
                self.real.share_with(kind),
                self.simulated.share_with(kind),
            ));
        }
        if let (Some(real), Some(simulated)) = (self.real.median(), self.simulated.median())
            && let Some((low, high)) = self.simulated.median_of(self.real.connect_ms.len())
            && !(low..=high).contains(&real)
        {
            found.push(format!("medians: {real} ms real, {simulated} ms simulated"));
        }
        found
    }

    /// Kinds of pairs that are common in one and not there in the other. For the eye: kinds depend on which check comes first.
    pub fn pairs_apart(&self) -> Vec<String> {
        let common = |of: &Sample, other: &Sample| -> Vec<String> {
            let total: u64 = of.pairs.values().sum();
            let common = of.pairs.iter().filter(|(pair, n)| {
                *n * 100 > total * RARE_PERCENT && total > 0 && !other.pairs.contains_key(*pair)
            });
            common.map(|(pair, _)| pair.clone()).collect()
        };
        let real = common(&self.real, &self.simulated).into_iter();
        let real = real.map(|pair| format!("{pair} only real"));
        let simulated = common(&self.simulated, &self.real).into_iter();
        let simulated = simulated.map(|pair| format!("{pair} only simulated"));
        match self.real.pairs.is_empty() || self.simulated.pairs.is_empty() {
            true => Vec::new(),
            false => real.chain(simulated).collect(),
        }
    }
}

/// Two shares of the same, if their intervals do not overlap.
fn apart(what: &str, real: Share, simulated: Share) -> Option<String> {
    let is_apart = real.high < simulated.low || simulated.high < real.low;
    let (real, simulated) = (100.0 * real.rate(), 100.0 * simulated.rate());
    is_apart.then(|| format!("{what}: {real:.1} % real, {simulated:.1} % simulated"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(calls: u64, connected: u64, ms: u64) -> Sample {
        let mut sample = Sample::default();
        for n in 0..calls {
            let well = n < connected;
            sample.add(well, well.then_some(ms), Some("srflx srflx"));
        }
        sample
    }

    fn row(real: Sample, simulated: Sample) -> Row {
        Row {
            case: "a/b".to_owned(),
            about: String::new(),
            real,
            simulated,
            captures: Vec::new(),
        }
    }

    #[test]
    fn the_prototypes_figures_agree() {
        let naive = row(sample(200, 52, 1_194), sample(1_000, 248, 1_142));
        assert_eq!(naive.disagreements(), Vec::<String>::new());
        let wired = row(sample(400, 139, 1_643), sample(1_000, 376, 1_642));
        assert_eq!(wired.disagreements(), Vec::<String>::new());
    }

    #[test]
    fn what_one_leaves_and_the_other_does_not_disagrees() {
        let left = |rounds: u64| {
            let mut sample = sample(20, 0, 0);
            (0..rounds).for_each(|_| sample.leaves([&"allocations".to_owned()]));
            sample
        };
        assert_eq!(row(left(10), left(8)).disagreements(), Vec::<String>::new());
        let found = row(left(18), left(2)).disagreements();
        assert_eq!(found, ["allocations: 90.0 % real, 10.0 % simulated"]);
    }

    #[test]
    fn a_row_of_before_there_were_stories_is_read() {
        let old = r#"{"calls": 3, "connect_ms": [1, 2], "pairs": {}}"#;
        let old: Sample = serde_json::from_str(old).expect("it is one");
        assert_eq!((old.share().hits, old.share().of), (2, 3));
    }

    #[test]
    fn rates_and_medians_that_are_apart_disagree() {
        let accept = row(sample(100, 0, 0), sample(1_000, 1_000, 1_700));
        assert_eq!(accept.disagreements().len(), 1);
        let slow = row(sample(200, 200, 1_200), sample(1_000, 1_000, 1_100));
        assert_eq!(slow.disagreements(), ["medians: 1200 ms real, 1100 ms simulated"]);
        // Of calls that take between one second and three, the median of a hundred lies where it likes between 1.8 and 2.2.
        let wide = |from: u64, calls: u64| Sample {
            connect_ms: (0..calls).map(|call| from + 2_000 * call / calls).collect(),
            ..sample(calls, calls, 0)
        };
        let lossy = row(wide(1_150, 100), wide(1_000, 1_000));
        assert_eq!(lossy.disagreements(), Vec::<String>::new());
        let slow = row(wide(1_250, 100), wide(1_000, 1_000));
        assert_eq!(slow.disagreements().len(), 1);
        // However wide the real ones are: what the simulation knows of them must be so.
        let narrow = row(wide(1_150, 100), sample(1_000, 1_000, 2_000));
        assert_eq!(narrow.disagreements().len(), 1);
        let long = row(sample(20, 20, 9_300), sample(100, 100, 8_940));
        assert_eq!(long.disagreements(), Vec::<String>::new(), "5 % of nine seconds");
    }
}

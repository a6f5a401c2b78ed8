//! What a suite expects of a scenario's oracles, beyond that every one of them holds. Plain data; who judges by it is
//! [`crate::run`].

use crate::{
    fault::Plan,
    oracle::{Evidence, Oracle},
};

/// An oracle that is expected to break, and in which runs.
///
/// ```
/// use sleet::{oracle::calls::CONN_01_CONNECTS, scenario::Expectation};
///
/// let breaks = Expectation::broken(&CONN_01_CONNECTS, 100);
/// assert_eq!(breaks.oracle.id, "CONN-01");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Expectation {
    /// The oracle.
    pub oracle: &'static Oracle,
    pub(super) runs: Runs,
    pub(super) among_others: bool,
}

/// The runs in which an oracle is expected to break.
#[derive(Clone, Copy, Debug)]
pub(super) enum Runs {
    /// Some run of a suite with at least that many seeds.
    SomeOf(u64),
    /// Those with the plans for which this names a defect.
    With(fn(&Plan) -> Option<KnownDefect>),
}

impl Expectation {
    /// Expects that `oracle` breaks, and no other before it, on some of at least `min_seeds` seeds: a broken client, or a defect
    /// that has a scenario of its own.
    pub const fn broken(oracle: &'static Oracle, min_seeds: u64) -> Self {
        Self {
            oracle,
            runs: Runs::SomeOf(min_seeds),
            among_others: false,
        }
    }

    /// Accepts that other oracles break too: the client does more than one thing wrong by its mistake, or exceeds a bound of the run
    /// by it.
    pub const fn among_others(self) -> Self {
        Self {
            among_others: true,
            ..self
        }
    }

    /// Expects that `oracle` breaks in the runs whose plan `shows` a known defect of a dependency, in a promise that holds
    /// everywhere else. Every other oracle is judged in these runs too.
    pub const fn known_defect(oracle: &'static Oracle, shows: fn(&Plan) -> Option<KnownDefect>) -> Self {
        Self {
            oracle,
            runs: Runs::With(shows),
            among_others: false,
        }
    }
}

/// A defect of a dependency that shows in a corner of a promise: how often, and exactly what of it.
#[derive(Clone, Copy)]
pub struct KnownDefect {
    /// Whether every run with the plan shows it; otherwise the draws of the run decide.
    pub always: bool,
    /// Whether what a run left behind is no more than the defect explains.
    pub explains: fn(Evidence<'_>) -> bool,
    /// Oracles that break or cannot be judged because of it, and only then.
    pub with: &'static [&'static Oracle],
}

impl KnownDefect {
    /// Whether the defect explains why `oracle` broke, or could not be judged, when the expectation is about `expected`.
    pub(crate) fn excuses(&self, expected: &Oracle, oracle: &str) -> bool {
        expected.id == oracle || self.with.iter().any(|with| with.id == oracle)
    }
}

//! Exploration of every order of the free steps, instead of a sample: which orders there are, and how to go through
//! them.
//!
//! Pure: nothing here runs anything. A run that keeps an [`Order`] holds every free step back until its turn comes
//! ([`crate::world`]); a [`Chooser`] says whose turn it is; a [`Walk`] learns from one run which order is next. This is
//! stateless model checking (P. Godefroid, *Partial-Order Methods for the Verification of Concurrent Systems*, LNCS
//! 1032, 1996): no state is saved, every order is a run from the beginning.
//!
//! # Equivalent orders
//!
//! A step acts on one host: a message is delivered to it, its user acts, its client goes on after an await. It may
//! cause later steps on any host, but it changes only its own host. So two steps of different hosts that are both
//! enabled are **independent**: neither disables the other, and both orders lead to the same state with the same steps
//! enabled. Two steps of one host are dependent. Orders that differ only in the order of neighbours that are
//! independent are equivalent (they are one Mazurkiewicz trace), and of each class one is run to its end: sleep sets
//! (Godefroid, chapter 5) put a step to sleep where every order that takes it first has been gone through, and wake it
//! when a dependent step is taken. A run that has only sleeping steps left is redundant and is cut off.
//!
//! Independence is not only assumed. If it holds, what is enabled depends on nothing but what each host has seen; that
//! is learned from the runs, and a run that contradicts it is an error ([`Entangled`]). The effects of steps are
//! learned as well, which shows most redundant runs without running them ([`Foresight`]).
//!
//! A limit of this method: hosts also exchange packets that are no steps (connectivity checks), and those reach a host
//! earlier or later in one order of a class than in another. Only one of those times is run.

mod chooser;
mod enabled;
mod foresight;
mod part;
#[cfg(test)]
mod tests;
mod walk;

use std::{fmt, str::FromStr};

pub use chooser::{Chooser, Pick};
pub use enabled::{Decision, EnabledSteps, Entangled};
pub use foresight::Foresight;
pub use part::Part;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;
pub use walk::{Point, Walk};

/// The kind of a step that is an act of a user. It is always free.
pub const USER: &str = "user";

/// The order in which the free steps of a run are taken.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The steps that wait for their turn. Acts of users that are free do too.
    pub free: Vec<Free>,
    /// The time in milliseconds for which no step may have come before one is taken: longer than a step takes to cause
    /// all its effects.
    pub quiet_ms: u64,
    /// The choice at each point with more than one step: the index among the steps that are awake, in the order of
    /// their hosts and names. After the end of the list, the first choice that is dealt to `part`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub choices: Vec<usize>,
    /// The part of the orders that is explored.
    #[serde(skip_serializing_if = "Part::is_whole", default)]
    pub part: Part,
    /// The treatment of orders that are equivalent to another.
    #[serde(skip_serializing_if = "Repeats::are_cut_off", default)]
    pub repeats: Repeats,
}

/// The treatment of orders that are equivalent to one that is explored anyway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repeats {
    /// A run ends as soon as it is known to repeat others.
    #[default]
    CutOff,
    /// Such a run goes on to its end, so that the repetition can be checked.
    RunOn,
    /// Every order is run: slower by far.
    Count,
}

impl Repeats {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    fn are_cut_off(&self) -> bool {
        *self == Self::CutOff
    }
}

/// A kind of step that waits for its turn.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Free {
    /// The host that the step acts on, `*` for every host.
    pub host: String,
    /// The type of a message that is delivered to the host, or a step of its client; or the first words of one step's
    /// name, such as `dial of c2`.
    pub step: String,
}

/// A step that waits for its turn. Steps are ordered by host and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// The host that the step acts on.
    pub host: String,
    /// The name, unique among the steps of the host.
    pub name: String,
}

impl Step {
    /// Reports whether the order of the two steps, next to each other, makes no difference.
    pub fn is_independent_of(&self, other: &Self) -> bool {
        self.host != other.host
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.host, self.name)
    }
}

/// The error for a text that is not a step.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{0}' is no step: there is no host before a colon")]
pub struct NoStep(String);

impl FromStr for Step {
    type Err = NoStep;

    /// Parses a step in its display form.
    fn from_str(s: &str) -> Result<Self, NoStep> {
        let (host, name) = s.split_once(": ").ok_or_else(|| NoStep(s.to_owned()))?;
        Ok(Self {
            host: host.to_owned(),
            name: name.to_owned(),
        })
    }
}

impl Order {
    /// Reports whether the step `name`, of `kind` and on `host`, waits for its turn.
    pub fn is_free(&self, host: &str, kind: &str, name: &str) -> bool {
        let begins = |free: &Free| {
            let rest = name.strip_prefix(&free.step);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        let fits =
            |free: &Free| (free.step == kind || begins(free)) && (free.host == "*" || free.host == host);
        kind == USER || self.free.iter().any(fits)
    }

    /// Checks an order that was read from a file.
    ///
    /// # Errors
    /// Returns the path of the offending field and a sentence.
    pub fn check(&self, known: impl Fn(&str) -> bool) -> Result<(), String> {
        for (i, free) in self.free.iter().enumerate() {
            if free.host != "*" && !known(&free.host) {
                return Err(format!("order.free[{i}].host: there is no host '{}'", free.host));
            }
        }
        if self.quiet_ms == 0 {
            return Err("order.quiet_ms: must be at least 1".into());
        }
        self.part.check().map_err(|e| format!("order.part.{e}"))
    }
}

//! The claims of an app about itself while it runs: paths taken, and invariants broken.

use std::fmt;

use crate::{trace::EventKind, world::Sim};

/// Sets the mark `mark` if `condition` holds: a suite that requires the mark and never reaches it is vacuous. Outside a
/// run it does nothing.
///
/// ```
/// let queue = ["early candidate"];
/// sleet::sometimes!(!queue.is_empty(), "candidate-before-description");
/// ```
#[macro_export]
macro_rules! sometimes {
    ($condition:expr, $mark:expr $(,)?) => {
        if $condition {
            $crate::app::reached($mark);
        }
    };
}

/// Requires `condition` to hold: if it does not, oracle `APP-01` fails the run at this time, and the app goes on.
/// Arguments after the name give details, as in `format!`. Outside a run it does nothing.
///
/// ```
/// let (calls, limit) = (1, 1);
/// sleet::always!(calls <= limit, "one-call-at-a-time");
/// sleet::always!(calls <= limit, "one-call-at-a-time", "there are {calls}");
/// ```
#[macro_export]
macro_rules! always {
    ($condition:expr, $invariant:expr $(,)?) => {
        $crate::always!($condition, $invariant, "")
    };
    ($condition:expr, $invariant:expr, $($detail:tt)+) => {
        if !$condition {
            $crate::app::violated($invariant, format_args!($($detail)+));
        }
    };
}

/// Sets a mark, for [`sometimes!`](crate::sometimes!).
#[doc(hidden)]
pub fn reached(mark: &str) {
    if let Some(sim) = Sim::current() {
        sim.mark(mark);
    }
}

/// Records a violation, for [`always!`](crate::always!).
#[doc(hidden)]
pub fn violated(invariant: &str, detail: fmt::Arguments<'_>) {
    if let Some(sim) = Sim::current() {
        sim.record(EventKind::Violated {
            invariant: invariant.to_owned(),
            detail: detail.to_string(),
        });
    }
}

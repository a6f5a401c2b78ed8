//! What an app says of itself while it runs: paths that it took, and invariants that it broke.

use std::fmt;

use crate::{trace::EventKind, world::Sim};

/// Marks that an interesting path is taken where `condition` holds: a suite that requires the mark and never reaches it is
/// vacuous. Outside a run it does nothing.
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

/// Demands that `condition` holds: where it does not, oracle `APP-01` fails the run at this moment, and the app goes on.
/// What follows the name says more about it, as in `format!`. Outside a run it does nothing.
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

/// What [`sometimes!`](crate::sometimes!) does.
#[doc(hidden)]
pub fn reached(mark: &str) {
    if let Some(sim) = Sim::current() {
        sim.mark(mark);
    }
}

/// What [`always!`](crate::always!) does.
#[doc(hidden)]
pub fn violated(invariant: &str, detail: fmt::Arguments<'_>) {
    if let Some(sim) = Sim::current() {
        sim.record(EventKind::Violated {
            invariant: invariant.to_owned(),
            detail: detail.to_string(),
        });
    }
}

//! Fault points: places inside an app under test where it asks for a ruling on a message. The faults in force on them.
//!
//! A custom server loses and duplicates messages in ways that no network does. It asks at a point that it names, and
//! the verdict depends on the name and on the number of messages there so far. Nothing here knows a plan, or what is
//! still to come.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use crate::{signaling::conditions::MessageFate, trace::FaultId};

/// The verdicts in force, and the number of messages at each point so far. A world has one of these.
#[derive(Default)]
pub struct Points {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    come: BTreeMap<String, u64>,
    laid: Vec<Laid>,
}

/// A verdict and the message that it applies to.
struct Laid {
    fault: FaultId,
    point: String,
    nth: u64,
    verdict: MessageFate,
}

impl Points {
    /// Applies `verdict` to one message on behalf of `fault`: the `nth`, from 0, of those that come to `point` in the
    /// whole run.
    pub(super) fn lay(&self, fault: FaultId, point: &str, nth: u64, verdict: MessageFate) {
        self.state().laid.push(Laid {
            fault,
            point: point.to_owned(),
            nth,
            verdict,
        });
    }

    /// Removes the verdicts of `fault`.
    pub(super) fn lift(&self, fault: FaultId) {
        self.state().laid.retain(|laid| laid.fault != fault);
    }

    /// Counts a message at `point`; returns the verdict on it.
    pub(crate) fn meets(&self, point: &str) -> Option<(FaultId, MessageFate)> {
        let mut state = self.state();
        let count = state.come.entry(point.to_owned()).or_default();
        let nth = *count;
        *count += 1;
        let falls_on = |laid: &&Laid| laid.point == point && laid.nth == nth;
        let laid = state.laid.iter().find(falls_on)?;
        Some((laid.fault, laid.verdict))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while it is held")
    }
}

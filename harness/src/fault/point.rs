//! Fault points: places inside an app under test where it asks what becomes of a message. The executed state of faults.
//!
//! A server of one's own loses and doubles messages in ways that no network does. It asks at a point that it names, and
//! the verdict depends on the name and on how many have come there. Nothing here knows a plan, or what is still to come.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use crate::{signaling::conditions::MessageFate, trace::FaultId};

/// The verdicts that are in force, and how many messages have come to each point. There is one of these in a world.
#[derive(Default)]
pub struct Points {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    come: BTreeMap<String, u64>,
    laid: Vec<Laid>,
}

/// A verdict and the message that it falls on.
struct Laid {
    fault: FaultId,
    point: String,
    nth: u64,
    verdict: MessageFate,
}

impl Points {
    /// `fault` lays `verdict` on the message that is `nth`, from 0, of those that come to `point` in the whole run.
    pub(super) fn lay(&self, fault: FaultId, point: &str, nth: u64, verdict: MessageFate) {
        self.state().laid.push(Laid {
            fault,
            point: point.to_owned(),
            nth,
            verdict,
        });
    }

    /// Takes away what `fault` laid.
    pub(super) fn lift(&self, fault: FaultId) {
        self.state().laid.retain(|laid| laid.fault != fault);
    }

    /// A message has come to `point`: the verdict on it.
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

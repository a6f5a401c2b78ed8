//! What the kinds have in common that stop a whole host, or the app on it.

use super::{FaultKind, apart};
use crate::fault::{Fault, Stops};

impl FaultKind {
    /// Reports whether the app on the fault's host stands still, and goes on afterwards.
    pub fn pauses_app(&self) -> bool {
        self.behaviour().stops() == Some(Stops::App)
    }

    /// Reports whether the fault's host does nothing, in this life or for good.
    pub fn stops_host(&self) -> bool {
        self.behaviour().stops().is_some()
    }
}

/// Returns an error if another fault stops the host of `fault` at the same time.
pub(super) fn check(fault: &Fault, before: &[Fault]) -> Result<(), String> {
    let others = before
        .iter()
        .filter(|other| other.target == fault.target && other.kind.stops_host());
    apart::check(fault, others)
}

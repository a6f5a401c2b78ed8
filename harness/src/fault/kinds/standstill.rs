//! A check for the kinds that stop a whole host.

use super::{FaultKind, apart};
use crate::fault::Fault;

/// Returns an error if another fault stops the host of `fault` at the same time.
pub(super) fn check(fault: &Fault, before: &[Fault]) -> Result<(), String> {
    let stops = |kind: &FaultKind| matches!(kind, FaultKind::HostCrash(_) | FaultKind::HostPause(_));
    let others = before
        .iter()
        .filter(|other| other.target == fault.target && stops(&other.kind));
    apart::check(fault, others)
}

//! What the kinds have in common that stop a whole host.

use super::{FaultKind, apart};
use crate::fault::Fault;

/// Says what is wrong with `fault` if another stops its host meanwhile.
pub(super) fn check(fault: &Fault, before: &[Fault]) -> Result<(), String> {
    let stops = |kind: &FaultKind| matches!(kind, FaultKind::HostCrash(_) | FaultKind::HostPause(_));
    let others = before
        .iter()
        .filter(|other| other.target == fault.target && stops(&other.kind));
    apart::check(fault, others)
}

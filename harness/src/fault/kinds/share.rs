//! What the kinds that happen to a share of all packets have in common.

use crate::seed::Ppm;

/// A share in percent.
pub(super) fn describe(share: Ppm) -> String {
    let ppm = share.get();
    format!("{}.{:02} %", ppm / 10_000, ppm % 10_000 / 100)
}

/// Says what is wrong with the share of the kind at `path`.
pub(super) fn check(path: &str, share: Ppm) -> Result<(), String> {
    match share {
        Ppm::ZERO => Err(format!("{path}.share: 0 is no fault: 1 at least")),
        _ => Ok(()),
    }
}

//! Helpers for the kinds that affect a share of all packets.

use crate::seed::Ppm;

/// Formats a share in percent.
pub(super) fn describe(share: Ppm) -> String {
    let ppm = share.get();
    format!("{}.{:02} %", ppm / 10_000, ppm % 10_000 / 100)
}

/// Checks the share of the kind at `path`.
pub(super) fn check(path: &str, share: Ppm) -> Result<(), String> {
    match share {
        Ppm::ZERO => Err(format!("{path}.share: 0 is no fault: 1 at least")),
        _ => Ok(()),
    }
}

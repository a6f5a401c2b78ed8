//! A platform on which nothing is caught: the crate builds, and every run is refused by the live check.

/// What the error messages add.
pub(super) const ADVICE: &str = ": this platform is not supported, run on Linux on x86-64";

/// Nothing to ask.
pub(super) fn ask_getrandom() {}

/// Nothing to ask.
pub(super) fn ask_syscall() {}

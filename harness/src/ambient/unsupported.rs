//! A platform without interception: the crate builds, and the live check refuses every run.

/// The suffix of error messages.
pub(super) const ADVICE: &str = ": this platform is not supported, run on Linux on x86-64";

/// Does nothing: there is nothing to check.
pub(super) fn ask_getrandom() {}

/// Does nothing: there is nothing to check.
pub(super) fn ask_syscall() {}

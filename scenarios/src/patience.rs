//! Budgets that are derived from timers: those of the app, and those of the stack below it.
//!
//! A budget is the longest chain of waits that may follow each other once the network is well. Nothing measured goes into it: how long
//! a call usually takes is bounded by `within`.

use std::time::Duration;

use sleet::peer::IceTimeouts;

/// The time that the stack takes to report that a path is gone, in milliseconds: *disconnected*, and then *failed*.
const GONE_MS: u64 = IceTimeouts::OF_THE_STACK.disconnected_ms + IceTimeouts::OF_THE_STACK.failed_ms;

/// Returns a budget in milliseconds: a path is reported as gone `gone` times, one report after the other, and then `attempts`
/// attempts follow, each of which an app gives up after `patience`; the last need not be.
pub(crate) const fn budget_ms(gone: u64, attempts: u64, patience: Duration) -> u64 {
    gone * GONE_MS + attempts * patience.as_millis() as u64
}

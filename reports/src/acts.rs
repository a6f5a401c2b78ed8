//! What users do and what becomes of their calls, in words.
//!
//! The only place of the reports that matches on these events. It must never know what a call needs to hold: that
//! is for the oracles.

use sleet::trace::{CallEvent, EventKind};

/// What a user does, if `kind` is that.
pub fn intent(kind: &EventKind) -> Option<String> {
    Some(match kind {
        EventKind::Dialed { call, to } => format!("user dials {to}, {call}"),
        EventKind::HungUp { call } => format!("user hangs up, {call}"),
        EventKind::Retried { call } => format!("user tries {call} again"),
        _ => return None,
    })
}

/// What a call comes to at one end, if `kind` is that: it rings, it rings no more, it is over.
pub fn turning_point(kind: &EventKind) -> Option<String> {
    match kind {
        EventKind::Call {
            call,
            what: what @ (CallEvent::Rings { .. } | CallEvent::Silent | CallEvent::Over { .. }),
        } => Some(format!("{call} {what}")),
        EventKind::PushDelivered { call, from } => Some(format!("push: {from} dials, {call}")),
        _ => None,
    }
}

//! What users do and what becomes of their calls, in words.
//!
//! The only place of the reports that matches on these events. It must never know what a call needs to hold: that
//! is for the oracles.

use sleet::trace::{EventKind, Intent};

/// What a user does, if `kind` is that.
pub fn intent(kind: &EventKind) -> Option<String> {
    Some(match kind {
        EventKind::Intended { intent, .. } => match intent {
            Intent::Dial { call, to } => format!("user dials {to}, {call}"),
            Intent::Accept { call } => format!("user picks up, {call}"),
            Intent::Reject { call } => format!("user refuses {call}"),
            Intent::HangUp { call } => format!("user hangs up, {call}"),
            Intent::Retry { call } => format!("user tries {call} again"),
            Intent::DialGroup { group, to } => format!("user dials {}, {group}", to.join(" and ")),
            Intent::DialUser { call, to, devices } => {
                format!("user dials {to} on {}, {call}", devices.join(" and "))
            }
            Intent::HangUpGroup { group } => format!("user hangs up, {group}"),
            other => format!("user {}", other.name()),
        },
        _ => return None,
    })
}

/// What an app shows of a call, if `kind` is that: it rings, it rings no more, it can be talked over, it is over.
pub fn turning_point(kind: &EventKind) -> Option<String> {
    match kind {
        EventKind::Call { call, what } => Some(format!("{call} {what}")),
        EventKind::PushDelivered { call, from } => Some(format!("push: {from} dials, {call}")),
        _ => None,
    }
}

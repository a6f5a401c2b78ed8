//! Users' acts and the events of their calls, in words.
//!
//! This is the only place of the reports that matches on these events. It must never know what a call needs to hold:
//! that is for the oracles.

use sleet::trace::{EventKind, Intent};

/// Describes the act of a user, if `kind` is one.
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

/// Describes a call event, if `kind` is one: the phone rings or stops ringing, the call is connected or over.
pub fn turning_point(kind: &EventKind) -> Option<String> {
    match kind {
        EventKind::Call { call, what } => Some(format!("{call} {what}")),
        EventKind::PushDelivered { call, from } => Some(format!("push: {from} dials, {call}")),
        _ => None,
    }
}

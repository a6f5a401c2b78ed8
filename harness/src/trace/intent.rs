//! The intents of users: the acts that the driver of a run performs for them, as it records them.
//!
//! Plain data. The driver records an intent when the user has it, before it tells the app under test: whether the app
//! did what was asked is for the oracles.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An act that a user asks of the app.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Intent {
    /// Calls another user. A user who dials the caller that rings here accepts that call instead.
    Dial {
        /// The name of the call.
        call: String,
        /// The client to call.
        to: String,
    },
    /// Accepts a ringing call.
    Accept {
        /// The call.
        call: String,
    },
    /// Rejects a ringing call.
    Reject {
        /// The call.
        call: String,
    },
    /// Ends a call, whatever its state.
    HangUp {
        /// The call.
        call: String,
    },
    /// Gives up on the attempt under way and tries again within the same call: a new ICE generation.
    Retry {
        /// The call.
        call: String,
    },
    /// Calls several clients at once.
    DialGroup {
        /// The name of the group.
        group: String,
        /// The clients to call: the call to each is named by [`leg_of`].
        to: Vec<String>,
    },
    /// Calls a user with several devices. All of them ring, and the call is on the one that accepts.
    DialUser {
        /// The name of the call.
        call: String,
        /// The user to call.
        to: String,
        /// The devices of the user: the leg of the call to each is named by [`leg_of`].
        devices: Vec<String>,
    },
    /// Ends all calls of a group.
    HangUpGroup {
        /// The group.
        group: String,
    },
    /// An act that only the app under test defines.
    App {
        /// The name of the act.
        name: String,
        /// Its parameters.
        #[serde(skip_serializing_if = "serde_json::Value::is_null", default)]
        with: serde_json::Value,
    },
}

/// Returns the name of the call of `group` to `client`, or of the leg of a call to one device of its callee.
pub fn leg_of(group: &str, client: &str) -> String {
    format!("{group}.{client}")
}

impl Intent {
    /// Returns the call that the intent is about, if it is about one.
    pub fn call(&self) -> Option<&str> {
        match self {
            Self::Dial { call, .. }
            | Self::Accept { call }
            | Self::Reject { call }
            | Self::HangUp { call }
            | Self::Retry { call } => Some(call),
            Self::DialGroup { .. } | Self::DialUser { .. } | Self::HangUpGroup { .. } | Self::App { .. } => {
                None
            }
        }
    }

    /// Returns the act of the user, such as `hangs up`.
    pub fn name(&self) -> &str {
        match self {
            Self::Dial { .. } => "dials",
            Self::Accept { .. } => "picks up",
            Self::Reject { .. } => "rejects",
            Self::HangUp { .. } => "hangs up",
            Self::Retry { .. } => "tries again",
            Self::DialGroup { .. } => "dials a group",
            Self::DialUser { .. } => "dials a user",
            Self::HangUpGroup { .. } => "hangs a group up",
            Self::App { name, .. } => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::EventKind;

    #[test]
    fn an_intent_is_read_as_it_is_written() {
        let dial = Intent::Dial {
            call: "c1".into(),
            to: "bob".into(),
        };
        let event = EventKind::Intended { id: 3, intent: dial };
        let json = serde_json::to_string(&event).expect("plain data");
        assert_eq!(
            json,
            r#"{"event":"intended","id":3,"act":"dial","call":"c1","to":"bob"}"#
        );
        assert_eq!(
            serde_json::from_str::<EventKind>(&json).expect("own output"),
            event
        );
    }
}

//! What users intend: the acts that the driver of a run lets them do, as it records them.
//!
//! Plain vocabulary. The driver writes an intent down when the user has it, before the app under test hears of it:
//! whether the app did what was asked is for the oracles.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that a user wants of the app.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Intent {
    /// Calls somebody. Whoever dials the one who rings here picks up instead.
    Dial {
        /// What the call is named.
        call: String,
        /// The client to call.
        to: String,
    },
    /// Picks up a call that rings.
    Accept {
        /// The call.
        call: String,
    },
    /// Refuses a call that rings.
    Reject {
        /// The call.
        call: String,
    },
    /// Ends a call, whatever it is at.
    HangUp {
        /// The call.
        call: String,
    },
    /// Gives up on the attempt under way and tries again within the same call: a new ICE generation.
    Retry {
        /// The call.
        call: String,
    },
    /// Calls several people at once.
    DialGroup {
        /// What the group is named.
        group: String,
        /// Whom: the call to each is named by [`leg_of`].
        to: Vec<String>,
    },
    /// Calls somebody who has several devices. All of them ring, and who picks up on one has the call there.
    DialUser {
        /// What the call is named.
        call: String,
        /// Whom.
        to: String,
        /// The devices: the leg of the call to each is named by [`leg_of`].
        devices: Vec<String>,
    },
    /// Ends all calls of a group.
    HangUpGroup {
        /// The group.
        group: String,
    },
    /// Something that only the app under test knows.
    App {
        /// What the app calls it.
        name: String,
        /// Its particulars.
        #[serde(skip_serializing_if = "serde_json::Value::is_null", default)]
        with: serde_json::Value,
    },
}

/// What the call of `group` to `client` is named, and what the leg of a call to one device of its callee is.
pub fn leg_of(group: &str, client: &str) -> String {
    format!("{group}.{client}")
}

impl Intent {
    /// The call that it is about, if it is about one.
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

    /// What the user does, such as `hangs up`.
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

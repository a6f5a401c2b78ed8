//! The script of a plan: the acts of users, and when they come. Plain data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::trace::Point;

/// An act of a user, with its time.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scripted {
    /// The host of the user.
    pub host: String,
    /// The time.
    pub when: When,
    /// The act.
    pub act: Act,
}

/// The time of a user's act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum When {
    /// At a fixed time.
    At {
        /// Milliseconds since the beginning of the run.
        ms: u64,
    },
    /// Some time after the phone began to ring.
    Rung {
        /// Milliseconds since then.
        ms: u64,
    },
    /// When the order of the plan says so.
    Free {
        /// The earliest time, in milliseconds since the beginning of the run.
        from_ms: u64,
    },
    /// Some time after the call of the act reached a point on the user's host, for the first time.
    Reached {
        /// The point.
        point: Point,
        /// Milliseconds since then: 0 is the next time at which anything else can run.
        after_ms: u64,
    },
    /// Some time after the call of the act was over on the user's host.
    Over {
        /// Milliseconds since then.
        after_ms: u64,
    },
}

/// An act of a user.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Act {
    /// Dials a client or a user.
    Dial {
        /// The client to call, or a user with several devices.
        to: String,
        /// The name of the call.
        call: String,
    },
    /// Gives up on the attempt and tries again within the same call: a new ICE generation.
    Retry {
        /// The call.
        call: String,
    },
    /// Hangs up.
    Hangup {
        /// The call.
        call: String,
    },
    /// Accepts any ringing call.
    Answer,
    /// Rejects a ringing call.
    Reject {
        /// The call.
        call: String,
    },
    /// Dials the other party of an earlier call.
    Redial {
        /// The earlier call.
        call: String,
        /// The name of the new call.
        again: String,
    },
    /// Dials several clients at once: a group.
    DialGroup {
        /// The name of the group.
        group: String,
        /// The clients to call: the call to each is named `group.client`.
        to: Vec<String>,
    },
    /// Hangs up all calls of a group.
    HangupGroup {
        /// The group.
        group: String,
    },
    /// Performs an act that only the app under test defines.
    App {
        /// The name of the act.
        name: String,
        /// Its parameters.
        #[serde(skip_serializing_if = "serde_json::Value::is_null", default)]
        with: serde_json::Value,
    },
}

impl Act {
    /// Returns the call that the act is about, if it is about one.
    pub fn call(&self) -> Option<&str> {
        match self {
            Self::Dial { call, .. }
            | Self::Retry { call }
            | Self::Hangup { call }
            | Self::Reject { call }
            | Self::Redial { call, .. } => Some(call),
            Self::Answer | Self::DialGroup { .. } | Self::HangupGroup { .. } | Self::App { .. } => None,
        }
    }

    /// Describes the act in words.
    pub fn name(&self) -> &str {
        match self {
            Self::Dial { .. } => "dials",
            Self::Retry { .. } => "tries again",
            Self::Hangup { .. } => "hangs up",
            Self::Answer => "answers",
            Self::Reject { .. } => "rejects",
            Self::Redial { .. } => "redials",
            Self::DialGroup { .. } => "dials a group",
            Self::HangupGroup { .. } => "hangs a group up",
            Self::App { name, .. } => name,
        }
    }
}

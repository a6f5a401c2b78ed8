//! The points in a call's life, and the call events that an app shows its user.
//!
//! Plain data: which outcomes of the two ends agree is for the oracles.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A point in a call's life at one end, as the driver derives it from what adapters record: an operation begins, or a
/// message or a callback of the stack arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Point {
    /// The caller has dialed: the other end is told, and a peer is about to be created.
    Dialing,
    /// The caller has a peer, but no offer yet.
    CreateOffer,
    /// The offer is created, but not sent.
    OfferCreated,
    /// The offer is passed to signaling.
    OfferSent,
    /// The callee's phone rings; the caller knows that it does.
    Ringing,
    /// The callee has accepted, but has no answer yet.
    CreateAnswer,
    /// The answer is passed to signaling: it is in flight.
    AnswerSent,
    /// An end has both descriptions: it checks.
    Checking,
    /// A message has gone both ways.
    Connected,
    /// An attempt has failed, and another is about to begin.
    Recovering,
    /// The stack's candidate callback is handled.
    OnCandidate,
    /// The stack's *failed* is handled.
    OnFailed,
    /// The other end's offer is handled.
    OnOffer,
    /// The other end's answer is handled.
    OnAnswer,
    /// A candidate of the other end is handled.
    OnRemoteCandidate,
    /// The notice that the other end has our description is handled.
    OnJoined,
}

impl Point {
    /// All points, in the order in which a call reaches them, callbacks last.
    pub const ALL: [Self; 16] = [
        Self::Dialing,
        Self::CreateOffer,
        Self::OfferCreated,
        Self::OfferSent,
        Self::Ringing,
        Self::CreateAnswer,
        Self::AnswerSent,
        Self::Checking,
        Self::Connected,
        Self::Recovering,
        Self::OnCandidate,
        Self::OnFailed,
        Self::OnOffer,
        Self::OnAnswer,
        Self::OnRemoteCandidate,
        Self::OnJoined,
    ];

    /// Returns the name, such as `offer-created`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dialing => "dialing",
            Self::CreateOffer => "create-offer",
            Self::OfferCreated => "offer-created",
            Self::OfferSent => "offer-sent",
            Self::Ringing => "ringing",
            Self::CreateAnswer => "create-answer",
            Self::AnswerSent => "answer-sent",
            Self::Checking => "checking",
            Self::Connected => "connected",
            Self::Recovering => "recovering",
            Self::OnCandidate => "on-candidate",
            Self::OnFailed => "on-failed",
            Self::OnOffer => "on-offer",
            Self::OnAnswer => "on-answer",
            Self::OnRemoteCandidate => "on-remote-candidate",
            Self::OnJoined => "on-joined",
        }
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The outcome of a call, as one end sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CallOutcome {
    /// The call was connected until one side hung up.
    Talked,
    /// The call was answered, and one side hung up before it was connected.
    Dropped,
    /// The caller hung up before the call was answered: at the callee, a missed call.
    Cancelled,
    /// The callee rejected the call.
    Rejected,
    /// The callee was in another call.
    Busy,
    /// Both users dialed each other, and the other of the two calls took its place.
    Glare,
    /// Another device of the callee accepted or rejected the call.
    Elsewhere,
    /// There was no path, or nobody at the other end, for longer than the app tolerates.
    Failed,
}

impl CallOutcome {
    /// All outcomes.
    pub const ALL: [Self; 8] = [
        Self::Talked,
        Self::Dropped,
        Self::Cancelled,
        Self::Rejected,
        Self::Busy,
        Self::Glare,
        Self::Elsewhere,
        Self::Failed,
    ];
}

impl fmt::Display for CallOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Talked => "talked",
            Self::Dropped => "dropped",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
            Self::Busy => "busy",
            Self::Glare => "glare",
            Self::Elsewhere => "elsewhere",
            Self::Failed => "failed",
        })
    }
}

/// A call event that an app shows its user. Acts of users are [`Intent`](super::Intent)s.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CallEvent {
    /// The phone begins to ring.
    Rings {
        /// The caller.
        from: String,
    },
    /// The phone stops ringing, because the user accepted or because the call is over.
    Silent,
    /// The two ends can hear each other.
    Connected,
    /// The call is over at this end.
    Over {
        /// The outcome of the call.
        outcome: CallOutcome,
    },
}

impl fmt::Display for CallEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rings { from } => write!(f, "rings for {from}"),
            Self::Silent => f.write_str("rings no more"),
            Self::Connected => f.write_str("connected"),
            Self::Over { outcome } => write!(f, "over: {outcome}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_trace() {
        for point in Point::ALL {
            let json = serde_json::to_string(&point).expect("plain data");
            assert_eq!(json, format!("\"{}\"", point.name()));
        }
        for outcome in CallOutcome::ALL {
            let json = serde_json::to_string(&outcome).expect("plain data");
            assert_eq!(json, format!("\"{outcome}\""));
        }
    }

    #[test]
    fn an_event_of_a_call_is_read_as_it_is_written() {
        let event = super::super::EventKind::Call {
            call: "c1".into(),
            what: CallEvent::Over {
                outcome: CallOutcome::Busy,
            },
        };
        let json = serde_json::to_string(&event).expect("plain data");
        assert_eq!(
            json,
            r#"{"event":"call","call":"c1","what":"over","outcome":"busy"}"#
        );
        let read: super::super::EventKind = serde_json::from_str(&json).expect("own output");
        assert_eq!(read, event);
    }
}

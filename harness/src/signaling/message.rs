//! The messages of the signaling protocol, version 1: JSON objects, one per WebSocket text message.
//!
//! ```text
//! caller                server                callee
//!   │ dial ────────────────▶│ ring ───────────────▶│   (a callee that is not connected
//!   │ offer ───────────────▶│ offer ──────────────▶│    gets a push with the offer instead)
//!   │◀────────────── joined │◀────────────── joined│   it has applied the offer
//!   │ candidate… ──────────▶│ candidate… ─────────▶│
//!   │ end-of-candidates ───▶│ end-of-candidates ──▶│
//!   │◀────────────── answer │◀────────────── answer│
//!   │ joined ──────────────▶│ joined ─────────────▶│   it has applied the answer
//!   │◀──────────candidate… │◀──────────candidate… │
//!   │ hangup ──────────────▶│ hangup ─────────────▶│
//! ```
//!
//! A service that acknowledges says so in `registered`. From then on a client numbers its messages in `seq`, and sends
//! each again, on the same connection or on a new one, until the receiving client has answered with an `ack` of that
//! number. So every message is delivered at least once, across lost messages, cut connections and a server that lost
//! its memory; the receiver handles a (call, sender, seq) once and acknowledges every copy. The server passes
//! acknowledgements on at once and keeps nothing. It answers in the place of a client that is not connected: with a
//! plain `ack` for messages that a push notification carries, otherwise with one that says `absent`. That ends a
//! message for a client that was not heard of yet, as there is nobody to deliver it to; a client that was heard of is
//! only gone for a moment.
//!
//! An app whose phone rings may send `ringing`; `busy`, `reject` and `glare` end a call that was not answered, and a
//! callee whose attempt has failed asks for another with `try-again`. A caller whose call rings on several devices
//! sends `elsewhere` to all but the one that has it. `error` is the server's answer to a message that it cannot handle.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The version of the protocol.
pub const VERSION: u32 = 1;

/// A message with its addresses.
///
/// ```
/// use sleet::signaling::message::{Envelope, Message};
///
/// let json = r#"{"v":1,"to":"bob","type":"dial","call":"c1"}"#;
/// let envelope = Envelope::parse(json)?;
/// assert_eq!(envelope.message, Message::Dial { call: "c1".into() });
/// assert_eq!(envelope.to_json(), json);
/// # Ok::<(), sleet::signaling::message::MessageError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    v: u32,
    /// The sender; the server fills it in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<String>,
    /// The receiver; none for the server itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to: Option<String>,
    /// The number among the messages of the sender, where messages are acknowledged.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seq: Option<u64>,
    /// The content.
    #[serde(flatten)]
    pub message: Message,
}

/// The content of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Message {
    /// The first message to the server: identifies the client.
    Register {
        /// The name of the client.
        client: String,
        /// The number of the connection of the client, from 0. A registration on a connection that the client has given
        /// up can arrive after it has registered on the next, and must not replace that.
        #[serde(skip_serializing_if = "is_zero", default)]
        connection: u64,
    },
    /// From the server: the client is registered, and messages for it arrive from now on.
    Registered {
        /// Whether messages are acknowledged.
        #[serde(skip_serializing_if = "std::ops::Not::not", default)]
        acks: bool,
        /// Whether the app gets every copy of a message.
        #[serde(skip_serializing_if = "std::ops::Not::not", default)]
        copies: bool,
    },
    /// An acknowledgement.
    Ack {
        /// The number of the acknowledged message.
        of: u64,
        /// Whether the message was not delivered, because the receiver is not connected.
        #[serde(skip_serializing_if = "std::ops::Not::not", default)]
        absent: bool,
    },
    /// The sender calls the receiver.
    Dial {
        /// The call, named by the caller.
        call: String,
    },
    /// The receiver is called; made by the server from `dial`.
    Ring {
        /// The call.
        call: String,
    },
    /// The sender is in the call and has applied a description: candidates of its generation can come.
    Joined {
        /// The call.
        call: String,
        /// The generation whose description was applied.
        ufrag: String,
    },
    /// An offer.
    Offer {
        /// The call.
        call: String,
        /// The number of the attempt within the call, from 1: an offer of an earlier attempt than the last one comes
        /// too late.
        attempt: u32,
        /// The ICE generation of the offer.
        ufrag: String,
        /// The description (RFC 8866).
        sdp: String,
        /// The generation of the sender that the offer replaces on the same peer: an ICE restart (RFC 8839, section
        /// 4.4.1.1).
        #[serde(skip_serializing_if = "Option::is_none", default)]
        restarts: Option<String>,
    },
    /// An answer.
    Answer {
        /// The call.
        call: String,
        /// The generation of the offer that it answers.
        offer: String,
        /// The ICE generation of the answer.
        ufrag: String,
        /// The description (RFC 8866).
        sdp: String,
    },
    /// A candidate (RFC 8838).
    Candidate {
        /// The call.
        call: String,
        /// The generation that the candidate belongs to.
        ufrag: String,
        /// The candidate attribute without `candidate:` (RFC 8839, section 5.1).
        candidate: String,
    },
    /// The end of the candidates of a generation (RFC 8838, section 13).
    EndOfCandidates {
        /// The call.
        call: String,
        /// The generation.
        ufrag: String,
    },
    /// The call is over, or was never wanted.
    Hangup {
        /// The call.
        call: String,
    },
    /// The sender is in another call.
    Busy {
        /// The call that is rejected.
        call: String,
    },
    /// The callee's phone rings.
    Ringing {
        /// The call.
        call: String,
    },
    /// The user rejects the call.
    Reject {
        /// The call.
        call: String,
    },
    /// Both clients dialed each other, and the other of the two calls goes on.
    Glare {
        /// The call that ends.
        call: String,
        /// The call that goes on.
        instead: String,
    },
    /// From the caller: another device of the user has accepted the call, or has rejected it for all.
    Elsewhere {
        /// The call.
        call: String,
    },
    /// From the callee: an attempt has failed here, or takes long; the caller shall begin another.
    TryAgain {
        /// The call.
        call: String,
        /// The number of the attempt.
        attempt: u32,
        /// Whether the attempt only takes long: once it is up at the caller, it is or will be at the callee, and the request is stale.
        slow: bool,
    },
    /// The server cannot handle a message.
    Error {
        /// The call of the message.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        call: Option<String>,
        /// The error code: `absent` when the other client is not connected.
        code: String,
    },
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// The error for a text that is not a message.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MessageError {
    /// The text is not JSON of this schema.
    #[error("not a signaling message: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The text has another version of the protocol.
    #[error("version {0} of the signaling protocol; this is version {VERSION}")]
    Version(u32),
}

impl Envelope {
    /// Creates a message for the client `to`.
    pub fn to(to: &str, message: Message) -> Self {
        Self {
            v: VERSION,
            from: None,
            to: Some(to.to_owned()),
            seq: None,
            message,
        }
    }

    /// Creates a message between a client and the server itself.
    pub fn direct(message: Message) -> Self {
        Self {
            v: VERSION,
            from: None,
            to: None,
            seq: None,
            message,
        }
    }

    /// Parses a message.
    ///
    /// # Errors
    /// [`MessageError`]
    pub fn parse(json: &str) -> Result<Self, MessageError> {
        #[derive(Deserialize)]
        struct Version {
            v: u32,
        }
        let Version { v } = serde_json::from_str(json)?;
        if v != VERSION {
            return Err(MessageError::Version(v));
        }
        Ok(serde_json::from_str(json)?)
    }

    /// Serialises the message.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("messages are plain data")
    }
}

impl Message {
    /// Returns the type of the message, as the protocol writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Register { .. } => "register",
            Self::Registered { .. } => "registered",
            Self::Ack { .. } => "ack",
            Self::Dial { .. } => "dial",
            Self::Ring { .. } => "ring",
            Self::Joined { .. } => "joined",
            Self::Offer { .. } => "offer",
            Self::Answer { .. } => "answer",
            Self::Candidate { .. } => "candidate",
            Self::EndOfCandidates { .. } => "end-of-candidates",
            Self::Hangup { .. } => "hangup",
            Self::Busy { .. } => "busy",
            Self::Ringing { .. } => "ringing",
            Self::Reject { .. } => "reject",
            Self::Glare { .. } => "glare",
            Self::Elsewhere { .. } => "elsewhere",
            Self::TryAgain { .. } => "try-again",
            Self::Error { .. } => "error",
        }
    }

    /// Returns the call that the message belongs to.
    pub fn call(&self) -> Option<&str> {
        match self {
            Self::Register { .. } | Self::Registered { .. } | Self::Ack { .. } => None,
            Self::Error { call, .. } => call.as_deref(),
            Self::Dial { call }
            | Self::Ring { call }
            | Self::Joined { call, .. }
            | Self::Offer { call, .. }
            | Self::Answer { call, .. }
            | Self::Candidate { call, .. }
            | Self::EndOfCandidates { call, .. }
            | Self::Hangup { call }
            | Self::Busy { call }
            | Self::Ringing { call }
            | Self::Reject { call }
            | Self::Glare { call, .. }
            | Self::Elsewhere { call }
            | Self::TryAgain { call, .. } => Some(call),
        }
    }

    /// Returns the ICE generation that the message belongs to.
    pub fn ufrag(&self) -> Option<&str> {
        match self {
            Self::Joined { ufrag, .. }
            | Self::Offer { ufrag, .. }
            | Self::Answer { ufrag, .. }
            | Self::Candidate { ufrag, .. }
            | Self::EndOfCandidates { ufrag, .. } => Some(ufrag),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;

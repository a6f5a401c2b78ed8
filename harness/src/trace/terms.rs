//! The data types that events are made of: addresses, candidates, state machines.
//!
//! Plain data; nothing here knows of an event.

use std::{fmt, net::SocketAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::address;

/// The number of a packet in a run, from 1 in the order in which packets were sent.
pub type PacketId = u64;

/// The transport of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Proto {
    Udp,
    Tcp,
}

/// The transport, source and destination of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Flow {
    pub proto: Proto,
    #[serde(serialize_with = "address::serialize")]
    pub src: SocketAddr,
    #[serde(serialize_with = "address::serialize")]
    pub dst: SocketAddr,
}

impl Flow {
    /// Returns the same flow, seen from the other end.
    pub fn reversed(self) -> Self {
        Self {
            proto: self.proto,
            src: self.dst,
            dst: self.src,
        }
    }
}

/// A candidate, as signaling carries it.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Candidate {
    /// The candidate attribute without its `candidate:` prefix (RFC 8839, section 5.1).
    pub attribute: String,
    /// The username fragment of the candidate's generation (RFC 8838, section 11).
    pub ufrag: String,
}

impl fmt::Display for Candidate {
    /// Writes `host 10.0.0.1:50000`: the type, address and port that tell candidates apart.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = self.attribute.split(' ').skip(4);
        match (words.next(), words.next(), words.nth(1)) {
            (Some(ip), Some(port), Some(kind)) => write!(f, "{kind} {ip}:{port}"),
            _ => f.write_str(&self.attribute),
        }
    }
}

/// A state machine that a peer reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Machine {
    /// `iceConnectionState`; of a bare agent, its connection state.
    Ice,
    /// `iceGatheringState`.
    Gathering,
    /// `connectionState`.
    Connection,
    /// `signalingState`.
    Signaling,
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Machine::Ice => "ice",
            Machine::Gathering => "gathering",
            Machine::Connection => "connection",
            Machine::Signaling => "signaling",
        })
    }
}

/// The direction of a signaling message, as seen from the host that recorded it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum SignalDirection {
    Sent,
    Received,
}

/// The bound that stopped a run before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// The simulated time is used up.
    Horizon,
    /// The work is used up: too many packets or too many polls of tasks.
    Work,
}

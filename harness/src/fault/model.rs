//! A fault: its target, its kind and its lifetime. Plain data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kinds::{FaultKind, KindId};
use crate::{net::conditions::Directions, time::SimTime, trace::FaultId};

/// The target of a fault.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Target {
    /// A link, or one direction of it.
    Link {
        /// The link: `alice`, or `alice/wlan0` on a host with several interfaces.
        name: String,
        /// The directions.
        directions: Directions,
    },
    /// A host.
    Host(String),
    /// A NAT.
    Nat(String),
    /// The STUN or TURN server on a host.
    IceServer(String),
    /// A fault point of the app under test, on any host.
    Point(String),
    /// The signaling service.
    Signaling,
}

impl Target {
    /// Creates a target of both directions of the link called `name`.
    pub fn link(name: &str) -> Self {
        Self::ends(name, Directions::Both)
    }

    /// Creates a target of `directions` of the link called `name`.
    pub fn ends(name: &str, directions: Directions) -> Self {
        Self::Link {
            name: name.to_owned(),
            directions,
        }
    }

    /// Creates a target of the host called `name`.
    pub fn host(name: &str) -> Self {
        Self::Host(name.to_owned())
    }

    /// Creates a target of the NAT called `name`.
    pub fn nat(name: &str) -> Self {
        Self::Nat(name.to_owned())
    }

    /// Creates a target of the fault point called `name`.
    pub fn point(name: &str) -> Self {
        Self::Point(name.to_owned())
    }

    /// Creates a target of the STUN or TURN server on the host called `name`.
    pub fn ice_server(name: &str) -> Self {
        Self::IceServer(name.to_owned())
    }

    /// Returns the name of the link, host, NAT or point.
    pub fn name(&self) -> &str {
        match self {
            Self::Link { name, .. }
            | Self::Host(name)
            | Self::Nat(name)
            | Self::IceServer(name)
            | Self::Point(name) => name,
            Self::Signaling => "signaling",
        }
    }

    /// Reports whether the target is the host called `host`, or is on it.
    pub fn is_of_host(&self, host: &str) -> bool {
        match self {
            Self::Link { name, .. } => name.split('/').next() == Some(host),
            Self::Host(name) | Self::IceServer(name) => name == host,
            Self::Nat(_) | Self::Point(_) | Self::Signaling => false,
        }
    }

    /// Reports whether the target is the same as `other`, whatever the directions.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Link { name, .. }, Self::Link { name: of, .. }) => name == of,
            _ => self == other,
        }
    }
}

/// A fault with its target and its lifetime.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The number, at least 1 and unique in its plan; the trace uses it.
    pub id: FaultId,
    /// The target.
    pub target: Target,
    /// The kind, with its parameters.
    pub kind: FaultKind,
    /// The start, in milliseconds since the beginning of the run.
    pub from_ms: u64,
    /// The end, in milliseconds since the beginning of the run. The kind says what a fault without it does
    /// ([`Span`](super::Span)).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until_ms: Option<u64>,
}

impl Fault {
    /// Creates a fault with the number 1: [`Plan::inject`](super::Plan::inject) assigns numbers in a plan.
    pub fn new(target: Target, kind: impl Into<FaultKind>, from_ms: u64, until_ms: Option<u64>) -> Self {
        Self {
            id: FaultId(1),
            target,
            kind: kind.into(),
            from_ms,
            until_ms,
        }
    }

    /// Returns the kind.
    pub fn kind_id(&self) -> KindId {
        self.kind.id()
    }

    /// Returns the start.
    pub fn from(&self) -> SimTime {
        SimTime::from_millis(self.from_ms)
    }

    /// Returns the end, if there is one.
    pub fn until(&self) -> Option<SimTime> {
        self.until_ms.map(SimTime::from_millis)
    }

    /// Returns the end of a description: the lifetime, unless it is the whole chaos phase.
    pub(super) fn lasting(&self) -> String {
        match (self.from_ms, self.until_ms) {
            (0, None) => String::new(),
            (from, None) => format!(", from {from} ms on"),
            (from, Some(until)) => format!(", {from} to {until} ms"),
        }
    }

    /// Describes the link and its directions: `alice`, `alice up`.
    pub(super) fn way(&self) -> String {
        match &self.target {
            Target::Link { name, directions } => match directions {
                Directions::Both => name.clone(),
                Directions::Up => format!("{name} up"),
                Directions::Down => format!("{name} down"),
            },
            other => other.name().to_owned(),
        }
    }
}

//! A fault: what befalls what, from when until when. Plain data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    KindSpec,
    kinds::{FaultKind, KindId},
};
use crate::{net::conditions::Directions, time::SimTime, trace::FaultId};

/// What a fault befalls.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Target {
    /// A link, or one direction of it.
    Link {
        /// `alice`, or `alice/wlan0` where a host has several interfaces.
        name: String,
        /// In which directions.
        directions: Directions,
    },
    /// A host.
    Host(String),
    /// A NAT.
    Nat(String),
    /// The STUN or TURN server on a host.
    IceServer(String),
    /// A fault point of the app under test, on whatever host.
    Point(String),
    /// The signaling service.
    Signaling,
}

impl Target {
    /// Both directions of the link called `name`.
    pub fn link(name: &str) -> Self {
        Self::ends(name, Directions::Both)
    }

    /// `directions` of the link called `name`.
    pub fn ends(name: &str, directions: Directions) -> Self {
        Self::Link {
            name: name.to_owned(),
            directions,
        }
    }

    /// The host called `name`.
    pub fn host(name: &str) -> Self {
        Self::Host(name.to_owned())
    }

    /// The NAT called `name`.
    pub fn nat(name: &str) -> Self {
        Self::Nat(name.to_owned())
    }

    /// The fault point called `name`.
    pub fn point(name: &str) -> Self {
        Self::Point(name.to_owned())
    }

    /// The STUN or TURN server on the host called `name`.
    pub fn ice_server(name: &str) -> Self {
        Self::IceServer(name.to_owned())
    }

    /// Its name: of a link, a host, a NAT or a point.
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

    /// Whether it is, or is on, the host called `host`.
    pub fn is_of_host(&self, host: &str) -> bool {
        match self {
            Self::Link { name, .. } => name.split('/').next() == Some(host),
            Self::Host(name) | Self::IceServer(name) => name == host,
            Self::Nat(_) | Self::Point(_) | Self::Signaling => false,
        }
    }

    /// Whether it is the same thing as `other`, whatever the directions.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Link { name, .. }, Self::Link { name: of, .. }) => name == of,
            _ => self == other,
        }
    }
}

/// A fault with what it befalls and its lifetime.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Its number, 1 at least and unique in its plan: what the trace calls it by.
    pub id: FaultId,
    /// What it befalls.
    pub target: Target,
    /// What happens.
    pub kind: FaultKind,
    /// When it begins, in milliseconds since the beginning of the run.
    pub from_ms: u64,
    /// When it ends, in milliseconds since the beginning of the run. What a fault without it does, its kind says
    /// ([`Span`](super::Span)).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until_ms: Option<u64>,
}

impl Fault {
    /// The first fault of a plan: [`Plan::inject`](super::Plan::inject) numbers those that follow.
    pub fn new(target: Target, kind: impl Into<FaultKind>, from_ms: u64, until_ms: Option<u64>) -> Self {
        Self {
            id: FaultId(1),
            target,
            kind: kind.into(),
            from_ms,
            until_ms,
        }
    }

    /// Its kind.
    pub fn kind_id(&self) -> KindId {
        self.kind.id()
    }

    /// Everything that there is to say about its kind.
    pub fn spec(&self) -> &'static KindSpec {
        self.kind.id().spec()
    }

    /// When it begins.
    pub fn from(&self) -> SimTime {
        SimTime::from_millis(self.from_ms)
    }

    /// When it ends, if it says so.
    pub fn until(&self) -> Option<SimTime> {
        self.until_ms.map(SimTime::from_millis)
    }

    /// What it is, in words that do not depend on what else is in the plan.
    pub fn describe(&self) -> String {
        self.kind.behaviour().describe(self)
    }

    /// The end of a description: from when until when, where that is not the whole chaos phase.
    pub(super) fn lasting(&self) -> String {
        match (self.from_ms, self.until_ms) {
            (0, None) => String::new(),
            (from, None) => format!(", from {from} ms on"),
            (from, Some(until)) => format!(", {from} to {until} ms"),
        }
    }

    /// The directions of its link in words: `alice`, `alice up`.
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

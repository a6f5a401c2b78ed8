//! What decided the fate of a packet, as data: which link, which box, which fault of the plan.
//!
//! Nothing here is text for a reader: whoever shows a cause makes the words from it and from the plan.

use std::{fmt, net::IpAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A fault of a plan, by the number that the plan gives it: it stays the same when others are taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultId(pub u32);

impl fmt::Display for FaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The direction of an access link, seen from its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// To the network.
    Up,
    /// To the host.
    Down,
}

/// What a link does to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Loses it, by itself.
    Loss,
    /// Loses it in a burst.
    Burst,
    /// Lets it overtake or fall behind.
    Reorder,
    /// Carries it twice.
    Duplicate,
    /// Flips a bit of it.
    Corrupt,
    /// Cuts its end off.
    Truncate,
    /// Has no room for it: too much waits already.
    QueueFull,
    /// Refuses it: it is larger than the MTU.
    TooLarge,
    /// Loses it so often that TCP gives its connection up.
    GivenUp,
}

/// Why a NAT drops a packet.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// No live mapping has the external address and port that it was sent to.
    #[error("no mapping")]
    NoMapping,
    /// There is a mapping, which does not let this source in (RFC 4787, section 5).
    #[error("filtered")]
    Filtered,
    /// It was sent from inside to the external address, and the NAT does not support that.
    #[error("no hairpinning")]
    NoHairpin,
    /// The NAT drops all UDP.
    #[error("UDP blocked")]
    UdpBlocked,
    /// Every external port that the new mapping could have is taken.
    #[error("external ports exhausted")]
    Exhausted,
}

/// What decided the fate of a packet. Where a fault of the plan is behind it, the cause names that fault.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Cause {
    /// A link, as its profile has it or as a fault made it.
    Link {
        /// The link: `alice`, or `alice/wlan0` where a host has several interfaces.
        link: String,
        /// Which direction of it.
        direction: Direction,
        /// What it did.
        effect: Effect,
        /// The fault that made it do so.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        fault: Option<FaultId>,
    },
    /// A fault that lies over the way of the packet.
    Fault {
        /// Which.
        fault: FaultId,
    },
    /// A firewall had not seen the flow from inside.
    Firewall {
        /// Its host.
        host: String,
    },
    /// A NAT.
    Nat {
        /// Its name.
        nat: String,
        /// Why.
        refusal: Refusal,
        /// The fault that took the mapping away.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        fault: Option<FaultId>,
    },
    /// Nobody has the destination address.
    Unroutable {
        /// It.
        address: IpAddr,
        /// The fault that took the address away.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        fault: Option<FaultId>,
    },
    /// The host has crashed.
    HostDown {
        /// Its name.
        host: String,
        /// The fault that crashed it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        fault: Option<FaultId>,
    },
}

impl Cause {
    /// The fault of the plan that is behind it, if one is.
    pub fn fault(&self) -> Option<FaultId> {
        match self {
            Self::Fault { fault } => Some(*fault),
            Self::Link { fault, .. }
            | Self::Nat { fault, .. }
            | Self::Unroutable { fault, .. }
            | Self::HostDown { fault, .. } => *fault,
            Self::Firewall { .. } => None,
        }
    }

    /// What a link did, if it was one.
    pub fn effect(&self) -> Option<Effect> {
        match self {
            Self::Link { effect, .. } => Some(*effect),
            _ => None,
        }
    }
}

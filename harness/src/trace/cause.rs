//! The cause of a packet's fate, as data: which link, which box, which fault of the plan.
//!
//! Nothing here is text for a reader: the code that shows a cause makes the words from it and from the plan.

use std::{fmt, net::IpAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The number of a fault in its plan; it stays the same when other faults are removed.
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
    /// From the host to the network.
    Up,
    /// From the network to the host.
    Down,
}

/// The effect of a link on a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Independent loss.
    Loss,
    /// Loss in a burst.
    Burst,
    /// Reordering: the packet overtakes others or falls behind.
    Reorder,
    /// Duplication.
    Duplicate,
    /// A flipped bit.
    Corrupt,
    /// A truncated payload.
    Truncate,
    /// A drop at the full queue.
    QueueFull,
    /// A drop because the packet is larger than the MTU.
    TooLarge,
    /// So many losses in a row that TCP gives its connection up.
    GivenUp,
}

/// The reason why a NAT drops a packet.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// No live mapping has the external destination address and port.
    #[error("no mapping")]
    NoMapping,
    /// The mapping's filter does not let this source in (RFC 4787, section 5).
    #[error("filtered")]
    Filtered,
    /// The packet was sent from inside to the external address, and the NAT does not support hairpinning.
    #[error("no hairpinning")]
    NoHairpin,
    /// The NAT drops all UDP.
    #[error("UDP blocked")]
    UdpBlocked,
    /// Every external port that the new mapping could have is taken.
    #[error("external ports exhausted")]
    Exhausted,
}

/// The cause of a packet's fate. It names the fault of the plan behind it, if there is one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Cause {
    /// A link, with its own profile or as a fault changed it.
    Link {
        /// The link: `alice`, or `alice/wlan0` on a host with several interfaces.
        link: String,
        /// The direction of the link.
        direction: Direction,
        /// The effect on the packet.
        effect: Effect,
        /// The fault behind the effect.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        fault: Option<FaultId>,
    },
    /// A fault that is in force on the packet's way.
    Fault {
        /// The fault.
        fault: FaultId,
    },
    /// A firewall that has not seen the flow from inside.
    Firewall {
        /// The host of the firewall.
        host: String,
    },
    /// A NAT.
    Nat {
        /// The name of the NAT.
        nat: String,
        /// The reason.
        refusal: Refusal,
        /// The fault that removed the mapping.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        fault: Option<FaultId>,
    },
    /// No interface has the destination address.
    Unroutable {
        /// The destination address.
        address: IpAddr,
        /// The fault that removed the address.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        fault: Option<FaultId>,
    },
    /// The host has crashed.
    HostDown {
        /// The name of the host.
        host: String,
        /// The fault that crashed the host.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        fault: Option<FaultId>,
    },
}

impl Cause {
    /// Returns the fault of the plan behind the cause, if any.
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

    /// Returns the effect of a link, if the cause is a link.
    pub fn effect(&self) -> Option<Effect> {
        match self {
            Self::Link { effect, .. } => Some(*effect),
            _ => None,
        }
    }
}

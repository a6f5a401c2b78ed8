//! Fault conditions that are in force on an access link.
//!
//! The code that applies a condition also removes it. Nothing here knows a plan, or what is still to come.

use std::{fmt, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::link::LinkProfile;
use crate::{
    time::SimTime,
    trace::{Direction, FaultId},
};

/// The directions of a link that a fault applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Directions {
    /// Both directions.
    Both,
    /// Only from the host to the network.
    Up,
    /// Only from the network to the host.
    Down,
}

impl Directions {
    /// Reports whether `direction` is included.
    pub fn covers(self, direction: Direction) -> bool {
        match self {
            Self::Both => true,
            Self::Up => direction == Direction::Up,
            Self::Down => direction == Direction::Down,
        }
    }
}

/// A function that changes the profile of one direction of a link.
pub type Reshape = Arc<dyn Fn(Direction, &mut LinkProfile) + Send + Sync>;

/// The effect of a fault on a single packet. A TCP segment that would be lost or damaged is retransmitted instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PacketVerdict {
    /// The packet is lost.
    Drop,
    /// The packet arrives twice.
    Duplicate,
    /// The packet arrives late.
    Delay {
        /// The extra delay, in milliseconds.
        ms: u64,
    },
    /// The packet arrives truncated.
    Truncate {
        /// The number of payload bytes kept; a shorter payload stays unchanged.
        bytes: u32,
    },
    /// The packet arrives with one bit flipped.
    Flip {
        /// The index of the payload bit, counted from the first byte's lowest bit; a shorter payload stays unchanged.
        bit: u64,
    },
}

/// A fault condition on one direction of a link.
#[derive(Clone)]
pub enum Condition {
    /// All datagrams are lost; TCP stalls, or gives up.
    Blocked {
        /// The time at which the condition ends.
        until: SimTime,
    },
    /// Packets are kept, and released when the condition ends.
    Held {
        /// The time at which the condition ends.
        until: SimTime,
    },
    /// The link has a changed profile. Several changes apply in order, so the last one decides.
    Reshaped(Reshape),
    /// A single packet is singled out.
    Packet {
        /// The packet's number among those that enter this direction of the link in the whole run, from 0.
        ordinal: u64,
        /// The effect on the packet.
        verdict: PacketVerdict,
    },
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocked { until } => write!(f, "blocked until {until}"),
            Self::Held { until } => write!(f, "held until {until}"),
            Self::Reshaped(_) => f.write_str("reshaped"),
            Self::Packet { ordinal, verdict } => write!(f, "{verdict:?} of packet {ordinal}"),
        }
    }
}

/// All fault conditions on one direction of a link.
#[derive(Clone, Debug, Default)]
pub(super) struct Conditions {
    laid: Vec<(FaultId, Condition)>,
    // The fault that keeps the interface dark, and the time at which it ends.
    dark: Option<(FaultId, SimTime)>,
}

impl Conditions {
    pub fn lay(&mut self, fault: FaultId, condition: Condition) {
        self.laid.push((fault, condition));
    }

    /// Removes the conditions of `fault`; returns whether there were any.
    pub fn lift(&mut self, fault: FaultId) -> bool {
        let before = self.laid.len();
        self.laid.retain(|(laid_by, _)| *laid_by != fault);
        self.laid.len() != before
    }

    pub fn set_dark(&mut self, dark: Option<(FaultId, SimTime)>) {
        self.dark = dark;
    }

    /// Returns the fault that blocks the link, and until when; of several, the one that lasts longest.
    pub fn blocked(&self) -> Option<(FaultId, SimTime)> {
        let blocked = self.laid.iter().filter_map(|(fault, c)| match c {
            Condition::Blocked { until } => Some((*fault, *until)),
            _ => None,
        });
        blocked.chain(self.dark).max_by_key(|(_, until)| *until)
    }

    /// Returns the fault that holds packets back, and until when; of several, the one that lasts longest.
    pub fn held(&self) -> Option<(FaultId, SimTime)> {
        let held = self.laid.iter().filter_map(|(fault, c)| match c {
            Condition::Held { until } => Some((*fault, *until)),
            _ => None,
        });
        held.max_by_key(|(_, until)| *until)
    }

    /// Returns the verdict for the packet number `ordinal`; the first fault that applies decides.
    pub fn verdict(&self, ordinal: u64) -> Option<(FaultId, PacketVerdict)> {
        self.laid.iter().find_map(|(fault, c)| match c {
            Condition::Packet { ordinal: n, verdict } if *n == ordinal => Some((*fault, *verdict)),
            _ => None,
        })
    }

    /// Applies all changes to the profile `base`; returns the result, and which fault caused which effect.
    pub fn reshape(&self, direction: Direction, base: &LinkProfile) -> (LinkProfile, Blame) {
        let (mut profile, mut blame) = (base.clone(), Blame::default());
        for (fault, condition) in &self.laid {
            if let Condition::Reshaped(reshape) = condition {
                let before = profile.clone();
                reshape(direction, &mut profile);
                blame.note(*fault, &before, &profile);
            }
        }
        (profile, blame)
    }
}

/// The fault behind each effect of a link, where there is one.
#[derive(Clone, Debug, Default)]
pub(super) struct Blame {
    pub loss: Option<FaultId>,
    pub burst: Option<FaultId>,
    pub reorder: Option<FaultId>,
    pub duplicate: Option<FaultId>,
    pub corrupt: Option<FaultId>,
    pub truncate: Option<FaultId>,
    pub queue: Option<FaultId>,
    pub mtu: Option<FaultId>,
}

impl Blame {
    /// Attributes the differences between `before` and `after` to `fault`.
    fn note(&mut self, fault: FaultId, before: &LinkProfile, after: &LinkProfile) {
        let changes = [
            (&mut self.loss, before.loss != after.loss),
            (&mut self.burst, before.bursts != after.bursts),
            (&mut self.reorder, before.reorder != after.reorder),
            (&mut self.duplicate, before.duplicate != after.duplicate),
            (&mut self.corrupt, before.corrupt != after.corrupt),
            (&mut self.truncate, before.truncate != after.truncate),
            (
                &mut self.queue,
                (before.bandwidth_kbps, before.queue) != (after.bandwidth_kbps, after.queue),
            ),
            (&mut self.mtu, before.mtu != after.mtu),
        ];
        for (blamed, _) in changes.into_iter().filter(|(_, changed)| *changed) {
            *blamed = Some(fault);
        }
    }
}

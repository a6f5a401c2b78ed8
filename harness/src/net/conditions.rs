//! What lies over an access link now: the executed state of faults.
//!
//! Whoever lays a condition lifts it again. Nothing here knows a plan, or what is still to come.

use std::{fmt, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::link::LinkProfile;
use crate::{
    time::SimTime,
    trace::{Direction, FaultId},
};

/// Which directions of a link something lies over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Directions {
    /// Both.
    Both,
    /// Only to the network.
    Up,
    /// Only to the host.
    Down,
}

impl Directions {
    /// Whether `direction` is among them.
    pub fn covers(self, direction: Direction) -> bool {
        match self {
            Self::Both => true,
            Self::Up => direction == Direction::Up,
            Self::Down => direction == Direction::Down,
        }
    }
}

/// How a condition changes the profile of one direction of a link.
pub type Reshape = Arc<dyn Fn(Direction, &mut LinkProfile) + Send + Sync>;

/// What becomes of a single packet. A TCP segment that would be lost or damaged is sent again instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PacketVerdict {
    /// It is lost.
    Drop,
    /// It arrives twice.
    Duplicate,
    /// It arrives later than its turn.
    Delay {
        /// By how many milliseconds.
        ms: u64,
    },
    /// It arrives without its end.
    Truncate {
        /// Bytes of payload that are left; as it was, if it has no more.
        bytes: u32,
    },
    /// It arrives with a bit flipped.
    Flip {
        /// Which bit of the payload, counted from the first byte's lowest; as it was, if it has no such bit.
        bit: u64,
    },
}

/// Something that lies over one direction of a link.
#[derive(Clone)]
pub enum Condition {
    /// Datagrams are lost; TCP stalls, or gives up.
    Blocked {
        /// When it will be lifted.
        until: SimTime,
    },
    /// What is sent is kept and released when it is lifted.
    Held {
        /// When that is.
        until: SimTime,
    },
    /// The link treats packets in another way. Of several, the one that was laid last decides.
    Reshaped(Reshape),
    /// Something becomes of a single packet.
    Packet {
        /// Which of those that enter this direction of the link in the whole run, counted from 0.
        ordinal: u64,
        /// What.
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

/// Everything that lies over one direction of a link.
#[derive(Clone, Debug, Default)]
pub(super) struct Conditions {
    laid: Vec<(FaultId, Condition)>,
    // The fault that keeps the interface dark, and until when.
    dark: Option<(FaultId, SimTime)>,
}

impl Conditions {
    pub fn lay(&mut self, fault: FaultId, condition: Condition) {
        self.laid.push((fault, condition));
    }

    /// Takes away what `fault` laid; says whether there was anything.
    pub fn lift(&mut self, fault: FaultId) -> bool {
        let before = self.laid.len();
        self.laid.retain(|(laid_by, _)| *laid_by != fault);
        self.laid.len() != before
    }

    pub fn set_dark(&mut self, dark: Option<(FaultId, SimTime)>) {
        self.dark = dark;
    }

    /// What keeps everything from passing, and until when: of several, what lasts longest.
    pub fn blocked(&self) -> Option<(FaultId, SimTime)> {
        let blocked = self.laid.iter().filter_map(|(fault, c)| match c {
            Condition::Blocked { until } => Some((*fault, *until)),
            _ => None,
        });
        blocked.chain(self.dark).max_by_key(|(_, until)| *until)
    }

    /// What keeps what is sent, and until when: of several, what lasts longest.
    pub fn held(&self) -> Option<(FaultId, SimTime)> {
        let held = self.laid.iter().filter_map(|(fault, c)| match c {
            Condition::Held { until } => Some((*fault, *until)),
            _ => None,
        });
        held.max_by_key(|(_, until)| *until)
    }

    /// What becomes of the packet `ordinal`; of several verdicts, the first.
    pub fn verdict(&self, ordinal: u64) -> Option<(FaultId, PacketVerdict)> {
        self.laid.iter().find_map(|(fault, c)| match c {
            Condition::Packet { ordinal: n, verdict } if *n == ordinal => Some((*fault, *verdict)),
            _ => None,
        })
    }

    /// The profile `base` as it is now, and which fault made it do what.
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

/// The fault that made a link do each thing that it does, if one did.
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
    /// `fault` turned `before` into `after`.
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

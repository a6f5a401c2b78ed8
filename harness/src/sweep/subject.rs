//! What can be singled out of a run, what can be done to it, and the fault that does it. Plain data.

use serde::{Deserialize, Serialize};

use super::{
    naming::Class,
    terms::{Packet, ordinal},
};
use crate::{
    fault::{
        Directions, Fault, PacketVerdict, Target,
        kinds::{Packet as PacketFault, SignalDelay, SignalDrop, SignalDuplicate},
    },
    trace::Direction,
};

/// A packet or a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A datagram where it enters a link.
    Packet(Packet),
    /// A message of a client, where it reaches the signaling server.
    Message {
        /// The client.
        client: String,
        /// How many of its messages had reached the server before.
        message: u64,
        /// Its type.
        name: String,
        /// Which of that type, from 1.
        nth: u64,
    },
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Treatment {
    /// It is lost.
    Lost,
    /// It comes twice.
    Doubled,
    /// It comes when nobody waits for it any more: so many milliseconds late.
    Late(u64),
    /// The second half of its bytes is missing: so many are left.
    Cut(u32),
    /// The bit is flipped, the lowest of the byte in the middle.
    Flipped(u64),
}

impl Treatment {
    /// What is done, in a word: a column of a table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Doubled => "doubled",
            Self::Late(_) => "late",
            Self::Cut(_) => "cut",
            Self::Flipped(_) => "flipped",
        }
    }

    /// The words that there are.
    pub const WORDS: [&'static str; 5] = ["lost", "doubled", "late", "cut", "flipped"];

    /// The same with its particulars.
    pub fn describe(self) -> String {
        match self {
            Self::Lost => "lost".to_owned(),
            Self::Doubled => "doubled".to_owned(),
            Self::Late(ms) => format!("{ms} ms late"),
            Self::Cut(bytes) => format!("cut to {bytes} bytes"),
            Self::Flipped(bit) => format!("bit {bit} flipped"),
        }
    }
}

/// Something is done to a packet or a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// To which.
    pub subject: Subject,
    /// What.
    pub treatment: Treatment,
}

/// How late a message of the signaling service has to be for its client to have sent it again, in milliseconds: it waits 2 s
/// for an acknowledgement, where there are any.
const MESSAGE_TOO_LATE_MS: u64 = 2_500;

impl Subject {
    /// Everything that can be done to it. What TCP carries arrives whole. Behind a NAT it is only lost: whatever else happens to a
    /// packet has the NAT open a mapping all the same, so that it does not matter where it happens.
    pub fn treatments(&self) -> Vec<Treatment> {
        match self {
            Self::Packet(packet) if packet.beyond_nat => vec![Treatment::Lost],
            Self::Packet(packet) => {
                let middle = packet.len / 2;
                let mut all = vec![
                    Treatment::Lost,
                    Treatment::Doubled,
                    Treatment::Late(packet.class.too_late_ms()),
                ];
                if middle > 0 {
                    all.push(Treatment::Cut(middle));
                    all.push(Treatment::Flipped(u64::from(middle) * 8));
                }
                all
            }
            Self::Message { .. } => vec![
                Treatment::Lost,
                Treatment::Doubled,
                Treatment::Late(MESSAGE_TOO_LATE_MS),
            ],
        }
    }

    /// Its kind: a row of a table.
    pub fn kind(&self) -> String {
        match self {
            Self::Packet(packet) => packet.kind.clone(),
            Self::Message { name, .. } => format!("{name}, signaling"),
        }
    }

    /// What waits for it, of a packet.
    pub fn class(&self) -> Option<Class> {
        match self {
            Self::Packet(packet) => Some(packet.class),
            Self::Message { .. } => None,
        }
    }

    /// It in words.
    pub fn describe(&self) -> String {
        match self {
            Self::Packet(packet) => packet.describe(),
            Self::Message {
                client, name, nth, ..
            } => format!("the {} {name} of {client}", ordinal(*nth)),
        }
    }
}

impl Hit {
    /// The fault that does it. Nothing can be done to a message but what its treatments are.
    pub fn fault(&self) -> Fault {
        match &self.subject {
            Subject::Packet(hit) => {
                let directions = match hit.direction {
                    Direction::Up => Directions::Up,
                    Direction::Down => Directions::Down,
                };
                let verdict = match self.treatment {
                    Treatment::Lost => PacketVerdict::Drop,
                    Treatment::Doubled => PacketVerdict::Duplicate,
                    Treatment::Late(ms) => PacketVerdict::Delay { ms },
                    Treatment::Cut(bytes) => PacketVerdict::Truncate { bytes },
                    Treatment::Flipped(bit) => PacketVerdict::Flip { bit },
                };
                let ordinal = hit.ordinal;
                let target = Target::ends(&hit.link, directions);
                Fault::new(target, PacketFault { ordinal, verdict }, 0, None)
            }
            Subject::Message { client, message, .. } => {
                let (target, message) = (Target::host(client), *message);
                match self.treatment {
                    Treatment::Doubled => Fault::new(target, SignalDuplicate { message }, 0, None),
                    Treatment::Late(ms) => Fault::new(target, SignalDelay { message, ms }, 0, None),
                    _ => Fault::new(target, SignalDrop { message }, 0, None),
                }
            }
        }
    }

    /// It in words.
    pub fn describe(&self) -> String {
        format!("{} {}", self.subject.describe(), self.treatment.describe())
    }
}

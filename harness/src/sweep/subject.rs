//! The packets and messages to single out of a run, their treatments, and the faults that implement them. Plain data.

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
        /// The number of its messages that had reached the server before.
        message: u64,
        /// The type.
        name: String,
        /// The number among the messages of that type, from 1.
        nth: u64,
    },
}

/// The treatment of a packet or message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Treatment {
    /// Lost.
    Lost,
    /// Doubled: it arrives twice.
    Doubled,
    /// Late by this many milliseconds, when its receiver no longer waits.
    Late(u64),
    /// Cut: the second half is missing, and this many bytes are left.
    Cut(u32),
    /// This bit is flipped, the lowest of the byte in the middle.
    Flipped(u64),
}

impl Treatment {
    /// Returns the treatment as one word: a column of a table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Doubled => "doubled",
            Self::Late(_) => "late",
            Self::Cut(_) => "cut",
            Self::Flipped(_) => "flipped",
        }
    }

    /// All words.
    pub const WORDS: [&'static str; 5] = ["lost", "doubled", "late", "cut", "flipped"];

    /// Describes the treatment with its parameter.
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

/// A treatment of a packet or a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// The packet or message.
    pub subject: Subject,
    /// The treatment.
    pub treatment: Treatment,
}

/// The delay of a signaling message after which its client has sent it again, in milliseconds: it waits 2 s for an
/// acknowledgement, if messages are acknowledged.
const MESSAGE_TOO_LATE_MS: u64 = 2_500;

impl Subject {
    /// Returns all treatments of the subject. Data over TCP arrives whole. Behind a NAT a packet is only lost: any
    /// other treatment lets the NAT open a mapping all the same, so that it does not matter where it happens.
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

    /// Returns the kind of the subject: a row of a table.
    pub fn kind(&self) -> String {
        match self {
            Self::Packet(packet) => packet.kind.clone(),
            Self::Message { name, .. } => format!("{name}, signaling"),
        }
    }

    /// Returns the class of a packet, by what waits for it.
    pub fn class(&self) -> Option<Class> {
        match self {
            Self::Packet(packet) => Some(packet.class),
            Self::Message { .. } => None,
        }
    }

    /// Describes the subject in words.
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
    /// Returns the fault that implements the treatment. A message has only the treatments of [`Subject::treatments`].
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

    /// Describes the hit in words.
    pub fn describe(&self) -> String {
        format!("{} {}", self.subject.describe(), self.treatment.describe())
    }
}

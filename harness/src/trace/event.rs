//! The vocabulary of a trace.
//!
//! Names are the protocol's; every field is plain data that a reader without the program can understand.

use serde::{Deserialize, Serialize};

use super::{
    call::CallEvent,
    cause::{Cause, FaultId},
    terms::{Candidate, Flow, Machine, PacketId, SignalDirection, Stop},
};
use crate::time::SimTime;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its place in the trace, from 0.
    pub seq: u64,
    /// When, in nanoseconds since the beginning of the run.
    #[serde(rename = "at_ns")]
    pub at: SimTime,
    /// On which host; `None` for what happens in the network between them or to the run itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub host: Option<String>,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum EventKind {
    /// A host sent a packet.
    PacketSent {
        /// Its number.
        packet: PacketId,
        /// Its addresses.
        #[serde(flatten)]
        flow: Flow,
        /// Bytes of payload.
        len: u32,
        /// The first 8 bytes of the blake3 hash of the payload, in hexadecimal.
        hash: String,
        /// What it says, decoded.
        says: String,
    },
    /// It did not arrive.
    PacketDropped {
        /// Which.
        packet: PacketId,
        /// What dropped it.
        by: Cause,
    },
    /// It arrives later than its link takes.
    PacketDelayed {
        /// Which.
        packet: PacketId,
        /// What delayed it.
        by: Cause,
        /// By how much, in nanoseconds.
        by_ns: u64,
    },
    /// It arrives twice.
    PacketDuplicated {
        /// Which.
        packet: PacketId,
        /// What duplicated it.
        by: Cause,
    },
    /// It arrives with a bit flipped.
    PacketCorrupted {
        /// Which.
        packet: PacketId,
        /// What corrupted it.
        by: Cause,
        /// The bit of the payload, counted from the first byte's lowest.
        bit: u64,
    },
    /// It arrives without its end.
    PacketTruncated {
        /// Which.
        packet: PacketId,
        /// What truncated it.
        by: Cause,
        /// Bytes of payload that are left.
        len: u32,
    },
    /// A host received a packet.
    PacketDelivered {
        /// Which.
        packet: PacketId,
    },
    /// A fault of the plan begins.
    FaultStarted {
        /// Which.
        fault: FaultId,
    },
    /// A fault of the plan ends.
    FaultEnded {
        /// Which.
        fault: FaultId,
    },
    /// A fault of the plan struck something, where no packet and no message says so: a connection that it cut, a task that it
    /// held up.
    FaultHit {
        /// Which.
        fault: FaultId,
    },
    /// The host went dark with everything that ran on it.
    Crashed,
    /// It runs again, with nothing of what ran before.
    Started,
    /// The chaos phase is over: no fault is in force any more.
    Healed,
    /// A signaling client or server passed a message on.
    Signal {
        /// Sent or received, by the host of the event.
        direction: SignalDirection,
        /// The client at the other end of the connection, `server` for the server.
        with: String,
        /// The type of the message.
        message: String,
        /// The call that it belongs to.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        call: Option<String>,
        /// The ICE generation that it belongs to.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        ufrag: Option<String>,
        /// Its candidate, if it carries one.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        candidate: Option<Candidate>,
    },
    /// A fault of the plan fell on a message that reached the server.
    SignalImpaired {
        /// Which.
        fault: FaultId,
        /// The type of the message.
        message: String,
        /// The call that it belongs to.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        call: Option<String>,
    },
    /// The server had nobody to give a message to.
    SignalUndeliverable {
        /// The client that is not connected.
        to: String,
        /// The type of the message.
        message: String,
        /// The call that it belongs to.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        call: Option<String>,
    },
    /// A user dialed.
    Dialed {
        /// The call.
        call: String,
        /// The client that is called.
        to: String,
    },
    /// A user hung up.
    HungUp {
        /// The call.
        call: String,
    },
    /// A user gave an attempt up and began another within the same call.
    Retried {
        /// The call.
        call: String,
    },
    /// Something happened to a call at the end that the event is of.
    Call {
        /// The call.
        call: String,
        /// What.
        #[serde(flatten)]
        what: CallEvent,
    },
    /// A client created the factory that all its peers come from, or released it.
    Factory {
        /// Whether there is one from now on.
        alive: bool,
    },
    /// A push notification woke a client that was not connected.
    PushDelivered {
        /// The call that it announces.
        call: String,
        /// The client that dialed.
        from: String,
    },
    /// A state machine of a peer changed.
    State {
        /// The peer.
        peer: String,
        /// Which machine.
        machine: Machine,
        /// Its new state, by the name that the specification gives it.
        state: String,
    },
    /// A peer gathered a candidate; `None` ends its generation.
    Gathered {
        /// The peer.
        peer: String,
        /// The candidate.
        candidate: Option<Candidate>,
    },
    /// A client kept a remote candidate until its description arrives.
    CandidateBuffered {
        /// The peer.
        peer: String,
        /// The candidate.
        candidate: Candidate,
    },
    /// A client threw a remote candidate away, because it belongs to another generation.
    CandidateDiscarded {
        /// The peer.
        peer: String,
        /// The candidate.
        candidate: Candidate,
    },
    /// A peer took a remote candidate.
    CandidateApplied {
        /// The peer.
        peer: String,
        /// The candidate.
        candidate: Candidate,
        /// The remote generation that the peer had at that time.
        into: String,
    },
    /// A peer refused a remote candidate, which is lost.
    CandidateRefused {
        /// The peer.
        peer: String,
        /// The candidate.
        candidate: Candidate,
        /// What the stack said.
        error: String,
    },
    /// A peer took a description.
    Described {
        /// The peer.
        peer: String,
        /// Whether it is its own or the other side's.
        remote: bool,
        /// `offer` or `answer`.
        kind: String,
        /// The generation.
        ufrag: String,
    },
    /// A peer's agent selected a pair.
    PairSelected {
        /// The peer.
        peer: String,
        /// Its own candidate, as [`Candidate`] displays it.
        local: String,
        /// The other side's candidate.
        remote: String,
    },
    /// A client began to close a peer.
    Closing {
        /// The peer.
        peer: String,
    },
    /// The stack has closed a peer.
    Closed {
        /// The peer.
        peer: String,
    },
    /// What is left on a host when everything on it should be over.
    Census {
        /// Tasks, by name or by the place that spawned them.
        tasks: Vec<String>,
        /// Sockets.
        sockets: Vec<String>,
        /// Allocations of its TURN server.
        allocations: u64,
    },
    /// A message crossed a peer's connection.
    Data {
        /// The peer.
        peer: String,
        /// Whether the peer received it.
        received: bool,
        /// What it says.
        text: String,
    },
    /// A client or a user did something.
    Step {
        /// What.
        step: String,
        /// More about it.
        #[serde(skip_serializing_if = "String::is_empty", default)]
        detail: String,
    },
    /// An operation of a client failed.
    Failed {
        /// Which.
        step: String,
        /// Why.
        error: String,
    },
    /// The plan says in which order free steps are taken, and it was the turn of one.
    Turn {
        /// Which; none where the run ends because from here on it repeats another.
        taken: Option<String>,
        /// Those that it was taken from, in their order.
        awake: Vec<String>,
        /// Those that waited too, but whose turn here would repeat another order.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        asleep: Vec<String>,
    },
    /// An interesting path was reached.
    Mark {
        /// Its name.
        mark: String,
    },
    /// A task panicked: a defect, ours or the stack's.
    Panicked {
        /// The message.
        message: String,
        /// Where, without the folders of the machine that built it.
        place: String,
    },
    /// The run was stopped at one of its bounds.
    Stopped {
        /// Which bound.
        bound: Stop,
        /// What was still going on: tasks by host and place, sockets, packets in flight.
        pending: Vec<String>,
    },
    /// The story ended.
    Ended,
}

impl EventKind {
    /// What decided the fate of the packet that it is about, if it is about one that fared out of the ordinary.
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            Self::PacketDropped { by, .. }
            | Self::PacketDelayed { by, .. }
            | Self::PacketDuplicated { by, .. }
            | Self::PacketCorrupted { by, .. }
            | Self::PacketTruncated { by, .. } => Some(by),
            _ => None,
        }
    }

    /// The fault of the plan that struck here, if one did.
    pub fn struck_by(&self) -> Option<FaultId> {
        match self {
            Self::SignalImpaired { fault, .. } | Self::FaultHit { fault } => Some(*fault),
            other => other.cause().and_then(Cause::fault),
        }
    }

    /// The name of its kind, as `event` holds it in the JSON form.
    pub fn name(&self) -> String {
        let json = serde_json::to_value(self).expect("events are plain data");
        json["event"].as_str().unwrap_or_default().to_owned()
    }
}

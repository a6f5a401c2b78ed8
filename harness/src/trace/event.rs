//! The vocabulary of a trace.
//!
//! Names are the protocol's; every field is plain data that a reader without the program can understand.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    call::CallEvent,
    cause::{Cause, FaultId},
    intent::Intent,
    peer_id::PeerId,
    terms::{Candidate, Flow, Machine, PacketId, SignalDirection, Stop},
};
use crate::time::SimTime;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
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
        /// The client at the other end of the connection, [`SERVICE`](super::SERVICE) for the service.
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
    /// A user wants something of the app on the host of the event. The driver writes it down, before the app hears of it.
    Intended {
        /// Its number within the run, from 0.
        id: u64,
        /// What.
        #[serde(flatten)]
        intent: Intent,
    },
    /// The app says that it has done what a user wanted: the call into it has returned.
    Obeyed {
        /// The number of the intent.
        id: u64,
    },
    /// The app does not know what a user wanted: an error of the scenario, or an app that lacks an act.
    NotUnderstood {
        /// The number of the intent.
        id: u64,
    },
    /// What runs on the host did not start: the run has no meaning.
    NotStarted {
        /// Why.
        error: String,
    },
    /// How many allocations a TURN server has could not be had.
    NotCounted {
        /// Why.
        error: String,
    },
    /// The run is being cleaned up: from here on calls end because the run does, and no user acts.
    CleanUp,
    /// The app on the host of the event shows its user something of a call: a claim, which oracles check.
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
        peer: PeerId,
        /// Which machine.
        machine: Machine,
        /// Its new state, by the name that the specification gives it.
        state: String,
    },
    /// A peer gathered a candidate; `None` ends its generation.
    Gathered {
        /// The peer.
        peer: PeerId,
        /// The candidate.
        candidate: Option<Candidate>,
    },
    /// A peer took a remote candidate.
    CandidateApplied {
        /// The peer.
        peer: PeerId,
        /// The candidate.
        candidate: Candidate,
        /// The remote generation that the peer had at that time.
        into: String,
    },
    /// A peer refused a remote candidate, which is lost.
    CandidateRefused {
        /// The peer.
        peer: PeerId,
        /// The candidate.
        candidate: Candidate,
        /// What the stack said.
        error: String,
    },
    /// A peer took a description.
    Described {
        /// The peer.
        peer: PeerId,
        /// Whether it is its own or the other side's.
        remote: bool,
        /// `offer` or `answer`.
        kind: String,
        /// The generation.
        ufrag: String,
    },
    /// A client made a peer.
    PeerCreated {
        /// The peer.
        peer: PeerId,
        /// Whether it offers; else it answers.
        offers: bool,
    },
    /// A peer made a description.
    DescriptionCreated {
        /// The peer.
        peer: PeerId,
        /// `offer` or `answer`.
        kind: String,
        /// The generation.
        ufrag: String,
    },
    /// A small message of the other end came over a peer's connection, as it does for as long as both stand.
    Heard {
        /// The peer that it came to.
        peer: PeerId,
    },
    /// A message has gone both ways over a peer's connection, as the peer knows.
    Usable {
        /// The peer.
        peer: PeerId,
    },
    /// A peer's agent selected a pair.
    PairSelected {
        /// The peer.
        peer: PeerId,
        /// Its own candidate, as [`Candidate`] displays it.
        local: String,
        /// The other side's candidate.
        remote: String,
    },
    /// A client began to close a peer.
    Closing {
        /// The peer.
        peer: PeerId,
    },
    /// The stack has closed a peer.
    Closed {
        /// The peer.
        peer: PeerId,
    },
    /// What is left on a host when everything on it should be over.
    LeakCheck {
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
        peer: PeerId,
        /// Whether the peer received it.
        received: bool,
        /// What it says.
        text: String,
    },
    /// A client or a server did something worth a line.
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
    Decision {
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
    /// The app under test wrote a line to its log.
    Line {
        /// How grave it is: `error`, `warn`, `info`, `debug` or `trace`.
        level: String,
        /// What part of the app wrote it.
        target: String,
        /// What it says.
        message: String,
    },
    /// An invariant inside the app under test did not hold.
    Violated {
        /// Its name.
        invariant: String,
        /// What the app says of it.
        #[serde(skip_serializing_if = "String::is_empty", default)]
        detail: String,
    },
    /// A fault of the plan fell on what came to a fault point inside the app under test.
    PointImpaired {
        /// The fault.
        fault: FaultId,
        /// The point.
        point: String,
        /// What came, as the app says.
        #[serde(skip_serializing_if = "String::is_empty", default)]
        detail: String,
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
            Self::SignalImpaired { fault, .. }
            | Self::PointImpaired { fault, .. }
            | Self::FaultHit { fault } => Some(*fault),
            other => other.cause().and_then(Cause::fault),
        }
    }

    /// The name of its kind, as `event` holds it in the JSON form.
    pub fn name(&self) -> String {
        let json = serde_json::to_value(self).expect("events are plain data");
        json["event"].as_str().unwrap_or_default().to_owned()
    }
}

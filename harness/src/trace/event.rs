//! The events of a trace.
//!
//! Names are the protocol's; every field is plain data that a reader can understand without the program.

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

/// An event of a run.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Event {
    /// The index in the trace, from 0.
    pub seq: u64,
    /// The time, in nanoseconds since the beginning of the run.
    #[serde(rename = "at_ns")]
    pub at: SimTime,
    /// The host; `None` for an event in the network between hosts or of the run itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub host: Option<String>,
    /// The kind of event.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// The kind of an event, with its data.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EventKind {
    /// A host sent a packet.
    PacketSent {
        /// The number of the packet.
        packet: PacketId,
        /// The addresses of the packet.
        #[serde(flatten)]
        flow: Flow,
        /// The number of payload bytes.
        len: u32,
        /// The first 8 bytes of the blake3 hash of the payload, in hexadecimal.
        hash: String,
        /// The decoded content, as text.
        says: String,
    },
    /// A packet was dropped.
    PacketDropped {
        /// The packet.
        packet: PacketId,
        /// The cause of the drop.
        by: Cause,
    },
    /// A packet arrives later than its link takes.
    PacketDelayed {
        /// The packet.
        packet: PacketId,
        /// The cause of the delay.
        by: Cause,
        /// The extra delay, in nanoseconds.
        by_ns: u64,
    },
    /// A packet arrives twice.
    PacketDuplicated {
        /// The packet.
        packet: PacketId,
        /// The cause of the duplication.
        by: Cause,
    },
    /// A packet arrives with one bit flipped.
    PacketCorrupted {
        /// The packet.
        packet: PacketId,
        /// The cause of the corruption.
        by: Cause,
        /// The index of the payload bit, counted from the first byte's lowest bit.
        bit: u64,
    },
    /// A packet arrives truncated.
    PacketTruncated {
        /// The packet.
        packet: PacketId,
        /// The cause of the truncation.
        by: Cause,
        /// The number of payload bytes left.
        len: u32,
    },
    /// A host received a packet.
    PacketDelivered {
        /// The packet.
        packet: PacketId,
    },
    /// A fault of the plan begins.
    FaultStarted {
        /// The fault.
        fault: FaultId,
    },
    /// A fault of the plan ends.
    FaultEnded {
        /// The fault.
        fault: FaultId,
    },
    /// A fault of the plan took effect where no packet or message event shows it, such as on a connection that it cut
    /// or a task that it held up.
    FaultHit {
        /// The fault.
        fault: FaultId,
    },
    /// The host crashed, with everything that ran on it.
    Crashed,
    /// The host was started again, with nothing of what ran before.
    Started,
    /// The chaos phase is over: no fault is in force any more.
    Healed,
    /// A signaling client or server passed a message on.
    Signal {
        /// The direction, as seen from the host of the event.
        direction: SignalDirection,
        /// The client at the other end of the connection, [`SERVICE`](super::SERVICE) for the service.
        with: String,
        /// The type of the message.
        message: String,
        /// The call that the message belongs to.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        call: Option<String>,
        /// The ICE generation that the message belongs to.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        ufrag: Option<String>,
        /// The candidate, if the message carries one.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        candidate: Option<Candidate>,
    },
    /// A fault of the plan affected a message that reached the server.
    SignalImpaired {
        /// The fault.
        fault: FaultId,
        /// The type of the message.
        message: String,
        /// The call that the message belongs to.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        call: Option<String>,
    },
    /// The server had no connected client to deliver a message to.
    SignalUndeliverable {
        /// The client that is not connected.
        to: String,
        /// The type of the message.
        message: String,
        /// The call that the message belongs to.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        call: Option<String>,
    },
    /// A user acts on the app on the host of the event. The driver records the intent before it tells the app.
    Intended {
        /// The number of the intent within the run, from 0.
        id: u64,
        /// The intent.
        #[serde(flatten)]
        intent: Intent,
    },
    /// The app says that it has done what the user wanted: the call into it has returned.
    Obeyed {
        /// The number of the intent.
        id: u64,
    },
    /// The app does not know the intent: an error of the scenario, or a missing act in the app.
    NotUnderstood {
        /// The number of the intent.
        id: u64,
    },
    /// The program on the host did not start, so the run is invalid.
    NotStarted {
        /// The error.
        error: String,
    },
    /// The number of allocations of a TURN server is not known.
    NotCounted {
        /// The error.
        error: String,
    },
    /// The cleanup begins: from here on calls end because the run does, and no user acts.
    CleanUp,
    /// The app on the host of the event shows its user a call event: a claim, which oracles check.
    Call {
        /// The call.
        call: String,
        /// The call event.
        #[serde(flatten)]
        what: CallEvent,
    },
    /// A client created or released the factory that all its peers come from.
    Factory {
        /// Whether the factory exists from now on.
        alive: bool,
    },
    /// A push notification woke a client that was not connected.
    PushDelivered {
        /// The call that the notification announces.
        call: String,
        /// The client that dialed.
        from: String,
    },
    /// A state machine of a peer changed.
    State {
        /// The peer.
        peer: PeerId,
        /// The state machine.
        machine: Machine,
        /// The new state, by its name in the specification.
        state: String,
    },
    /// A peer gathered a candidate; `None` ends its generation.
    Gathered {
        /// The peer.
        peer: PeerId,
        /// The candidate.
        candidate: Option<Candidate>,
    },
    /// A peer applied a remote candidate.
    CandidateApplied {
        /// The peer.
        peer: PeerId,
        /// The candidate.
        candidate: Candidate,
        /// The remote generation of the peer at that time.
        into: String,
    },
    /// A peer refused a remote candidate, which is lost.
    CandidateRefused {
        /// The peer.
        peer: PeerId,
        /// The candidate.
        candidate: Candidate,
        /// The error of the stack.
        error: String,
    },
    /// A peer applied a description.
    Described {
        /// The peer.
        peer: PeerId,
        /// Whether the description is the remote one.
        remote: bool,
        /// `offer` or `answer`.
        kind: String,
        /// The generation.
        ufrag: String,
    },
    /// A client created a peer.
    PeerCreated {
        /// The peer.
        peer: PeerId,
        /// Whether the peer offers; else it answers.
        offers: bool,
    },
    /// A peer created a description.
    DescriptionCreated {
        /// The peer.
        peer: PeerId,
        /// `offer` or `answer`.
        kind: String,
        /// The generation.
        ufrag: String,
    },
    /// A small message of the other end arrived on a peer's connection; they come for as long as both ends are up.
    Heard {
        /// The receiving peer.
        peer: PeerId,
    },
    /// Audio of the other end arrived on a peer's connection; recorded at most four times a second.
    HeardAudio {
        /// The receiving peer.
        peer: PeerId,
        /// The RTP packets since the last such event, this one's included.
        packets: u64,
    },
    /// A peer knows that a message has gone both ways on its connection.
    Usable {
        /// The peer.
        peer: PeerId,
    },
    /// A peer's agent selected a candidate pair.
    PairSelected {
        /// The peer.
        peer: PeerId,
        /// The local candidate, as [`Candidate`] displays it.
        local: String,
        /// The remote candidate.
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
    /// The leak check: what is left on a host when everything on it should be over.
    LeakCheck {
        /// Tasks, by name or by the place that spawned them.
        tasks: Vec<String>,
        /// Open sockets.
        sockets: Vec<String>,
        /// Allocations of the host's TURN server.
        allocations: u64,
    },
    /// A message crossed a peer's connection.
    Data {
        /// The peer.
        peer: PeerId,
        /// Whether the peer received it; else it sent it.
        received: bool,
        /// The text of the message.
        text: String,
    },
    /// A client or a server took a notable step.
    Step {
        /// The name of the step.
        step: String,
        /// More about the step.
        #[serde(skip_serializing_if = "String::is_empty", default)]
        detail: String,
    },
    /// An operation of a client failed.
    Failed {
        /// The operation.
        step: String,
        /// The error.
        error: String,
    },
    /// It was the turn of a free step, by the order in the plan.
    Decision {
        /// The step taken; none where the run ends because from here on it repeats another.
        taken: Option<String>,
        /// The steps that it was taken from, in their order.
        awake: Vec<String>,
        /// The steps that waited too, but whose turn here would repeat another order.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        asleep: Vec<String>,
    },
    /// The run reached a mark.
    Mark {
        /// The name of the mark.
        mark: String,
    },
    /// A task panicked: a defect, ours or the stack's.
    Panicked {
        /// The panic message.
        message: String,
        /// The source location, without the folders of the machine that built it.
        place: String,
    },
    /// The app under test wrote a line to its log.
    Line {
        /// The level: `error`, `warn`, `info`, `debug` or `trace`.
        level: String,
        /// The part of the app that wrote the line.
        target: String,
        /// The text of the line.
        message: String,
    },
    /// An invariant inside the app under test did not hold.
    Violated {
        /// The name of the invariant.
        invariant: String,
        /// Details from the app.
        #[serde(skip_serializing_if = "String::is_empty", default)]
        detail: String,
    },
    /// A fault of the plan affected a message at a fault point inside the app under test.
    PointImpaired {
        /// The fault.
        fault: FaultId,
        /// The fault point.
        point: String,
        /// The message, as the app describes it.
        #[serde(skip_serializing_if = "String::is_empty", default)]
        detail: String,
    },
    /// The run was stopped at one of its bounds.
    Stopped {
        /// The bound.
        bound: Stop,
        /// Pending work: tasks by host and place, sockets, packets in flight.
        pending: Vec<String>,
    },
    /// The run ended by itself.
    Ended,
}

//! The subject of an event: its peer, its call, its fault, its name.
//!
//! This is the only place that knows which events name a peer or a call, so that no reader of traces keeps a list of
//! its own.

use super::{Cause, Event, EventKind, FaultId, Intent, PeerId};

impl EventKind {
    /// Returns the cause of the packet's fate, for an event about a packet that was impaired.
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

    /// Returns the fault of the plan that took effect here, if any.
    pub fn struck_by(&self) -> Option<FaultId> {
        match self {
            Self::SignalImpaired { fault, .. }
            | Self::PointImpaired { fault, .. }
            | Self::FaultHit { fault } => Some(*fault),
            other => other.cause().and_then(Cause::fault),
        }
    }

    /// Returns the name of the kind, as in the `event` field of the JSON form.
    pub fn name(&self) -> String {
        let json = serde_json::to_value(self).expect("events are plain data");
        json["event"].as_str().unwrap_or_default().to_owned()
    }

    /// Returns the peer that the event is about, if any.
    pub fn peer(&self) -> Option<&PeerId> {
        match self {
            Self::State { peer, .. }
            | Self::Gathered { peer, .. }
            | Self::PeerCreated { peer, .. }
            | Self::DescriptionCreated { peer, .. }
            | Self::CandidateApplied { peer, .. }
            | Self::CandidateRefused { peer, .. }
            | Self::Described { peer, .. }
            | Self::Usable { peer }
            | Self::Heard { peer }
            | Self::HeardAudio { peer, .. }
            | Self::PairSelected { peer, .. }
            | Self::Closing { peer }
            | Self::Closed { peer }
            | Self::Data { peer, .. } => Some(peer),
            _ => None,
        }
    }

    /// Returns the call that the event is about, if any.
    pub fn call(&self) -> Option<&str> {
        match self {
            Self::Signal { call, .. }
            | Self::SignalImpaired { call, .. }
            | Self::SignalUndeliverable { call, .. } => call.as_deref(),
            Self::Call { call, .. } | Self::PushDelivered { call, .. } => Some(call),
            Self::Intended { intent, .. } => intent.call(),
            _ => self.peer().map(|peer| peer.call.as_str()),
        }
    }

    /// Returns the user's intent that the event records, if any.
    pub fn intent(&self) -> Option<&Intent> {
        match self {
            Self::Intended { intent, .. } => Some(intent),
            _ => None,
        }
    }
}

impl Event {
    /// Reports whether the event happened on `host`.
    pub fn is_on(&self, host: &str) -> bool {
        self.host.as_deref() == Some(host)
    }
}

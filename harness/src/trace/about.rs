//! The subject of an event: its peer and its call.
//!
//! This is the only place that knows which events name a peer or a call, so that no reader of traces keeps a list of
//! its own.

use super::{Event, EventKind, Intent, PeerId};

impl EventKind {
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

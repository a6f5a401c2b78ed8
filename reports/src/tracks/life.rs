//! What happens on hosts beside packets and messages: states of peers, what users do, what apps show, what goes wrong.

use std::collections::BTreeMap;

use serde::Serialize;
use sleet::trace::{CallEvent, Event, EventKind, Machine, PeerId};

use super::Frame;
use crate::cause;

/// A state of a peer for as long as it lasted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Band {
    /// The lane.
    pub host: usize,
    /// The peer.
    pub peer: String,
    /// The call that it belongs to, by its place.
    pub call: Option<usize>,
    /// Which of its state machines.
    pub machine: Machine,
    /// The state.
    pub state: String,
    /// From when.
    pub from_ns: u64,
    /// Until when.
    pub until_ns: u64,
    /// The event that shows it.
    pub event: u64,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// When.
    pub at_ns: u64,
    /// The lane; none for the network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<usize>,
    /// The event.
    pub event: u64,
    /// What kind of thing it is.
    pub class: Sort,
    /// The call that it is about, by its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<usize>,
    /// What happened.
    pub text: String,
    /// The fault of the plan behind it, by its place among those in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<usize>,
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    /// A user acts.
    User,
    /// An app shows its user something.
    App,
    /// Something went wrong, or a fault struck.
    Trouble,
    /// What a peer reports.
    Peer,
    /// Anything else.
    Other,
}

/// The states of all peers.
pub(super) fn bands(frame: &Frame<'_>) -> Vec<Band> {
    let mut open = BTreeMap::<(usize, PeerId, Machine), Band>::new();
    let mut bands = Vec::new();
    for event in &frame.record.trace.events {
        let Some(host) = event.host.as_deref().and_then(|h| frame.lane(h)) else {
            continue;
        };
        let at = event.at.as_nanos();
        match &event.kind {
            EventKind::State { peer, machine, state } => {
                let band = Band {
                    host,
                    peer: peer.to_string(),
                    call: frame.call(&peer.call),
                    machine: *machine,
                    state: state.clone(),
                    from_ns: at,
                    until_ns: frame.record.ended_at.as_nanos(),
                    event: event.seq,
                };
                let before = open.insert((host, peer.clone(), *machine), band);
                bands.extend(before.map(|band| Band { until_ns: at, ..band }));
            }
            EventKind::Closed { peer } => close(&mut open, &mut bands, at, |h, p| h == host && p == peer),
            EventKind::Crashed => close(&mut open, &mut bands, at, |h, _| h == host),
            _ => {}
        }
    }
    bands.extend(open.into_values());
    bands.sort_by(|a, b| (a.host, &a.peer, a.machine, a.event).cmp(&(b.host, &b.peer, b.machine, b.event)));
    bands
}

/// Ends the states that `which` selects.
fn close(
    open: &mut BTreeMap<(usize, PeerId, Machine), Band>,
    bands: &mut Vec<Band>,
    at: u64,
    which: impl Fn(usize, &PeerId) -> bool,
) {
    open.retain(|(host, peer, _), band| {
        let ends = which(*host, peer);
        if ends {
            bands.push(Band {
                until_ns: at,
                ..band.clone()
            });
        }
        !ends
    });
}

/// Everything that is neither a packet nor a message nor a fault that begins or ends.
pub(super) fn notes(frame: &Frame<'_>) -> Vec<Note> {
    let note = |event: &Event| {
        let class = sort(&event.kind)?;
        let text = frame.names.line(event);
        Some(Note {
            at_ns: event.at.as_nanos(),
            host: event.host.as_deref().and_then(|h| frame.lane(h)),
            event: event.seq,
            class,
            call: call_of(&event.kind).and_then(|c| frame.call(&c)),
            text,
            fault: cause::of_event(&event.kind, frame.faults),
        })
    };
    frame.record.trace.events.iter().filter_map(note).collect()
}

fn sort(kind: &EventKind) -> Option<Sort> {
    Some(match kind {
        EventKind::PacketSent { .. }
        | EventKind::PacketDropped { .. }
        | EventKind::PacketDelayed { .. }
        | EventKind::PacketDuplicated { .. }
        | EventKind::PacketCorrupted { .. }
        | EventKind::PacketTruncated { .. }
        | EventKind::PacketDelivered { .. }
        | EventKind::FaultStarted { .. }
        | EventKind::FaultEnded { .. }
        | EventKind::Signal { .. } => return None,
        EventKind::Intended { .. } => Sort::User,
        EventKind::Call { .. } | EventKind::PushDelivered { .. } => Sort::App,
        EventKind::Crashed
        | EventKind::Started
        | EventKind::FaultHit { .. }
        | EventKind::SignalImpaired { .. }
        | EventKind::SignalUndeliverable { .. }
        | EventKind::PointImpaired { .. }
        | EventKind::CandidateRefused { .. }
        | EventKind::Failed { .. }
        | EventKind::Violated { .. }
        | EventKind::Panicked { .. }
        | EventKind::NotUnderstood { .. }
        | EventKind::NotStarted { .. }
        | EventKind::Stopped { .. } => Sort::Trouble,
        EventKind::State { .. }
        | EventKind::Gathered { .. }
        | EventKind::CandidateApplied { .. }
        | EventKind::Described { .. }
        | EventKind::PeerCreated { .. }
        | EventKind::DescriptionCreated { .. }
        | EventKind::Usable { .. }
        | EventKind::PairSelected { .. }
        | EventKind::Closing { .. }
        | EventKind::Closed { .. }
        | EventKind::Data { .. } => Sort::Peer,
        _ => Sort::Other,
    })
}

/// The call that an event is about.
pub(super) fn call_of(kind: &EventKind) -> Option<String> {
    match kind {
        EventKind::Intended { intent, .. } => intent.call().map(str::to_owned),
        EventKind::Call { call, .. } | EventKind::PushDelivered { call, .. } => Some(call.clone()),
        EventKind::Signal { call, .. }
        | EventKind::SignalImpaired { call, .. }
        | EventKind::SignalUndeliverable { call, .. } => call.clone(),
        EventKind::State { peer, .. }
        | EventKind::Gathered { peer, .. }
        | EventKind::CandidateApplied { peer, .. }
        | EventKind::CandidateRefused { peer, .. }
        | EventKind::Described { peer, .. }
        | EventKind::PeerCreated { peer, .. }
        | EventKind::DescriptionCreated { peer, .. }
        | EventKind::Usable { peer }
        | EventKind::PairSelected { peer, .. }
        | EventKind::Closing { peer }
        | EventKind::Closed { peer }
        | EventKind::Data { peer, .. } => Some(peer.call.clone()),
        _ => None,
    }
}

/// Whether an event is one that a reader of a call's story looks for first.
pub fn is_milestone(kind: &EventKind) -> bool {
    match kind {
        EventKind::Intended { .. }
        | EventKind::PairSelected { .. }
        | EventKind::CandidateRefused { .. }
        | EventKind::Crashed
        | EventKind::Started
        | EventKind::Failed { .. }
        | EventKind::Panicked { .. }
        | EventKind::SignalImpaired { .. }
        | EventKind::SignalUndeliverable { .. }
        | EventKind::Stopped { .. } => true,
        EventKind::Call { what, .. } => !matches!(what, CallEvent::Silent),
        EventKind::State { machine, state, .. } => {
            *machine == Machine::Ice && matches!(state.as_str(), "connected" | "disconnected" | "failed")
        }
        _ => false,
    }
}

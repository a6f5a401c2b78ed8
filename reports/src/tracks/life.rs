//! Events on hosts other than packets and messages: states of peers, acts of users, call events of apps, problems.

use std::collections::BTreeMap;

use serde::Serialize;
use sleet::trace::{CallEvent, Event, EventKind, Machine, PeerId};

use super::Frame;
use crate::cause;

/// A state of a peer with its duration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Band {
    /// The index of the lane.
    pub host: usize,
    /// The peer.
    pub peer: String,
    /// The index of the call that the peer belongs to.
    pub call: Option<usize>,
    /// The state machine.
    pub machine: Machine,
    /// The state.
    pub state: String,
    /// The start, in nanoseconds.
    pub from_ns: u64,
    /// The end, in nanoseconds.
    pub until_ns: u64,
    /// The event that shows it.
    pub event: u64,
}

/// An event with its description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The time, in nanoseconds.
    pub at_ns: u64,
    /// The index of the lane; `None` for the network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<usize>,
    /// The event.
    pub event: u64,
    /// The sort of event.
    pub class: Sort,
    /// The index of the call that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<usize>,
    /// The description.
    pub text: String,
    /// The index of the fault behind it, among those in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<usize>,
}

/// The sort of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    /// An act of a user.
    User,
    /// A call event that an app shows its user.
    App,
    /// A problem, or a fault that took effect.
    Trouble,
    /// A report of a peer.
    Peer,
    /// Any other event.
    Other,
}

/// Returns the states of all peers.
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

/// Returns all events other than packets, messages and the begin and end of faults.
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

/// Returns the call that an event is about.
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

/// Reports whether an event is one that the reader of a call's story looks for first.
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

//! What happened in a run that its story is about, derived from its trace: recoveries, restarts, calls that met.
//!
//! What faults struck is counted by [`crate::fault::coverage`]. Nothing here is told by the app under test.

use std::collections::BTreeSet;

use super::came_to;
use crate::trace::{CallEvent, CallOutcome, Event, EventKind, Intent, SERVICE, SignalDirection, Trace};

/// The marks of `trace`, one for each time: `attempt-recovered`, `ice-restarted`, `glare`.
pub(super) fn marks(trace: &Trace) -> Vec<String> {
    recoveries(trace)
        .into_iter()
        .chain(early_candidates(trace))
        .chain(restarts(trace))
        .chain(meetings(trace))
        .chain(came_to::marks(trace))
        .collect()
}

/// A mark for each candidate that a client received before the description of its generation was set.
fn early_candidates(trace: &Trace) -> Vec<String> {
    let mut described = BTreeSet::new();
    let mut early = 0;
    for event in &trace.events {
        match (&event.kind, event.host.as_deref()) {
            (
                EventKind::Described {
                    remote: true, ufrag, ..
                },
                Some(host),
            ) => drop(described.insert((host, ufrag.as_str()))),
            (
                EventKind::Signal {
                    direction: SignalDirection::Received,
                    with,
                    candidate: Some(candidate),
                    ..
                },
                Some(host),
            ) if with == SERVICE && !described.contains(&(host, candidate.ufrag.as_str())) => early += 1,
            _ => {}
        }
    }
    vec!["candidate-before-description".to_owned(); early]
}

/// Marks for calls that met others: dials that crossed, lines that were busy, and calls that came while the caller's call
/// before was still there.
fn meetings(trace: &Trace) -> Vec<String> {
    let mut marks = Vec::new();
    let mut rings: BTreeSet<(Option<&str>, &str, &str)> = BTreeSet::new();
    for event in &trace.events {
        let host = event.host.as_deref();
        match &event.kind {
            EventKind::Call {
                what: CallEvent::Over {
                    outcome: CallOutcome::Glare,
                },
                ..
            } => marks.push("glare"),
            EventKind::Call {
                what: CallEvent::Over {
                    outcome: CallOutcome::Busy,
                },
                ..
            } => marks.push("told-busy"),
            EventKind::Call {
                call,
                what: CallEvent::Over { .. },
            } => rings.retain(|(h, _, c)| *h != host || *c != call.as_str()),
            EventKind::Call {
                call,
                what: CallEvent::Rings { from },
            } => {
                if rings.iter().any(|(h, f, _)| *h == host && *f == from.as_str()) {
                    marks.push("dialed-again");
                }
                rings.insert((host, from, call));
            }
            _ => {}
        }
    }
    marks.into_iter().map(str::to_owned).collect()
}

/// A mark for each answer that a peer applied after its first: both ends kept their peers, and restarted ICE on them.
fn restarts(trace: &Trace) -> Vec<String> {
    let mut answered = BTreeSet::new();
    let again = trace.events.iter().filter(|e| match &e.kind {
        EventKind::Described {
            peer,
            remote: true,
            kind,
            ..
        } if kind == "answer" => !answered.insert((e.host.as_deref(), peer)),
        _ => false,
    });
    vec!["ice-restarted".to_owned(); again.count()]
}

/// A mark for each attempt that an app began by itself, because the one before had come to nothing.
fn recoveries(trace: &Trace) -> Vec<String> {
    let again = |e: &&Event| match &e.kind {
        EventKind::PeerCreated { peer, offers: true } => peer.attempt > 1,
        _ => false,
    };
    let retried = |e: &&Event| matches!(e.kind.intent(), Some(Intent::Retry { .. }));
    let begun = trace.events.iter().filter(again).count();
    let asked = trace.events.iter().filter(retried).count();
    vec!["attempt-recovered".to_owned(); begun.saturating_sub(asked)]
}

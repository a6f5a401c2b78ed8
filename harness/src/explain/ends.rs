//! What the ends of a call came to: what their users wanted, what they said to each other, what they showed, and what struck it.

use super::{Link, case::Case, words};
use crate::{
    fault::Plan,
    oracle::calls::Call,
    trace::{CallEvent, Event, EventKind, SERVICE, SignalDirection},
};

/// The most steps that are told: the last before what decided.
const MOST: usize = 24;

/// Told where what decided is something that a user wanted, or that an end said or showed; or where nothing decided.
pub(super) fn of(case: &Case<'_>) -> Vec<Link> {
    let Some(call) = &case.call else {
        return Vec::new();
    };
    if case.decided.is_some_and(|e| !is_of_users(&e.kind)) {
        return Vec::new();
    }
    let events = &case.record.trace.events;
    let end = match case.decided {
        // What came of a wish is seen after it.
        Some(event) if event.kind.intent().is_none() => event.seq,
        _ => events
            .iter()
            .find(|e| e.kind == EventKind::CleanUp)
            .map_or(u64::MAX, |e| e.seq),
    };
    let told = events.iter().take_while(|e| e.seq <= end);
    let mut chain: Vec<Link> = told.filter_map(|e| step(&case.record.plan, call, e)).collect();
    chain.drain(..chain.len().saturating_sub(MOST));
    if let Some(event) = case.decided.filter(|e| e.kind.intent().is_some()) {
        chain.push(Link::new(
            event,
            "nothing of what was due came of this".to_owned(),
        ));
    }
    chain
}

fn is_of_users(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::Intended { .. }
            | EventKind::Call { .. }
            | EventKind::Signal { .. }
            | EventKind::Closing { .. }
            | EventKind::Obeyed { .. }
    )
}

/// What an event says of `call`, in a few words.
fn step(plan: &Plan, call: &Call<'_>, event: &Event) -> Option<Link> {
    let host = event.host.as_deref().unwrap_or("the network");
    let is_end = [call.caller, call.callee].contains(&host);
    let what = match &event.kind {
        EventKind::PointImpaired { fault, point, detail } => {
            let what = if detail.is_empty() { point } else { detail };
            format!("{what} met {}", words::fault(plan, *fault))
        }
        EventKind::Crashed if is_end => format!("{host} goes down"),
        kind if kind.call() != Some(call.name) => return None,
        EventKind::Intended { intent, .. } => format!("the user of {host} {}", intent.name()),
        EventKind::Call { what, .. } => format!("{host} shows {}", shown(what)),
        EventKind::Signal {
            direction,
            with,
            message,
            candidate: None,
            ..
        } if with == SERVICE => match direction {
            SignalDirection::Sent => format!("{host} sends {message}"),
            SignalDirection::Received => format!("{host} receives {message}"),
        },
        EventKind::SignalImpaired { fault, message, .. } => {
            format!("the {message} met {}", words::fault(plan, *fault))
        }
        EventKind::SignalUndeliverable { to, message, .. } => {
            format!("the server had nobody to give the {message} to: {to} was not connected")
        }
        EventKind::Closing { peer } => format!("{host} closes {peer}"),
        EventKind::Failed { step, error } => format!("{step} of {host} failed: {error}"),
        _ => return None,
    };
    Some(Link::new(event, what))
}

fn shown(what: &CallEvent) -> String {
    match what {
        CallEvent::Rings { from } => format!("that {from} calls"),
        CallEvent::Silent => "that it rings no more".to_owned(),
        CallEvent::Connected => "that it is connected".to_owned(),
        CallEvent::Over { outcome } => format!("that it is over: {outcome}"),
    }
}

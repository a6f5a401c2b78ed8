//! The ends of a call: users' intents, signaling messages, what the apps showed, and the faults that took effect.

use super::{Link, case::Case, descriptions, states};
use crate::{
    fault::Plan,
    trace::{CallEvent, Event, EventKind, SERVICE, SignalDirection},
};

/// The largest number of steps in the explanation: the last ones before the deciding event.
const MOST: usize = 24;

/// Explains a call whose deciding event is a user's intent, a signaling message or a call event, or came after a call
/// was shown to be over; or a call without a deciding event.
pub(super) fn of(case: &Case<'_>) -> Vec<Link> {
    let Some(call) = &case.named else {
        return Vec::new();
    };
    if case
        .decided
        .is_some_and(|e| !is_of_users(&e.kind) && !is_over(case, call, e))
    {
        return Vec::new();
    }
    let events = &case.record.trace.events;
    let clean_up = events.iter().find(|e| e.kind == EventKind::CleanUp);
    let end = match case.decided {
        // The effects of an intent come after it.
        Some(event) if event.kind.intent().is_none() => event.seq,
        _ => clean_up.map_or(u64::MAX, |e| e.seq),
    };
    let told = events.iter().take_while(|e| e.seq <= end);
    let mut chain: Vec<Link> = told.filter_map(|e| step(&case.record.plan, call, e)).collect();
    chain.drain(..chain.len().saturating_sub(MOST));
    chain.extend(case.decided.and_then(|event| {
        let host = event.host.as_deref().unwrap_or("the network");
        match states::describe(&case.record.plan, &event.kind) {
            Some(_) if event.kind.intent().is_some() => Some(Link::new(
                event,
                "what was due did not come of this in time".to_owned(),
            )),
            Some(description) if !is_of_users(&event.kind) => {
                Some(Link::new(event, format!("{host}: {description}")))
            }
            _ => None,
        }
    }));
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

/// Reports whether the host of `event` had shown before that `call` is over.
fn is_over(case: &Case<'_>, call: &str, event: &Event) -> bool {
    let before = &case.record.trace.events[..event.seq as usize];
    before.iter().any(|e| {
        e.host == event.host
            && matches!(&e.kind, EventKind::Call { call: c, what: CallEvent::Over { .. } } if c == call)
    })
}

/// Describes an event of `call` in a few words.
fn step(plan: &Plan, call: &str, event: &Event) -> Option<Link> {
    let host = event.host.as_deref().unwrap_or("the network");
    let what = match &event.kind {
        EventKind::PointImpaired { fault, point, detail } => {
            let what = if detail.is_empty() { point } else { detail };
            format!("{what} met {}", descriptions::fault(plan, *fault))
        }
        EventKind::Crashed => format!("{host} goes down"),
        kind if kind.call() != Some(call) => return None,
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
            format!("the {message} met {}", descriptions::fault(plan, *fault))
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

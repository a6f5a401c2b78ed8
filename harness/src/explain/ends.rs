//! The ends of a call: users' intents, signaling messages, what the apps showed, and the faults that took effect.

use super::{Link, MOST, case::Case, descriptions, states};
use crate::{
    fault::Plan,
    trace::{CallEvent, Event, EventKind, Intent, SERVICE, SignalDirection, leg_of},
};

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
    let calls = with_legs(case, call);
    let told = events.iter().take_while(|e| e.seq <= end);
    let mut chain: Vec<Link> = told
        .filter_map(|e| step(&case.record.plan, &calls, e).or_else(|| alike(case, &calls, e)))
        .collect();
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

/// Returns the names of `call` and, if it is a leg of a call to several devices, of that call and its other legs.
fn with_legs(case: &Case<'_>, call: &str) -> Vec<String> {
    let intents = case.record.trace.events.iter().filter_map(|e| e.kind.intent());
    let forks = intents.filter_map(|intent| match intent {
        Intent::DialUser { call, devices, .. } => Some((call, devices)),
        _ => None,
    });
    let mut families = forks.map(|(call, devices)| {
        let legs = devices.iter().map(|device| leg_of(call, device));
        legs.chain([call.clone()]).collect::<Vec<_>>()
    });
    families
        .find(|family| family.iter().any(|c| c == call))
        .unwrap_or_else(|| vec![call.to_owned()])
}

/// Describes an event of `calls` that is like the deciding one, where that is a peer's.
fn alike(case: &Case<'_>, calls: &[String], event: &Event) -> Option<Link> {
    let decided = &case.decided?.kind;
    if std::mem::discriminant(decided) != std::mem::discriminant(&event.kind)
        || !event
            .kind
            .call()
            .is_some_and(|call| calls.iter().any(|c| c == call))
    {
        return None;
    }
    let host = event.host.as_deref().unwrap_or("the network");
    let what = match &event.kind {
        EventKind::Usable { peer } => format!("{host} can talk over {peer}"),
        EventKind::DescriptionCreated { peer, kind, .. } => format!("{host} makes the {kind} of {peer}"),
        _ => return None,
    };
    Some(Link::new(event, what))
}

fn is_of_users(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::Usable { .. }
            | EventKind::DescriptionCreated { .. }
            | EventKind::Intended { .. }
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

/// Describes an event of `calls` in a few words.
fn step(plan: &Plan, calls: &[String], event: &Event) -> Option<Link> {
    let host = event.host.as_deref().unwrap_or("the network");
    let what = match &event.kind {
        EventKind::PointImpaired { fault, point, detail } => {
            let what = if detail.is_empty() { point } else { detail };
            format!("{what} met {}", descriptions::fault(plan, *fault))
        }
        EventKind::Crashed => format!("{host} goes down"),
        kind if !kind.call().is_some_and(|call| calls.iter().any(|c| c == call)) => return None,
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

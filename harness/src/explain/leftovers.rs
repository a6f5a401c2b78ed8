//! What a host still had at the end, or let go of too early: the lives of its peers, of the factory that they came from, and what
//! the leak check found.

use super::{Link, MOST, case::Case};
use crate::trace::{CallEvent, Event, EventKind};

/// Explains a leak check that found something, or the moment at which an app made or released its factory.
pub(super) fn of(case: &Case<'_>) -> Vec<Link> {
    let is_ours = |e: &&Event| matches!(e.kind, EventKind::LeakCheck { .. } | EventKind::Factory { .. });
    let Some(decided) = case.decided.filter(is_ours) else {
        return Vec::new();
    };
    let events = &case.record.trace.events[..=decided.seq as usize];
    let here = events.iter().filter(|e| e.host == decided.host);
    let mut chain: Vec<Link> = here.filter_map(step).collect();
    chain.drain(..chain.len().saturating_sub(MOST));
    chain
}

fn step(event: &Event) -> Option<Link> {
    let host = event.host.as_deref().unwrap_or("the network");
    let what = match &event.kind {
        EventKind::PeerCreated { peer, .. } => format!("{host} creates {peer}"),
        EventKind::Closing { peer } => format!("{host} closes {peer}"),
        EventKind::Closed { peer } => format!("{peer} of {host} is closed"),
        EventKind::Call {
            call,
            what: CallEvent::Over { outcome },
        } => format!("{host} shows that {call} is over: {outcome}"),
        EventKind::Factory { alive: true } => format!("{host} creates the factory of its peers"),
        EventKind::Factory { alive: false } => format!("{host} releases the factory of its peers"),
        EventKind::Crashed => format!("{host} goes down"),
        EventKind::CleanUp => "the run is cleaned up".to_owned(),
        EventKind::LeakCheck {
            tasks,
            sockets,
            allocations,
        } => found(host, tasks, sockets, *allocations)?,
        _ => return None,
    };
    Some(Link::new(event, what))
}

/// Describes what a leak check found; nothing if it found nothing.
fn found(host: &str, tasks: &[String], sockets: &[String], allocations: u64) -> Option<String> {
    let mut left: Vec<String> = tasks.iter().map(|task| format!("the task {task}")).collect();
    left.extend(sockets.iter().map(|socket| format!("the socket {socket}")));
    left.extend((allocations > 0).then(|| format!("{allocations} allocations of its TURN server")));
    (!left.is_empty()).then(|| format!("{host} still has {}", left.join(", ")))
}

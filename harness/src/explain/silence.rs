//! A call that was connected, and then fell silent, or was never heard: since when, and the fate of what its ends sent.

use super::{Link, case::Case, checks};
use crate::{
    oracle::calls::Call,
    trace::{Event, EventKind, Machine, Trace},
};

/// Explains a call whose deciding event is the last message that was received, or a broken path.
pub(super) fn of(case: &Case<'_>) -> Vec<Link> {
    let (Some(call), Some(decided)) = (&case.call, case.decided) else {
        return Vec::new();
    };
    if !is_silence(&decided.kind) {
        return Vec::new();
    }
    let trace = &case.record.trace;
    let mut chain = Vec::new();
    for (host, other) in [(call.caller, call.callee), (call.callee, call.caller)] {
        chain.extend(checks::lost_since(case.record, host, other, decided.at));
        chain.extend(closing(trace, call, host, decided));
    }
    if chain.is_empty() {
        return chain;
    }
    chain.extend(
        [call.caller, call.callee]
            .into_iter()
            .filter_map(|host| last_heard(trace, call, host)),
    );
    chain.extend(broken(trace, call, decided));
    chain
}

/// Explains a call of which an end is usable and never heard audio, where audio was sent at all: what the other end sent.
pub(super) fn never_heard(case: &Case<'_>) -> Vec<Link> {
    let (Some(call), Some(decided)) = (&case.call, case.decided) else {
        return Vec::new();
    };
    let (EventKind::Usable { .. }, Some(host)) = (&decided.kind, decided.host.as_deref()) else {
        return Vec::new();
    };
    let other = if host == call.caller {
        call.callee
    } else {
        call.caller
    };
    let hears = |e: &Event| matches!(&e.kind, EventKind::HeardAudio { peer, .. } if peer.call == call.name);
    let (sent, of_its_own) = (
        checks::media(case.record, other),
        checks::media(case.record, host),
    );
    if (sent.is_empty() && of_its_own.is_empty()) || case.record.trace.of(host).any(hears) {
        return Vec::new();
    }
    let told = match sent.first() {
        Some(first) => Link::new(
            first,
            format!(
                "the first of {} packets of audio, or of reports about it, of {other}",
                sent.len()
            ),
        ),
        None => Link::new(decided, format!("no packet of audio ever left {other}")),
    };
    let usable = Link::new(
        decided,
        format!("a message has gone both ways, and {host} hears no audio"),
    );
    vec![usable, told]
}

fn is_silence(kind: &EventKind) -> bool {
    match kind {
        EventKind::Heard { .. } | EventKind::HeardAudio { .. } => true,
        EventKind::State { machine, state, .. } => {
            matches!(machine, Machine::Ice | Machine::Connection)
                && matches!(state.as_str(), "disconnected" | "failed")
        }
        _ => false,
    }
}

fn last_heard(trace: &Trace, call: &Call<'_>, host: &str) -> Option<Link> {
    let heard = |e: &&Event| matches!(&e.kind, EventKind::Heard { peer } if peer.call == call.name);
    let last = trace.of(host).filter(heard).last()?;
    Some(Link::new(
        last,
        format!("{host} hears the other end for the last time"),
    ))
}

/// Returns a link if an end closed its peer, before the run was cleaned up, or crashed with its host.
fn closing(trace: &Trace, call: &Call<'_>, host: &str, decided: &Event) -> Option<Link> {
    let before = trace.events.iter().take_while(|e| e.kind != EventKind::CleanUp);
    // The last received message can come after the other end has begun to close.
    let mut of_host = before.filter(|e| e.is_on(host) && e.at >= call.dialed && e.kind != decided.kind);
    of_host.find_map(|e| match &e.kind {
        EventKind::Closing { peer } if peer.call == call.name => {
            Some(Link::new(e, format!("the app on {host} closes {peer}")))
        }
        EventKind::Crashed if e.at >= decided.at => Some(Link::new(e, format!("{host} goes down"))),
        _ => None,
    })
}

/// Returns the states in which ICE or the connection of an end broke, from `decided` on.
fn broken(trace: &Trace, call: &Call<'_>, decided: &Event) -> Vec<Link> {
    let later = trace.events.iter().filter(|e| e.at >= decided.at);
    let link = |e: &Event| match &e.kind {
        EventKind::State { peer, machine, state } if peer.call == call.name && is_silence(&e.kind) => {
            let host = e.host.as_deref().unwrap_or_default();
            Some(Link::new(e, format!("{machine} of {host}: {state}")))
        }
        _ => None,
    };
    later.filter_map(link).collect()
}

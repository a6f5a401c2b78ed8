//! The life of a remote candidate: gathered, sent, passed on, received, and then applied, refused or discarded.

use super::Link;
use crate::{
    fault::Plan,
    oracle::calls::Call,
    time::SimTime,
    trace::{Candidate, Event, EventKind, SignalDirection, Trace},
};

/// Explains the first candidate of `call` that a peer refused or discarded.
pub(super) fn lost(plan: &Plan, trace: &Trace, call: &Call<'_>) -> Vec<Link> {
    let is_lost = |e: &&Event| match &e.kind {
        EventKind::CandidateRefused { peer, .. } => peer.call == call.name,
        _ => false,
    };
    let mut lost = trace.events.iter().filter(is_lost);
    let Some(first) = lost.next() else {
        return Vec::new();
    };
    let mut chain = life(plan, trace, first);
    let more = lost.count();
    if let Some(last) = chain.last_mut().filter(|_| more > 0) {
        last.what.push_str(&format!(", and {more} more like it"));
    }
    chain
}

/// Returns the life of the candidate that `event` is about, up to there, beside that of its description.
pub(super) fn life(plan: &Plan, trace: &Trace, event: &Event) -> Vec<Link> {
    let (Some(candidate), Some(host)) = (candidate_of(&event.kind), event.host.as_deref()) else {
        return Vec::new();
    };
    let mut chain = Vec::new();
    if let Some(gathered) = gathered(trace, candidate) {
        let origin = gathered.host.as_deref().unwrap_or_default();
        chain.push(Link::new(
            gathered,
            format!("{origin} gathered its candidate {candidate}"),
        ));
        let waypoints = waypoints(plan, origin, host);
        chain.extend(overtaking(trace, candidate, origin, waypoints));
    }
    chain.extend(end(trace, event, candidate, host));
    chain
}

fn candidate_of(kind: &EventKind) -> Option<&Candidate> {
    match kind {
        EventKind::CandidateRefused { candidate, .. }
        | EventKind::CandidateApplied { candidate, .. }
        | EventKind::Signal {
            direction: SignalDirection::Received,
            candidate: Some(candidate),
            ..
        } => Some(candidate),
        _ => None,
    }
}

fn gathered<'a>(trace: &'a Trace, candidate: &Candidate) -> Option<&'a Event> {
    trace.events.iter().find(
        |e| matches!(&e.kind, EventKind::Gathered { candidate: Some(c), .. } if c.attribute == candidate.attribute),
    )
}

/// A place that a signaling message passes.
struct Waypoint {
    host: String,
    direction: SignalDirection,
    description: String,
}

fn waypoints(plan: &Plan, origin: &str, host: &str) -> Vec<Waypoint> {
    // An app with its own signaling records it at its ends, if at all.
    let service = plan.signaling.as_ref().map_or("", |service| &*service.host);
    let waypoint = |host: &str, direction, description: String| Waypoint {
        host: host.to_owned(),
        direction,
        description,
    };
    let (sent, received) = (SignalDirection::Sent, SignalDirection::Received);
    vec![
        waypoint(origin, sent, format!("{origin} sent it")),
        waypoint(
            service,
            received,
            format!("on the way from {origin} to the server"),
        ),
        waypoint(service, sent, "in the server".to_owned()),
        waypoint(host, received, format!("on the way from the server to {host}")),
    ]
}

/// Returns the event at which a message passed `waypoint` for the first time.
fn passed<'a>(trace: &'a Trace, waypoint: &Waypoint, is: impl Fn(&EventKind) -> bool) -> Option<&'a Event> {
    let there = |e: &&Event| match &e.kind {
        EventKind::Signal { direction, .. } => *direction == waypoint.direction && is(&e.kind),
        _ => false,
    };
    let of_host = |e: &&Event| e.host.as_deref() == Some(&waypoint.host);
    trace.events.iter().filter(of_host).find(there)
}

fn carries(candidate: &Candidate) -> impl Fn(&EventKind) -> bool {
    move |kind| matches!(kind, EventKind::Signal { candidate: Some(c), .. } if c == candidate)
}

fn describes(ufrag: &str) -> impl Fn(&EventKind) -> bool {
    move |kind| {
        matches!(kind, EventKind::Signal { message, ufrag: Some(u), candidate: None, .. }
            if u == ufrag && (message == "offer" || message == "answer"))
    }
}

/// Returns the waypoint at which the candidate overtook the description of its generation: where its lead grew most.
fn overtaking(trace: &Trace, candidate: &Candidate, origin: &str, waypoints: Vec<Waypoint>) -> Option<Link> {
    let kind = description_kind(trace, &candidate.ufrag);
    let mut lead_before = 0;
    let mut most: Option<(i128, &Event, Waypoint, String)> = None;
    for waypoint in waypoints {
        let Some(first) = passed(trace, &waypoint, carries(candidate)) else {
            break;
        };
        let Some(description) = passed(trace, &waypoint, describes(&candidate.ufrag)) else {
            let never = format!(
                "the {kind} never came as far as the candidate: {}",
                waypoint.description
            );
            return Some(Link::new(first, never));
        };
        let lead = description.at.as_nanos() as i128 - first.at.as_nanos() as i128;
        let gained = lead - lead_before;
        if lead > 0 && most.as_ref().is_none_or(|(best, ..)| gained > *best) {
            most = Some((gained, first, waypoint, ms(first.at, description.at)));
        }
        lead_before = lead;
    }
    let (_, first, waypoint, by) = most?;
    let what = if first.host.as_deref() == Some(origin) {
        format!("{} {by} before the {kind}", waypoint.description)
    } else {
        format!(
            "the candidate overtook the {kind} {}: it was {by} ahead",
            waypoint.description
        )
    };
    Some(Link::new(first, what))
}

fn description_kind<'a>(trace: &'a Trace, ufrag: &str) -> &'a str {
    let described = trace.events.iter().find_map(|e| match &e.kind {
        EventKind::Described { kind, ufrag: u, .. } if u == ufrag => Some(kind.as_str()),
        _ => None,
    });
    described.unwrap_or("description")
}

fn ms(from: SimTime, to: SimTime) -> String {
    match (to - from).as_micros() {
        us if us < 1_000 => format!("{us} us"),
        us => format!("{} ms", us / 1_000),
    }
}

/// Explains what `host` did with the candidate in the end.
fn end(trace: &Trace, event: &Event, candidate: &Candidate, host: &str) -> Vec<Link> {
    let received = trace.of(host).find(|e| {
        matches!(&e.kind, EventKind::Signal { direction: SignalDirection::Received, candidate: Some(c), .. } if c == candidate)
    });
    let described = trace.of(host).find(
        |e| matches!(&e.kind, EventKind::Described { remote: true, ufrag, .. } if *ufrag == candidate.ufrag),
    );
    let mut chain = Vec::new();
    if let Some(received) = received.filter(|r| r.seq != event.seq) {
        let state = match described {
            Some(d) if d.at > received.at => {
                format!(
                    "; it had no remote description until {}",
                    ms(received.at, d.at) + " later"
                )
            }
            None => "; it never had that remote description".to_owned(),
            Some(_) => String::new(),
        };
        chain.push(Link::new(
            received,
            format!("{host} received the candidate{state}"),
        ));
    }
    if let EventKind::CandidateApplied { into, .. } = &event.kind
        && *into != candidate.ufrag
    {
        let replaced = trace
            .of(host)
            .find(|e| matches!(&e.kind, EventKind::Described { remote: true, ufrag, .. } if ufrag == into));
        chain.extend(
            replaced.map(|e| Link::new(e, format!("{host} set the remote description of another attempt"))),
        );
    }
    let what = match &event.kind {
        EventKind::CandidateRefused { error, .. } => {
            format!("the stack refused it ({error}), and it is lost")
        }
        EventKind::CandidateApplied { into, .. } if *into != candidate.ufrag => {
            format!("{host} gave the candidate to the generation of that other attempt")
        }
        EventKind::CandidateApplied { .. } => format!("{host} applied it, not for the first time"),
        _ => format!("{host} received the candidate and never applied it"),
    };
    chain.push(Link::new(event, what));
    chain
}

//! What the stack does on the wire, whatever the client does, and what comes of it. Each exception names what must have been sent or
//! received before.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use sleet::{
    oracle::Verdict,
    prelude::*,
    trace::{Event, EventKind, Machine, StunLine},
};

use super::{may_show, relays};

/// How often the stack asks before it gives up: a pair, and a TURN server.
const ASKS: usize = 7;
/// The longest pause before a request to a TURN server is sent again (finding 0024).
const LONGEST_PAUSE: Duration = Duration::from_millis(1_700);
/// The time in which an end has to check back.
const CHECKS_BACK: Duration = Duration::from_secs(1);
/// The time between the last message that a TURN client passes on and the packet after which it passes nothing on.
const FALLS_SILENT: Duration = Duration::from_secs(1);

/// Judges checks and what goes over relays, but for what is known of the stack: it gives a pair up for good that was checked in vain
/// (finding 0001), checks nothing while a TURN server does not answer (finding 0008), and takes a permission for granted that it has
/// asked for in vain (finding 0013).
pub(crate) fn on_the_wire(scenario: Scenario) -> Scenario {
    let silent = |_: &Plan| Some(may_show(|evidence| gave_up_or_waits(evidence).unwrap_or(false)));
    let unanswered =
        |plan: &Plan| relays(plan).then_some(may_show(|evidence| asked_in_vain(evidence).unwrap_or(false)));
    scenario
        .holds(&[&WIRE_05_TRIGGERED, &TURN_01_PERMITTED])
        .expects(Expectation::known_defect(&WIRE_05_TRIGGERED, silent))
        .expects(Expectation::known_defect(&TURN_01_PERMITTED, unanswered))
}

/// A call in a storm, but for what comes of damaged packets that arrive when it is over: a TURN client that has received one reads no
/// more (finding 0017), and an agent that waits for its server looks at nothing else (finding 0008), and then skips *disconnected*.
pub(super) fn of_deaf_clients(scenario: Scenario) -> Scenario {
    let deaf =
        |plan: &Plan| relays(plan).then_some(may_show(|evidence| fell_deaf(evidence).unwrap_or(false)));
    let held_up =
        |plan: &Plan| relays(plan).then_some(may_show(|evidence| was_held_up(evidence).unwrap_or(false)));
    scenario
        .expects(Expectation::known_defect(&TALK_01_TO_THE_END, deaf))
        .expects(Expectation::known_defect(&STATE_01_EDGES, held_up))
}

/// Whether the end that hears nothing any more received a damaged packet of a TURN server within a second of the last that it heard.
fn fell_deaf(evidence: Evidence<'_>) -> Option<bool> {
    let last = decided(&TALK_01_TO_THE_END, evidence)?;
    let is_server = |host: &str| evidence.plan.ice_servers.iter().any(|server| server.host == host);
    let mut damaged = BTreeSet::new();
    let mut from_servers = BTreeSet::new();
    for event in &evidence.trace.events {
        match &event.kind {
            EventKind::PacketSent { packet, .. } if event.host.as_deref().is_some_and(is_server) => {
                from_servers.insert(*packet);
            }
            EventKind::PacketCorrupted { packet, .. } | EventKind::PacketTruncated { packet, .. } => {
                damaged.insert(*packet);
            }
            EventKind::PacketDelivered { packet }
                if event.host == last.host
                    && (last.at..last.at + FALLS_SILENT).contains(&event.at)
                    && damaged.contains(packet)
                    && from_servers.contains(packet) =>
            {
                return Some(true);
            }
            _ => {}
        }
    }
    Some(false)
}

/// Whether ICE goes from *connected* to *failed* when it has waited for a TURN server.
fn was_held_up(evidence: Evidence<'_>) -> Option<bool> {
    let failed = decided(&STATE_01_EDGES, evidence)?;
    let of_ice = |event: &Event| match &event.kind {
        EventKind::State {
            peer,
            machine: Machine::Ice,
            state,
        } => Some((peer.clone(), state.clone())),
        _ => None,
    };
    let (peer, state) = of_ice(failed)?;
    let host = failed.host.as_deref()?;
    let before = evidence.trace.of(host).take_while(|event| event.seq < failed.seq);
    let last = before.filter_map(of_ice).filter(|(of, _)| *of == peer).last();
    let skips = state == "failed" && last.is_some_and(|(_, state)| state == "connected");
    Some(skips && waits(evidence, host, failed))
}

/// Whether the end that does not check back had checked the other seven times, or waits for a TURN server.
fn gave_up_or_waits(evidence: Evidence<'_>) -> Option<bool> {
    let (decides, says) = deciding(&WIRE_05_TRIGGERED, evidence)?;
    let asked = StunLine::between_ends(says)?.asks?;
    let back = |line: &StunLine<'_>| line.is_check() && line.asks.map(|(to, from)| (from, to)) == Some(asked);
    let host = decides.host.as_deref()?;
    let checks = sent(evidence, host).filter(|(event, line)| event.seq < decides.seq && back(line));
    Some(checks.count() >= ASKS || waits(evidence, host, decides))
}

/// Whether `host` asks a TURN server again and again at the time of `event`.
fn waits(evidence: Evidence<'_>, host: &str, event: &Event) -> bool {
    let mut requests: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for (sent, line) in sent(evidence, host) {
        if let (Some(id), false) = (line.id, line.method == "binding") {
            requests.entry(id).or_default().push(sent.at);
        }
    }
    requests.values().any(|at| {
        let (first, last) = (at[0], at[at.len() - 1]);
        at.len() > 1 && first <= event.at + CHECKS_BACK && event.at <= last + LONGEST_PAUSE
    })
}

/// Whether the permission that is missing had been asked for seven times.
fn asked_in_vain(evidence: Evidence<'_>) -> Option<bool> {
    let (decides, says) = deciding(&TURN_01_PERMITTED, evidence)?;
    let to = StunLine::read(says)?.peers.first()?.ip();
    let asks = |line: &StunLine<'_>| {
        line.method == "create-permission" && line.peers.iter().any(|peer| peer.ip() == to)
    };
    let before = sent(evidence, decides.host.as_deref()?).take_while(|(event, _)| event.seq < decides.seq);
    Some(before.filter(|(_, line)| asks(line)).count() >= ASKS)
}

/// Returns the event that decides `oracle`.
pub(super) fn decided<'a>(oracle: &Oracle, evidence: Evidence<'a>) -> Option<&'a Event> {
    let Verdict::Fail(violation) = (oracle.check)(evidence) else {
        return None;
    };
    let mut events = evidence.trace.events.iter();
    events.find(|event| Some(event.seq) == violation.event)
}

/// Returns the event that decides `oracle`, and what its packet says.
fn deciding<'a>(oracle: &Oracle, evidence: Evidence<'a>) -> Option<(&'a Event, &'a str)> {
    let decides = decided(oracle, evidence)?;
    let events = &evidence.trace.events;
    let (EventKind::PacketSent { packet, .. } | EventKind::PacketDelivered { packet }) = &decides.kind else {
        return None;
    };
    let says = events.iter().find_map(|event| match &event.kind {
        EventKind::PacketSent {
            packet: sent, says, ..
        } if sent == packet => Some(says.as_str()),
        _ => None,
    })?;
    Some((decides, says))
}

/// Returns the STUN messages that `host` sent, those inside others in their place.
fn sent<'a>(evidence: Evidence<'a>, host: &'a str) -> impl Iterator<Item = (&'a Event, StunLine<'a>)> {
    evidence.trace.of(host).filter_map(|event| match &event.kind {
        EventKind::PacketSent { says, .. } => Some((event, StunLine::between_ends(says)?)),
        _ => None,
    })
}

//! What the stack does on the wire, whatever the client does. Each exception names what must have been sent before.

use std::{collections::BTreeMap, time::Duration};

use sleet::{
    oracle::Verdict,
    prelude::*,
    trace::{Event, EventKind, StunLine},
};

use super::relays;

/// How often the stack asks before it gives up: a pair, and a TURN server.
const ASKS: usize = 7;
/// The longest pause before a request to a TURN server is sent again (finding 0024).
const LONGEST_PAUSE: Duration = Duration::from_millis(1_700);
/// The time in which an end has to check back.
const CHECKS_BACK: Duration = Duration::from_secs(1);

/// Judges checks and what goes over relays, but for what is known of the stack: it gives a pair up for good that was checked in vain
/// (finding 0001), checks nothing while a TURN server does not answer (finding 0008), and takes a permission for granted that it has
/// asked for in vain (finding 0013).
pub(crate) fn on_the_wire(scenario: Scenario) -> Scenario {
    let silent = |_: &Plan| {
        Some(KnownDefect {
            always: false,
            explains: |evidence| gave_up_or_waits(evidence).unwrap_or(false),
            with: &[],
        })
    };
    let unanswered = |plan: &Plan| {
        relays(plan).then_some(KnownDefect {
            always: false,
            explains: |evidence| asked_in_vain(evidence).unwrap_or(false),
            with: &[],
        })
    };
    scenario
        .holds(&[&WIRE_05_TRIGGERED, &TURN_01_PERMITTED])
        .expects(Expectation::known_defect(&WIRE_05_TRIGGERED, silent))
        .expects(Expectation::known_defect(&TURN_01_PERMITTED, unanswered))
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

/// Returns the event that decides `oracle`, and what its packet says.
fn deciding<'a>(oracle: &Oracle, evidence: Evidence<'a>) -> Option<(&'a Event, &'a str)> {
    let Verdict::Fail(violation) = (oracle.check)(evidence) else {
        return None;
    };
    let events = &evidence.trace.events;
    let decides = events.iter().find(|event| Some(event.seq) == violation.event)?;
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

//! Marks that say what became of candidates, hangups and calls on several devices, derived from what adapters recorded: a client
//! under test sets none of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::trace::{
    CallEvent, CallOutcome, Candidate, Event, EventKind, Intent, PeerId, SERVICE, SignalDirection, Trace,
    leg_of,
};

/// The marks of `trace`, one for each time.
pub(super) fn marks(trace: &Trace) -> Vec<String> {
    let each = [
        candidates_that_waited(trace),
        stale_candidates(trace),
        hangups_that_did_not_wait(trace),
        told_again(trace),
        candidates_of_other_calls(trace),
    ];
    let each = each.into_iter().flatten().chain(forks(trace));
    each.map(str::to_owned).collect()
}

/// A message that a client sent or received, and its call.
fn said(event: &Event, way: SignalDirection) -> Option<(&str, &str)> {
    match &event.kind {
        EventKind::Signal {
            direction,
            with,
            message,
            call: Some(call),
            ..
        } if *direction == way && with == SERVICE => Some((message, call)),
        _ => None,
    }
}

/// The candidate of a message that a client sent or received.
fn candidate(event: &Event, way: SignalDirection) -> Option<&Candidate> {
    said(event, way)?;
    match &event.kind {
        EventKind::Signal { candidate, .. } => candidate.as_ref(),
        _ => None,
    }
}

/// Candidates that were gathered before, and sent after, the other end had said that it has the description.
fn candidates_that_waited(trace: &Trace) -> Vec<&'static str> {
    let mut gathered = BTreeMap::new();
    let mut joined: BTreeMap<_, u64> = BTreeMap::new();
    let mut waited = 0;
    for event in &trace.events {
        let host = event.host.as_deref();
        if let Some(sent) = candidate(event, SignalDirection::Sent) {
            let from = gathered.get(&(host, sent.attribute.as_str(), sent.ufrag.as_str()));
            let joined = joined.get(&(host, sent.ufrag.as_str()));
            waited += usize::from(from.zip(joined).is_some_and(|(from, joined)| from < joined));
        }
        match &event.kind {
            EventKind::Gathered {
                candidate: Some(c), ..
            } => drop(gathered.insert((host, c.attribute.as_str(), c.ufrag.as_str()), event.seq)),
            EventKind::Signal {
                direction: SignalDirection::Received,
                message,
                ufrag: Some(ufrag),
                ..
            } if message == "joined" => {
                joined.entry((host, ufrag.as_str())).or_insert(event.seq);
            }
            _ => {}
        }
    }
    vec!["local-candidate-buffered"; waited]
}

/// Candidates that came when another generation had taken the place of theirs, and that no peer was given.
fn stale_candidates(trace: &Trace) -> Vec<&'static str> {
    let mut current: BTreeMap<(Option<&str>, &str), &str> = BTreeMap::new();
    let mut past = BTreeSet::new();
    let mut stale: Vec<(Option<&str>, &Candidate)> = Vec::new();
    for event in &trace.events {
        let host = event.host.as_deref();
        if let Some(came) = candidate(event, SignalDirection::Received)
            && past.contains(&(host, came.ufrag.as_str()))
        {
            stale.push((host, came));
        }
        match &event.kind {
            EventKind::Crashed => {
                current.retain(|(h, _), _| *h != host);
                past.retain(|(h, _)| *h != host);
            }
            EventKind::Described {
                peer,
                remote: true,
                ufrag,
                ..
            } => {
                let before = current.insert((host, peer.call.as_str()), ufrag);
                past.extend(before.filter(|b| b != ufrag).map(|b| (host, b)));
            }
            EventKind::PeerCreated { peer, .. } => {
                let before = current.remove(&(host, peer.call.as_str()));
                past.extend(before.map(|b| (host, b)));
            }
            EventKind::CandidateApplied { candidate, .. } | EventKind::CandidateRefused { candidate, .. } => {
                stale.retain(|(h, c)| (*h, &c.attribute) != (host, &candidate.attribute));
            }
            _ => {}
        }
    }
    vec!["stale-candidate-discarded"; stale.len()]
}

/// Hangups that returned while a peer of their call was still being closed.
fn hangups_that_did_not_wait(trace: &Trace) -> Vec<&'static str> {
    let mut hung_up: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
    let mut closing: BTreeSet<(Option<&str>, &PeerId)> = BTreeSet::new();
    let mut marks = Vec::new();
    for event in &trace.events {
        let host = event.host.as_deref();
        match &event.kind {
            EventKind::Intended {
                id,
                intent: Intent::HangUp { call },
            } => drop(hung_up.entry(*id).or_default().insert(call)),
            EventKind::Closing { peer } => drop(closing.insert((host, peer))),
            EventKind::Closed { peer, .. } => drop(closing.remove(&(host, peer))),
            EventKind::Obeyed { id } => {
                let calls = hung_up.remove(id).unwrap_or_default();
                let open = |(h, peer): &&(Option<&str>, &PeerId)| *h == host && calls.contains(&*peer.call);
                marks.extend(closing.iter().find(open).map(|_| "hangup-did-not-wait"));
            }
            _ => {}
        }
    }
    marks
}

/// Ends that were said to who did not know that the call is over, and went on with it.
fn told_again(trace: &Trace) -> Vec<&'static str> {
    let mut over = BTreeSet::new();
    let mut asked = BTreeSet::new();
    let mut marks = Vec::new();
    for event in &trace.events {
        let host = event.host.as_deref();
        if let EventKind::Call {
            call,
            what: CallEvent::Over { .. },
        } = &event.kind
        {
            over.insert((host, call.as_str()));
        }
        match said(event, SignalDirection::Received) {
            Some(("offer" | "answer" | "ringing" | "joined" | "try-again", call))
                if over.contains(&(host, call)) =>
            {
                asked.insert((host, call));
            }
            _ => {}
        }
        match said(event, SignalDirection::Sent) {
            Some(("hangup" | "reject" | "busy" | "glare" | "elsewhere", call))
                if asked.remove(&(host, call)) =>
            {
                marks.push("told-that-the-call-is-over");
            }
            _ => {}
        }
    }
    marks
}

/// Candidates of a call that is not there (any more), while another is; and of one that is not there yet.
fn candidates_of_other_calls(trace: &Trace) -> Vec<&'static str> {
    let mut live = BTreeSet::new();
    let mut over = BTreeSet::new();
    let mut marks = Vec::new();
    for event in &trace.events {
        let host = event.host.as_deref();
        if let Some(("candidate", of)) = said(event, SignalDirection::Received)
            && !live.contains(&(host, of))
        {
            let other = live.iter().any(|(h, _)| *h == host);
            marks.extend(other.then_some("candidate-of-another-call"));
            let early = !over.contains(&(host, of));
            marks.extend(early.then_some("candidate-before-call"));
        }
        match &event.kind {
            EventKind::Intended {
                intent: Intent::Dial { call, .. },
                ..
            }
            | EventKind::Call {
                call,
                what: CallEvent::Rings { .. },
            } => drop(live.insert((host, call.as_str()))),
            EventKind::Call {
                call,
                what: CallEvent::Over { .. },
            } => {
                live.remove(&(host, call.as_str()));
                over.insert((host, call.as_str()));
            }
            EventKind::Crashed => live.retain(|(h, _)| *h != host),
            _ => {}
        }
    }
    marks
}

/// What came of calls to somebody with several devices.
fn forks(trace: &Trace) -> impl Iterator<Item = &'static str> {
    let dials = trace.events.iter().filter_map(|e| match e.kind.intent() {
        Some(Intent::DialUser { call, devices, .. }) => Some((e, call, devices)),
        _ => None,
    });
    dials.flat_map(|(dial, call, devices)| {
        let legs: Vec<Leg> = devices
            .iter()
            .map(|device| Leg::of(trace, dial, device, &leg_of(call, device)))
            .collect();
        let count = |is: fn(&Leg) -> bool| legs.iter().filter(|leg| is(leg)).count();
        let elsewhere = count(|leg| leg.rang && leg.outcome == Some(CallOutcome::Elsewhere)) > 0;
        let talked = count(|leg| leg.usable) > 0;
        [
            (elsewhere && count(|leg| leg.accepted) > 0, "answered-elsewhere"),
            (elsewhere && count(|leg| leg.refused) > 0, "refused-elsewhere"),
            (count(|leg| leg.accepted) > 1, "picked-up-twice"),
            (
                count(|leg| leg.rang && leg.outcome == Some(CallOutcome::Cancelled)) > 1,
                "cancelled-on-all",
            ),
            (
                talked && count(|leg| leg.crashed && !leg.usable) > 0,
                "answered-without-one",
            ),
            (
                talked && count(|leg| leg.outcome == Some(CallOutcome::Busy)) > 0,
                "busy-on-one-device",
            ),
        ]
        .into_iter()
        .filter_map(|(reached, mark)| reached.then_some(mark))
        .collect::<Vec<_>>()
    })
}

/// What happened to a call on one device.
#[derive(Default)]
struct Leg {
    rang: bool,
    accepted: bool,
    refused: bool,
    usable: bool,
    crashed: bool,
    outcome: Option<CallOutcome>,
}

impl Leg {
    fn of(trace: &Trace, dial: &Event, device: &str, call: &str) -> Self {
        let mut leg = Self::default();
        let mut rings = false;
        for event in trace.of(device) {
            match &event.kind {
                EventKind::Crashed => leg.crashed |= event.seq > dial.seq || !leg.rang,
                EventKind::Usable { peer } if peer.call == call => leg.usable = true,
                EventKind::Intended { intent, .. } if intent.call() == Some(call) && rings => match intent {
                    Intent::Accept { .. } => leg.accepted = true,
                    Intent::Reject { .. } | Intent::HangUp { .. } => leg.refused = true,
                    _ => {}
                },
                EventKind::Call { call: c, what } if c == call => {
                    rings = matches!(what, CallEvent::Rings { .. });
                    leg.rang |= rings;
                    if let CallEvent::Over { outcome } = what {
                        leg.outcome = Some(*outcome);
                    }
                }
                _ => {}
            }
        }
        leg
    }
}

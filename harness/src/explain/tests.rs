//! Tests of the rules of explanation, on events put together by hand.

use super::*;
use crate::{
    fault::Plan,
    net::topology::Topology,
    oracle::calls::Call,
    signaling::SignalingSpec,
    trace::{Candidate, EventKind, SignalDirection, Trace},
};

/// Creates a trace from (milliseconds, host, kind of event).
fn trace(events: Vec<(u64, &str, EventKind)>) -> Trace {
    let event = |(seq, (at, host, kind)): (usize, (u64, &str, EventKind))| Event {
        seq: seq as u64,
        at: SimTime::from_millis(at),
        host: Some(host.to_owned()),
        kind,
    };
    Trace::from_events(events.into_iter().enumerate().map(event).collect())
}

/// Returns a plan with a signaling service and nothing else.
fn served() -> Plan {
    Plan {
        signaling: Some(SignalingSpec::PROMPT),
        ..Plan::new(Topology::default())
    }
}

fn candidate() -> Candidate {
    Candidate {
        attribute: "1 1 udp 2130706431 10.1.0.1 50000 typ host".into(),
        ufrag: "aaaa".into(),
    }
}

fn signal(direction: SignalDirection, message: &str) -> EventKind {
    EventKind::Signal {
        direction,
        with: "anybody".into(),
        message: message.into(),
        call: Some("c1".into()),
        ufrag: Some("aaaa".into()),
        candidate: (message == "candidate").then(candidate),
    }
}

fn described(ufrag: &str) -> EventKind {
    EventKind::Described {
        peer: "c1".into(),
        remote: true,
        kind: "offer".into(),
        ufrag: ufrag.into(),
    }
}

/// Returns the trace of a candidate that is sent after its offer, and that the server passes on 41 ms before it.
fn overtaken(end: EventKind) -> Trace {
    use SignalDirection::{Received, Sent};
    trace(vec![
        (
            0,
            "alice",
            EventKind::Gathered {
                peer: "c1".into(),
                candidate: Some(candidate()),
            },
        ),
        (1, "alice", signal(Sent, "offer")),
        (2, "alice", signal(Sent, "candidate")),
        (11, "server", signal(Received, "offer")),
        (12, "server", signal(Received, "candidate")),
        (14, "server", signal(Sent, "candidate")),
        (24, "bob", signal(Received, "candidate")),
        (24, "bob", end),
        (55, "server", signal(Sent, "offer")),
        (65, "bob", signal(Received, "offer")),
        (70, "bob", described("aaaa")),
    ])
}

fn describe(chain: &[Link]) -> Vec<(u64, &str)> {
    chain
        .iter()
        .map(|l| (l.at.as_millis(), l.what.as_str()))
        .collect()
}

#[test]
fn a_refused_candidate_has_overtaken_its_offer_in_the_server() {
    let trace = overtaken(EventKind::CandidateRefused {
        peer: "c1".into(),
        candidate: candidate(),
        error: "no remote description".into(),
    });
    assert_eq!(
        describe(&candidates::life(&served(), &trace, &trace.events[7])),
        [
            (0, "alice gathered its candidate host 10.1.0.1:50000"),
            (
                14,
                "the candidate overtook the offer in the server: it was 41 ms ahead"
            ),
            (
                24,
                "bob received the candidate; it had no remote description until 46 ms later"
            ),
            (24, "the stack refused it (no remote description), and it is lost"),
        ]
    );
}

#[test]
fn a_candidate_of_another_attempt_is_told_apart() {
    let mut events = overtaken(EventKind::Ended).events;
    let seq = events.len() as u64;
    let late = |seq: u64, kind| Event {
        seq,
        at: SimTime::from_millis(90),
        host: Some("bob".into()),
        kind,
    };
    events.push(late(seq, described("bbbb")));
    let applied = EventKind::CandidateApplied {
        peer: "c1".into(),
        candidate: candidate(),
        into: "bbbb".into(),
    };
    events.push(late(seq + 1, applied));
    let trace = Trace::from_events(events);
    let chain = candidates::life(&served(), &trace, &trace.events[seq as usize + 1]);
    let told = describe(&chain);
    assert_eq!(
        told[told.len() - 2..],
        [
            (90, "bob set the remote description of another attempt"),
            (
                90,
                "bob gave the candidate to the generation of that other attempt"
            ),
        ]
    );
}

#[test]
fn a_description_that_never_arrives_is_told_with_the_place_where_it_was_lost() {
    let call = Call {
        name: "c1",
        caller: "alice",
        callee: "bob",
        dialed: SimTime::ZERO,
        last_try: SimTime::ZERO,
        hung_up: None,
        crashed: None,
    };
    let sent = (1, "alice", signal(SignalDirection::Sent, "offer"));
    let (plan, lost) = (served(), trace(vec![sent.clone()]));
    let told = "alice sent its offer: it never reached the server, nor bob";
    assert_eq!(describe(&signaling::trouble(&plan, &lost, &call)), [(1, told)]);

    let taken = (11, "server", signal(SignalDirection::Received, "offer"));
    let gone = EventKind::SignalUndeliverable {
        to: "bob".into(),
        message: "offer".into(),
        call: Some("c1".into()),
    };
    let registered = EventKind::Signal {
        direction: SignalDirection::Sent,
        with: "bob".into(),
        message: "registered".into(),
        call: None,
        ufrag: None,
        candidate: None,
    };
    let absent = trace(vec![
        sent,
        taken,
        (12, "server", gone),
        (40, "server", registered),
    ]);
    let mut chain = signaling::trouble(&plan, &absent, &call);
    chain.sort();
    assert_eq!(
        describe(&chain),
        [
            (
                1,
                "alice sent its offer: the server took it and it never reached bob"
            ),
            (
                12,
                "the server had nobody to give the offer to: bob was not connected"
            ),
            (40, "the server registers bob, 28 ms too late"),
        ]
    );
}

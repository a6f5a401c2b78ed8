//! Each rule of the wire, by small traces of alice and bob.

use super::{super::machine::testing::*, *};
use crate::{fault::host_sleep, net::topology::Topology, trace::Candidate};

/// The addresses of the ends, which decide nothing.
const ENDS: [&str; 2] = ["10.0.0.1:1", "10.0.0.2:1"];

/// What alice and bob do in a test.
enum Does {
    /// Alice sends packet 1, which says this.
    Sends(&'static str),
    /// Bob receives packet 1 and sends packet 2, which says this.
    Answers(&'static str),
    /// Bob, who is asked in vain for so many milliseconds.
    Waits(u64),
}
use Does::{Answers, Sends, Waits};

/// Alice offers, bob answers, alice gathers a candidate of priority 100; then what `does` says. The fifth event is the first of it.
fn verdict(oracle: &Oracle, does: &[Does]) -> Verdict {
    judged_on(oracle, trace(does))
}

fn trace(does: &[Does]) -> Vec<(u64, &'static str, EventKind)> {
    let created = |offers| EventKind::PeerCreated {
        peer: "c1".into(),
        offers,
    };
    let described = |ufrag: &str| EventKind::DescriptionCreated {
        peer: "c1".into(),
        kind: "offer".into(),
        ufrag: ufrag.into(),
    };
    let candidate = Candidate {
        attribute: "1 1 udp 100 10.0.0.1 1 typ host".into(),
        ufrag: "al".into(),
    };
    let gathered = EventKind::Gathered {
        peer: "c1".into(),
        candidate: Some(candidate),
    };
    let mut at = 1_000;
    let mut events = vec![
        (0, "alice", created(true)),
        (0, "bob", created(false)),
        (0, "alice", described("al")),
        (0, "bob", described("bo")),
        (0, "alice", gathered),
    ];
    for step in does {
        match step {
            Sends(says) => events.push((at, "alice", packet(1, ENDS, says))),
            Answers(says) => {
                events.push((at, "bob", EventKind::PacketDelivered { packet: 1 }));
                events.push((at, "bob", packet(2, ENDS, says)));
            }
            Waits(ms) => at += ms,
        }
    }
    events
}

#[test]
fn a_flaw_of_what_a_host_sends_is_a_failure() {
    let judged = |says| decided(&verdict(&WIRE_01_PROTECTED, &[Sends(says)]));
    assert_eq!(judged("stun binding request bo:al controlling priority=7"), None);
    assert_eq!(
        judged("stun binding request bo:al controlling priority=7 no-fingerprint"),
        Some(5)
    );
    assert_eq!(
        judged("stun binding success mapped=10.0.0.1:1 wrong-integrity"),
        Some(5)
    );
}

#[test]
fn who_offered_controls_and_nobody_else_nominates() {
    let judged = |says| decided(&verdict(&WIRE_02_ROLES, &[Sends(says)]));
    assert_eq!(
        judged("stun binding request bo:al controlling use-candidate"),
        None
    );
    assert_eq!(
        judged("stun binding request bo:al priority=7"),
        Some(5),
        "no role"
    );
    assert_eq!(
        judged("stun binding request bo:al controlled"),
        Some(5),
        "another role"
    );
    assert_eq!(judged("stun binding request"), None, "a STUN server is asked");
    let bobs = |says| decided(&verdict(&WIRE_02_ROLES, &[Answers(says)]));
    assert_eq!(bobs("stun binding request al:bo controlled"), None);
    assert_eq!(
        bobs("stun binding request al:bo controlled use-candidate"),
        Some(6)
    );
}

#[test]
fn an_end_that_is_told_of_a_conflict_may_have_either_role() {
    let asked = Sends("stun binding request bo:al controlled");
    let (told, turned) = (
        Answers("stun binding error code=487"),
        Answers("stun binding request al:bo controlling"),
    );
    assert_eq!(
        decided(&verdict(&WIRE_02_ROLES, &[turned])),
        Some(6),
        "nobody told him"
    );
    // Alice has the wrong role here: bob, who is asked in his own, may turn.
    let turned = Answers("stun binding request al:bo controlling");
    assert_eq!(
        decided(&verdict(&WIRE_02_ROLES, &[asked, turned])),
        Some(5),
        "she"
    );
    let asked = Sends("stun binding request bo:al controlled");
    assert_eq!(
        verdict(&WIRE_04_CONFLICT, &[asked, told, Waits(4_000), Sends("dtls")]),
        Verdict::Pass
    );
}

#[test]
fn a_conflict_is_settled_within_three_seconds() {
    let judged = |answer, ms| {
        let asked = Sends("stun binding request bo:al controlled");
        decided(&verdict(
            &WIRE_04_CONFLICT,
            &[asked, Answers(answer), Waits(ms), Sends("dtls")],
        ))
    };
    assert_eq!(
        judged("stun binding request al:bo controlling", 9_000),
        None,
        "he turned"
    );
    assert_eq!(judged("stun binding error code=487", 9_000), None, "he said so");
    assert_eq!(
        judged("stun binding request al:bo controlled", 2_999),
        None,
        "there is time"
    );
    assert_eq!(judged("stun binding request al:bo controlled", 3_001), Some(6));
}

#[test]
fn an_end_that_sleeps_settles_a_conflict_when_it_is_awake() {
    let asked = Sends("stun binding request bo:al controlled");
    let neither = Answers("stun binding request al:bo controlled");
    let trace = &trace_of(trace(&[asked, neither, Waits(5_000), Sends("dtls")]));
    let mut plan = Plan {
        heal_at_ms: 9_000,
        ..Plan::new(Topology::default())
    };
    let judged = |plan: &Plan| decided(&(WIRE_04_CONFLICT.check)(Evidence { trace, plan }));
    assert_eq!(judged(&plan), Some(6));
    plan.inject(host_sleep("bob", 900, 4_000));
    assert_eq!(judged(&plan), None);
}

#[test]
fn a_check_does_not_have_the_priority_of_a_gathered_candidate() {
    let judged = |says| decided(&verdict(&WIRE_03_PRIORITY, &[Sends(says)]));
    assert_eq!(judged("stun binding request bo:al controlling priority=99"), None);
    assert_eq!(
        judged("stun binding request bo:al controlling priority=100"),
        Some(5)
    );
    assert_eq!(judged("stun binding request bo:al controlling"), Some(5), "none");
}

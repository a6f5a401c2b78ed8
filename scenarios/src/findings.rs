//! Known defects of the stack, shown on every seed. Each has a page in docs/findings.

use std::sync::Arc;

use sleet::{
    peer::{self, Peer, PeerError, PeerKind, PeerSpec, Role},
    prelude::*,
    trace::Candidate,
    world::Host,
};

use crate::{
    client::{Make, Policy, policy::ReceivePolicy},
    fixture::played,
    nat,
    network::story_a,
};

/// Returns the scenarios of the family.
pub fn family() -> Vec<Scenario> {
    let buffered = Policy::NAIVE.receiving(ReceivePolicy::Buffer);
    vec![
        late_candidates("late-candidates", buffered),
        late_candidates("late-candidates-bare", buffered.bare()),
        played(Kind::Finding, "findings/checks-no-more-bare", seconds_late, buffered.bare())
            .about("As late-candidates, as the wire shows it: the side that began early is checked, has had no answer, and checks no more.")
            .from("docs/findings/0001-late-candidates.md")
            .from("RFC 8445 section 7.3.1.4")
            .expects(Expectation::broken(&WIRE_05_TRIGGERED, 1)),
        // A bare agent has no gathering states: there is no bare variant.
        plain_call("gathering-closed", buffered, &STATE_03_ONE_END)
            .about("A call that is hung up: on close, iceGatheringState is reported as `closed`, which is none of its states.")
            .from("docs/findings/0002-gathering-closed.md")
            .from("W3C webrtc-pc section 4.3.2, RTCIceGatheringState"),
        closed_after_close("closed-after-close", buffered),
        closed_after_close("closed-after-close-bare", buffered.bare()),
        closed_in_handshake(buffered),
        any_generation(),
        check_storm("check-storm", buffered),
        check_storm("check-storm-bare", buffered.bare()),
    ]
}

/// The links carry checks and nothing as large as a ClientHello: ICE connects, and the DTLS handshake never begins.
fn closed_in_handshake(app: impl Into<Make>) -> Scenario {
    let narrow = |seed| {
        let mut plan = story_a(seed);
        for interface in plan.topology.hosts.iter_mut().flat_map(|h| &mut h.interfaces) {
            (interface.up.mtu, interface.down.mtu) = (Some(NARROW), Some(NARROW));
        }
        plan
    };
    played(Kind::Finding, "findings/closed-in-handshake", narrow, app)
        .about("A call that is hung up while its DTLS server waits: it waits for ever.")
        .from("docs/findings/0011-closed-in-handshake.md")
        .from("W3C webrtc-pc section 4.4.2, close")
        .holds(&[&CAND_01_APPLIED, &TEAR_01_CLOSES, &TEAR_02_NOTHING_LEFT])
        .expects(Expectation::broken(&TEAR_05_STACK_ENDS, 1))
}

/// A peer is given a candidate of a generation that its remote description does not have.
fn any_generation() -> Scenario {
    let story = |sim: Sim, _| async move {
        let host = sim.host("alice");
        let alice = host.clone();
        let given = host.spawn("given a candidate", async move {
            let caller = peer_of(&alice, "c1", Role::Offerer).await?;
            let callee = peer_of(&alice, "c2", Role::Answerer).await?;
            callee.set_remote(caller.offer().await?).await?;
            let stale = Candidate {
                attribute: "1 1 udp 2130706431 192.0.2.1 5000 typ host".into(),
                ufrag: "of-another-generation".into(),
            };
            let taken = callee.add_candidate(stale).await;
            caller.close().await;
            callee.close().await;
            taken
        });
        let _ = given.await;
    };
    Scenario::new(Kind::Finding, "findings/any-generation", story_a, story)
        .about("A candidate of another generation than the remote description's is taken.")
        .from("docs/findings/0025-any-generation.md")
        .from("W3C webrtc-pc section 4.4.2, addIceCandidate")
        .expects(Expectation::broken(&CAND_02_OWN_GENERATION, 1))
}

async fn peer_of(host: &Host, call: &str, role: Role) -> Result<Arc<dyn Peer>, PeerError> {
    let spec = PeerSpec::new(PeerKind::Full, call, role);
    peer::create(host, spec, Box::new(|_| Box::pin(async {}))).await
}

/// An MTU in bytes: more than a check has (144), less than a ClientHello (184).
const NARROW: u32 = 160;

/// Two symmetric NATs with endpoint-independent filtering.
fn check_storm(name: &str, app: impl Into<Make>) -> Scenario {
    played(Kind::Finding, &format!("findings/{name}"), nat::stormy, app)
        .about("Behind two symmetric NATs with open filtering, each check begets more: thousands within a second.")
        .from("docs/findings/0007-check-storm.md")
        .from("RFC 8445 sections 6.1.2.5 and 14")
        .expects(Expectation::broken(&PACE_01_PACED, 1).among_others())
}

/// Every candidate is buffered and delivered, but the caller's reach the callee long after she began to check.
fn late_candidates(name: &str, app: impl Into<Make>) -> Scenario {
    played(Kind::Finding, &format!("findings/{name}"), seconds_late, app)
        .about("Candidates that come seconds after the other side began to check never connect, though all are applied.")
        .from("docs/findings/0001-late-candidates.md")
        .from("RFC 8445 section 7.3.1.4")
        .holds(&[&CAND_01_APPLIED])
        .expects(Expectation::broken(&CONN_01_CONNECTS, 1))
}

/// A call on the story network that connects and is hung up.
fn plain_call(name: &str, app: impl Into<Make>, breaks: &'static Oracle) -> Scenario {
    played(Kind::Finding, &format!("findings/{name}"), story_a, app)
        .holds(&[&CAND_01_APPLIED, &CONN_01_CONNECTS])
        .expects(Expectation::broken(breaks, 1))
}

/// A separate task reports the agent's last state, and close does not wait for it.
fn closed_after_close(name: &str, app: impl Into<Make>) -> Scenario {
    plain_call(name, app, &STATE_06_LAST_WORD)
        .about("A call that is hung up: ICE `closed` is reported after close has returned.")
        .from("docs/findings/0003-closed-after-close.md")
        .from("W3C webrtc-pc section 4.4.2, close")
}

/// The story network beyond its bound: alice takes five seconds for each candidate.
fn seconds_late(seed: Seed) -> Plan {
    let mut plan = story_a(seed);
    for slow in plan.slow_steps.iter_mut().filter(|s| s.step == "send-candidate") {
        slow.host = "alice".into();
        slow.by = Latency::constant_ms(5_000);
    }
    plan.budget_ms = 40_000;
    plan.horizon_ms = 90_000;
    plan
}

//! Story C: a connected call whose link goes dark, and the ICE states that are reported.

use std::time::Duration;

use sleet::{fault::partition, peer::IceTimeouts, prelude::*, trace::EventKind, trace::Machine};

use crate::{
    client::{Make, Policy, policy::ReceivePolicy},
    fixture::played,
    network::story_a,
};

/// The number of seeds needed to judge the marks: each is reached on every seed.
const ANY: u64 = 1;

/// Story C's own timer, in milliseconds. Its agent looked every two seconds, which this one cannot: it looks every 200
/// ms or more often (`webrtc-ice` 0.17.2, `src/agent/agent_internal.rs:267`).
const STORY_C_DISCONNECTED_MS: u64 = 30_000;

/// Returns the scenarios of the family.
pub fn family() -> Vec<Scenario> {
    let full = Policy::NAIVE.receiving(ReceivePolicy::Buffer);
    let bare = full.bare();
    vec![
        dark("dark-disconnects", full, disconnects)
            .about("A link is dark for ten seconds: ICE is disconnected on both sides, and connected when it is heard again.")
            .reaches(&["disconnected", "recovered"], ANY),
        dark("dark-disconnects-bare", bare, disconnects)
            .about("As dark-disconnects, with bare ICE agents.")
            .reaches(&["disconnected", "recovered"], ANY),
        dark("dark-fails", full, fails)
            .about("A link is dark for a minute: ICE is disconnected, and then failed for good.")
            .reaches(&["disconnected", "failed"], ANY),
        dark("dark-fails-bare", bare, fails)
            .about("As dark-fails, with bare ICE agents.")
            .reaches(&["disconnected", "failed"], ANY),
        dark("dark-30s", bare, thirty_seconds)
            .about("Agents with story C's timer are disconnected after thirty seconds of silence, and not before.")
            .reaches(&["disconnected", "recovered"], ANY),
        impatient(),
    ]
}

/// A call that connects, and whose link goes dark while they talk.
fn dark(name: &str, app: impl Into<Make>, network: fn(Seed) -> Plan) -> Scenario {
    played(Kind::Promise, &format!("state/{name}"), network, app)
        .from("docs/stories.md#c-connection-state")
        .from("RFC 7675 section 5.1")
        .holds(&[&CAND_01_APPLIED, &CONN_01_CONNECTS, &TEAR_01_CLOSES])
        .holds(&[
            &STATE_01_EDGES,
            &STATE_02_COMPUTED,
            &STATE_04_TURNS,
            &STATE_05_NEWS,
            &TIME_01_TIMELY,
        ])
}

fn disconnects(seed: Seed) -> Plan {
    goes_dark(seed, 10_000)
}

fn fails(seed: Seed) -> Plan {
    goes_dark(seed, 60_000)
}

fn thirty_seconds(seed: Seed) -> Plan {
    Plan {
        ice_timeouts: Some(IceTimeouts {
            disconnected_ms: STORY_C_DISCONNECTED_MS,
            ..IceTimeouts::OF_THE_STACK
        }),
        ..goes_dark(seed, 40_000)
    }
}

/// Returns the story network, where the link of alice or of bob is dark for `dark_ms` while they talk.
fn goes_dark(seed: Seed, dark_ms: u64) -> Plan {
    let mut draws = seed.stream("plan/dark");
    let link = if draws.below(2) == 0 { "alice" } else { "bob" };
    // On the story network every call is connected by then.
    let from_ms = draws.between(6_000, 9_000);
    let until_ms = from_ms + dark_ms;
    let plan = story_a(seed);
    Plan {
        faults: vec![partition(link, Directions::Both, from_ms, until_ms)],
        heal_at_ms: until_ms,
        talk_ms: until_ms + 3_000,
        horizon_ms: until_ms + 60_000,
        ..plan
    }
}

/// A client with the mistake that the timer oracle catches.
fn impatient() -> Scenario {
    let story = |sim: Sim, _| async move {
        let (alice, reporting) = (sim.host("alice"), sim.clone());
        alice.spawn("reporter", async move {
            let ice = |state: &str| EventKind::State {
                peer: "c1".into(),
                machine: Machine::Ice,
                state: state.into(),
            };
            reporting.record(ice("checking"));
            reporting.record(ice("connected"));
            reporting.record(EventKind::PairSelected {
                peer: "c1".into(),
                local: "host 10.1.0.1:50000".into(),
                remote: "host 10.2.0.1:50000".into(),
            });
            reporting.sleep(Duration::from_secs(1)).await;
            reporting.record(ice("disconnected"));
        });
        sim.sleep(Duration::from_secs(2)).await;
    };
    let nobody_calls = |seed| Plan {
        script: Vec::new(),
        ..story_a(seed)
    };
    Scenario::new(Kind::Demonstration, "state/impatient", nobody_calls, story)
        .about("A broken reporter that says disconnected after one second of silence.")
        .from("docs/stories.md#c-connection-state")
        .holds(&[&STATE_01_EDGES, &STATE_05_NEWS])
        .expects(Expectation::broken(&TIME_01_TIMELY, 1))
}

//! Recovery: a path dies in a call while another one works. The caller restarts ICE, and the call comes back.

use std::time::Duration;

use sleet::{fault::partition, prelude::*};

use crate::{
    client::{
        Make, Policy,
        policy::{ReceivePolicy, SendPolicy},
    },
    fixture::played,
    network::alice_on,
};

/// The number of seeds after which the dead path was the selected one in some call.
const ENOUGH: u64 = 50;
/// The time that a caller waits for an answer, and then for the connection.
const PATIENCE: Duration = Duration::from_secs(4);
/// The time that a caller tolerates *disconnected*.
const BEARS: Duration = Duration::from_secs(2);

const BUFFERED: Policy = Policy::NAIVE
    .sending(SendPolicy::OnceJoined)
    .receiving(ReceivePolicy::Buffer);

/// Returns the scenarios of the family.
pub fn family() -> Vec<Scenario> {
    let restarting = BUFFERED.restarting(PATIENCE, BEARS);
    let promise = |name, app: Make| {
        scenario(Kind::Promise, name, app)
            .holds(&[&BACK_01_COMES_BACK])
            .reaches(&["disconnected", "ice-restarted"], ENOUGH)
    };
    vec![
        promise("restart", restarting.full())
            .about("Wi-Fi dies in a call while cellular works: the caller restarts ICE, and the call goes on over cellular."),
        promise("restart-bare", restarting.bare())
            .about("The same on bare agents, whose restart begins with the local description."),
        scenario(Kind::Demonstration, "no-restart", BUFFERED.recovering(PATIENCE))
            .about("A client that only begins anew when ICE has failed: half a minute of silence, and the user has hung up.")
            .expects(Expectation::broken(&BACK_01_COMES_BACK, ENOUGH)),
    ]
}

fn scenario(kind: Kind, name: &str, app: impl Into<Make>) -> Scenario {
    played(kind, &format!("recovery/{name}"), wifi_dies, app)
        .from("docs/stories.md#c-connection-state")
        .from("RFC 8445 section 9")
        .holds(&[
            &CAND_01_APPLIED,
            &CAND_02_OWN_GENERATION,
            &CONN_01_CONNECTS,
            &TEAR_01_CLOSES,
            &TEAR_02_NOTHING_LEFT,
            &STATE_01_EDGES,
            &STATE_04_TURNS,
        ])
}

/// Alice is on cellular, over which her signaling goes, and on Wi-Fi, which goes dark for a minute while they talk.
fn wifi_dies(seed: Seed) -> Plan {
    let dies = seed.stream("plan/recovery").between(6_000, 9_000);
    let alive = alice_on(seed, [("rmnet0", "10.1.1.1", 45), ("wlan0", "10.1.0.1", 12)]);
    Plan {
        faults: vec![partition("alice/wlan0", Directions::Both, dies, dies + 60_000)],
        heal_at_ms: dies + 60_000,
        talk_ms: 40_000,
        budget_ms: 15_000,
        horizon_ms: dies + 120_000,
        ..alive
    }
}

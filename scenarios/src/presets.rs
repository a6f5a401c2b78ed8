//! One call on every kind of network: both sides on the same preset, and an early blackout.

use std::time::Duration;

use sleet::{
    fault::Plan,
    net::presets::Preset,
    oracle::{
        calls::CONNECTS,
        candidates::{APPLIED, OWN_GENERATION},
        connection::COMPUTED,
        ice::EDGES,
        signaling::TURNS,
    },
    scenario::{Kind, Scenario},
    seed::Seed,
    world::Sim,
};

use crate::{
    client::{
        Policy,
        policy::{Receive, Send},
    },
    network::early_blackout,
    story,
};

const PRESETS: [Preset; 17] = Preset::ALL;
/// How long the caller's client waits for an answer, and then for the connection.
const PATIENCE: Duration = Duration::from_secs(15);
const BUDGET_MS: u64 = 60_000;

const CLIENT: Policy = Policy::NAIVE.sending(Send::OnceJoined).receiving(Receive::Buffer);

/// The scenarios of the family.
pub fn family() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (suffix, client) in [("", CLIENT), ("-bare", CLIENT.bare())] {
        all.push(
            scenario(
                Kind::Promise,
                &format!("recovering{suffix}"),
                client.recovering(PATIENCE),
            )
            .about("x.")
            .holds(&[&CONNECTS]),
        );
        all.push(
            scenario(Kind::Promise, &format!("no-recovery{suffix}"), client)
                .about("x.")
                .holds(&[&CONNECTS]),
        );
    }
    all
}

fn scenario(kind: Kind, name: &str, policy: Policy) -> Scenario {
    let story = move |sim: Sim, plan| {
        sim.mark(&format!("preset {}", preset(sim.seed())));
        story::calls(sim, plan, policy)
    };
    Scenario::new(kind, &format!("presets/{name}"), network, story)
        .from("ORACLES 6")
        .holds(&[&APPLIED, &OWN_GENERATION, &EDGES, &COMPUTED, &TURNS])
}

fn preset(seed: Seed) -> Preset {
    PRESETS[(seed.0 % PRESETS.len() as u64) as usize]
}

/// The story network with the seed's preset on the links of both, dark early on.
fn network(seed: Seed) -> Plan {
    let mut plan = early_blackout(seed);
    let preset = preset(seed);
    for host in plan.topology.hosts.iter_mut().filter(|h| h.name != "server") {
        (host.interfaces[0].up, host.interfaces[0].down) = (preset.up(), preset.down());
    }
    plan.signaling.acknowledged = true;
    Plan {
        budget_ms: BUDGET_MS,
        horizon_ms: 120_000,
        ..plan
    }
}

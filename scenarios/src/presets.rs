//! One call on every kind of network: both sides on the same preset, with a blackout of the caller.

use std::{sync::Arc, time::Duration};

use sleet::{driver, net::presets::Preset, prelude::*};

use crate::{
    client::{Make, Policy, policy::ReceivePolicy},
    fixture,
    network::early_blackout,
    patience::budget_ms,
};

/// The number of seeds that reach every preset, and on which a client without recovery has failed.
const ENOUGH: u64 = 2 * Preset::ALL.len() as u64;
/// The time that the caller's client waits for an answer, and then for the connection: longer than any of these
/// networks needs without faults (2G: 39 s from dialing).
const PATIENCE: Duration = Duration::from_secs(30);
/// The length of the blackout, in milliseconds: both sides use up their checks (docs/findings/0001).
const DARK_MS: u64 = 5_000;
/// The budget of a call from then on, in milliseconds: an attempt that is given up twice, and one that connects.
const BUDGET_MS: u64 = budget_ms(0, 3, PATIENCE);

const CLIENT: Policy = Policy::NAIVE.receiving(ReceivePolicy::Buffer);

/// Returns the scenarios of the family.
pub fn family() -> Vec<Scenario> {
    let recovering = CLIENT.recovering(PATIENCE);
    vec![
        promise("recovering", recovering).about(
            "The buffered client with recovery connects on every preset, whatever the dark swallowed.",
        ),
        promise("recovering-bare", recovering.bare()).about("As recovering, with bare ICE agents."),
        scenario(Kind::Demonstration, "no-recovery", CLIENT)
            .about("Buffering alone: where checks were used up in the dark, the call never connects.")
            .from("docs/findings/0001-late-candidates.md")
            .expects(Expectation::broken(&CONN_01_CONNECTS, ENOUGH)),
    ]
}

fn promise(name: &str, app: impl Into<Make>) -> Scenario {
    let marks = Preset::ALL.map(preset_mark);
    scenario(Kind::Promise, name, app)
        .holds(&[&CONN_01_CONNECTS])
        .reaches(&marks, ENOUGH)
        .reaches(&["attempt-recovered"], ENOUGH)
}

fn scenario(kind: Kind, name: &str, app: impl Into<Make>) -> Scenario {
    let deployment = Arc::new(fixture::deployment(app));
    let story = move |sim: Sim, plan| {
        sim.mark(&preset_mark(preset(sim.seed())));
        driver::play(sim, plan, deployment.clone())
    };
    let scenario = Scenario::new(kind, &format!("presets/{name}"), network, story)
        .from("docs/hazards.md#6-dark-for-three-seconds")
        .from("docs/profiles.md#network-presets");
    match kind {
        Kind::Promise => scenario.holds(&fixture::KEPT),
        _ => scenario,
    }
}

fn preset(seed: Seed) -> Preset {
    Preset::ALL[(seed.0 % Preset::ALL.len() as u64) as usize]
}

fn preset_mark(preset: Preset) -> String {
    format!("preset {preset}")
}

/// The story network with the seed's preset on the links of both. Packets from alice are lost for a while that begins
/// before or while the two connect.
fn network(seed: Seed) -> Plan {
    let mut plan = early_blackout(seed);
    let preset = preset(seed);
    for host in plan.topology.hosts.iter_mut().filter(|h| h.name != "server") {
        (host.interfaces[0].up, host.interfaces[0].down) = (preset.up(), preset.down());
    }
    let mut draws = seed.stream("plan/presets");
    // The slow networks take seconds to dial, the quick ones have connected by then.
    let latest_ms = [1_200, 9_000][draws.below(2) as usize];
    let from_ms = draws.between(300, latest_ms);
    for dark in &mut plan.faults {
        (dark.from_ms, dark.until_ms) = (from_ms, Some(from_ms + DARK_MS));
    }
    plan.service().acknowledged = true;
    Plan {
        heal_at_ms: from_ms + DARK_MS,
        budget_ms: BUDGET_MS,
        horizon_ms: 180_000,
        ..plan
    }
}

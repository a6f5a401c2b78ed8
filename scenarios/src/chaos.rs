//! Chaos: the policies that keep every call, with recovery, under everything that the swarm draws.
//!
//! While it storms, nothing may break that must always hold. When the network has healed, every call connects
//! within the budget.

use std::time::Duration;

use sleet::{
    fault::Plan,
    oracle::{
        calls::CONNECTS,
        candidates::{APPLIED, OWN_GENERATION},
        connection::COMPUTED,
        ice::EDGES,
        peers::CLOSES,
        signaling::TURNS,
    },
    scenario::{Kind, Scenario},
    seed::Seed,
    swarm,
};

use crate::{
    client::{
        Policy,
        policy::{Receive, Send},
    },
    network::{story_a, story_a_push},
    story,
};

/// Seeds that it takes to judge a scenario: each kind of fault is drawn by a third of them.
const ENOUGH: u64 = 200;
/// How long a caller waits for an answer, and then for the connection, before it tries again.
const PATIENCE: Duration = Duration::from_secs(6);
/// When the chaos phase ends.
const HEAL_AT_MS: u64 = 15_000;
/// What a call has from then on: the attempt that is under way may be given up twice (no answer, then no
/// connection) before the one that nothing disturbs.
const BUDGET_MS: u64 = 30_000;

const BUFFER_RECEIVER: Policy = Policy::NAIVE.receiving(Receive::Buffer);
const BUFFER_SENDER: Policy = Policy::NAIVE.sending(Send::OnceJoined);
const BUFFER_BOTH: Policy = BUFFER_SENDER.receiving(Receive::Buffer);

/// A mark for each kind of fault that must have hit something.
pub const HITS: [&str; 15] = [
    "loss-hit",
    "bursts-hit",
    "duplicate-hit",
    "reorder-hit",
    "corrupt-hit",
    "truncate-hit",
    "one-way-partition-hit",
    "partition-hit",
    "hold-hit",
    "swizzle-hit",
    "signal-delay-hit",
    "signal-drop-hit",
    "signal-duplicate-hit",
    "signaling-reset-hit",
    "server-restart-hit",
];

/// The scenarios of the family.
pub fn family() -> Vec<Scenario> {
    vec![
        promise("buffer-receiver", BUFFER_RECEIVER, storm),
        promise("buffer-sender", BUFFER_SENDER, storm),
        promise("buffer-both", BUFFER_BOTH, storm),
        promise("buffer-receiver-bare", BUFFER_RECEIVER.bare(), storm),
        promise("buffer-both-bare", BUFFER_BOTH.bare(), storm),
        promise("buffer-sender-push", BUFFER_SENDER, storm_push).reaches(&["push-woke-callee"], ENOUGH),
        promise("buffer-both-push", BUFFER_BOTH, storm_push).reaches(&["push-woke-callee"], ENOUGH),
        promise("buffer-both-push-bare", BUFFER_BOTH.bare(), storm_push)
            .reaches(&["push-woke-callee"], ENOUGH),
        scenario(Kind::Demonstration, "no-recovery", BUFFER_BOTH, storm)
            .about("Buffering alone: what the storm breaks, no healing of the network mends.")
            .trips(&CONNECTS, ENOUGH),
    ]
}

fn promise(name: &str, policy: Policy, network: fn(Seed) -> Plan) -> Scenario {
    scenario(
        Kind::Promise,
        name,
        policy.recovering(PATIENCE),
        network,
    )
    .about(&format!(
        "{name} with recovery: nothing that must always hold breaks in the storm, and afterwards every call connects."
    ))
    .holds(&[&CONNECTS])
    .reaches(&HITS, ENOUGH)
    .reaches(&["attempt-recovered"], ENOUGH)
}

fn scenario(kind: Kind, name: &str, policy: Policy, network: fn(Seed) -> Plan) -> Scenario {
    let story = move |sim, plan| story::calls(sim, plan, policy);
    let scenario = Scenario::new(kind, &format!("chaos/{name}"), network, story)
        .from("STORIES A")
        .from("DESIGN 5")
        .holds(&[&OWN_GENERATION, &CLOSES, &EDGES, &COMPUTED, &TURNS]);
    match policy.receive {
        Receive::Buffer => scenario.holds(&[&APPLIED]),
        _ => scenario,
    }
}

/// The story network with whatever the swarm draws.
fn storm(seed: Seed) -> Plan {
    brew(seed, story_a(seed))
}

/// The same, where bob's app sleeps until a push notification wakes it.
fn storm_push(seed: Seed) -> Plan {
    brew(seed, story_a_push(seed))
}

fn brew(seed: Seed, mut plan: Plan) -> Plan {
    plan.signaling.acknowledged = true;
    plan.heal_at_ms = HEAL_AT_MS;
    plan.budget_ms = BUDGET_MS;
    plan.horizon_ms = 90_000;
    swarm::brew(seed, &swarm::kinds(seed), plan)
}

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
pub const HITS: [&str; 16] = [
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
    "tcp-reset-hit",
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

fn promise(
    name: &str,
    policy: Policy,
    network: impl Fn(Seed) -> Plan + std::marker::Send + Sync + 'static,
) -> Scenario {
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

fn scenario(
    kind: Kind,
    name: &str,
    policy: Policy,
    network: impl Fn(Seed) -> Plan + std::marker::Send + Sync + 'static,
) -> Scenario {
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
    swarm::brew(seed, &swarm::kinds(seed), calm(story_a(seed)))
}

/// The same, where bob's app sleeps until a push notification wakes it.
fn storm_push(seed: Seed) -> Plan {
    swarm::brew(seed, &swarm::kinds(seed), calm(story_a_push(seed)))
}

/// A network before the storm: signaling that acknowledges, and the two phases.
fn calm(plan: Plan) -> Plan {
    let mut signaling = plan.signaling;
    signaling.acknowledged = true;
    Plan {
        signaling,
        heal_at_ms: HEAL_AT_MS,
        budget_ms: BUDGET_MS,
        horizon_ms: 90_000,
        ..plan
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sleet::run::{
        self,
        summary::{Judgement, Summary},
    };

    use super::*;

    /// Runs the family's cheapest promise on as many seeds as it takes to judge it, without `left_out`.
    fn suite_without(left_out: Option<swarm::Kind>) -> (u8, Judgement) {
        let network = move |seed: Seed| {
            let mut kinds = swarm::kinds(seed);
            kinds.retain(|kind| Some(*kind) != left_out);
            swarm::brew(seed, &kinds, calm(story_a(seed)))
        };
        let scenario = Arc::new(promise("swarm-test", BUFFER_BOTH.bare(), network));
        let results: Vec<_> = (0..ENOUGH)
            .map(|seed| run::execute(&scenario, Seed(seed)).expect("a run").result())
            .collect();
        let summary = Summary::of([&*scenario], &results);
        (summary.exit_code(), summary.scenarios[0].judgement.clone())
    }

    #[test]
    fn a_swarm_that_lost_a_kind_of_fault_makes_the_suite_vacuous() {
        assert_eq!(suite_without(None), (0, Judgement::Held));
        for (kind, mark) in [
            (swarm::Kind::Partition, "partition-hit"),
            (swarm::Kind::Truncate, "truncate-hit"),
            (swarm::Kind::SignalDrop, "signal-drop-hit"),
            (swarm::Kind::ServerRestart, "server-restart-hit"),
        ] {
            let vacuous = Judgement::Vacuous(format!("never reached: {mark}"));
            assert_eq!(suite_without(Some(kind)), (121, vacuous));
        }
    }
}

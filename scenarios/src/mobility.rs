//! Calls that lose their path while they talk: NATs that lose their mappings, and phones that change their network.

use std::time::Duration;

use sleet::{
    fault::FaultKind, fault::host_sleep, fault::kinds::NatChangeAddress, fault::kinds::NatRebind,
    fault::kinds::NatReboot, fault::network_switch, prelude::*, seed::Stream,
};

use crate::{
    client::{Make, Policy, policy::ReceivePolicy},
    fixture::played,
    nat::{put_behind, quiet},
    patience::budget_ms,
};

/// The number of seeds needed to judge the marks: most are reached on every seed.
const ENOUGH: u64 = 10;
/// The time that the caller's client waits for an answer, and then for the connection.
const PATIENCE: Duration = Duration::from_secs(6);
/// The budget of a call when its path is gone, in milliseconds: 72 s. At worst the callee reports that and falls silent, the caller
/// reports it later (docs/findings/0009), and then an attempt may be given up before the one that nothing disturbs.
const BUDGET_MS: u64 = budget_ms(2, 2, PATIENCE);

/// The interval of messages both ways, in milliseconds: a silence is known to that.
const TALKS_EVERY_MS: u64 = 1_000;
/// The longest that a call may take to come back, in milliseconds. ICE takes 30 s to report that its path failed, and every recovery
/// here begins with that; 0.8 to 1.8 s remain for the new attempt and the next message.
const RECOVERS_MS: u64 = 33_500;

/// The longest that a call may take from the time at which the phone wakes until it is heard again, in milliseconds. 2.8 to 3.6 s are seen.
const WAKES_MS: u64 = 6_000;
/// How long a phone sleeps, in milliseconds: from less than ICE notices to more than it survives.
const SLEEPS_MS: (u64, u64) = (10_000, 120_000);

const CLIENT: Policy = Policy::NAIVE.receiving(ReceivePolicy::Buffer);

/// Returns the scenarios of the family, and the finding that belongs to it.
pub fn family() -> Vec<Scenario> {
    let recovering = CLIENT.recovering(PATIENCE);
    let mut all = Vec::new();
    for (suffix, kept, retried) in [
        ("", CLIENT.full(), recovering.full()),
        ("-bare", CLIENT.bare(), recovering.bare()),
    ] {
        all.extend([
            promise(&format!("nat-reboots{suffix}"), kept, reboots)
                .about("A NAT that preserves ports reboots: the next checks open it again, and no call is lost.")
                .from("RFC 4787 section 4.2.1")
                .reaches(&["nat-reboot-hit"], ENOUGH),
            promise(&format!("nat-rebinds{suffix}"), retried, rebinds)
                .about("A NAT moves its mappings to other ports: the call connects again by recovery.")
                .reaches(&["nat-rebind-hit", "attempt-recovered"], ENOUGH)
                .within(RECOVER_MS, 95, RECOVERS_MS),
            promise(&format!("nat-changes-address{suffix}"), retried, changes_address)
                .about("A NAT gets another address outside: the call connects again by recovery.")
                .reaches(&["nat-change-address-hit", "attempt-recovered"], ENOUGH)
                .within(RECOVER_MS, 95, RECOVERS_MS),
            promise(&format!("network-switch{suffix}"), retried, switches)
                .about("A phone leaves its Wi-Fi for cellular: the call connects again by recovery, over the other interface.")
                .reaches(&["network-switch-hit", "attempt-recovered", "signaling-reconnected"], ENOUGH)
                .within(RECOVER_MS, 95, RECOVERS_MS),
            promise(&format!("phone-sleeps{suffix}"), retried, sleeps)
                .about("A phone sleeps while they talk, for ten seconds to two minutes, and wakes: the call goes on, or connects again by recovery.")
                .from("docs/hazards.md#phones-that-sleep")
                .reaches(&["host-sleep-hit", "attempt-recovered"], ENOUGH)
                .within(RECOVER_MS, 95, WAKES_MS),
            unnoticed(&format!("rebind-unnoticed{suffix}"), kept),
        ]);
    }
    all.push(
        scenario(Kind::Demonstration, "mobility/no-recovery", CLIENT, switches)
            .about("A phone leaves its Wi-Fi for cellular, and its client does nothing about it.")
            .expects(Expectation::broken(&CONN_02_OUTLIVES, 1)),
    );
    all
}

fn promise(name: &str, app: impl Into<Make>, network: fn(Seed) -> Plan) -> Scenario {
    scenario(Kind::Promise, &format!("mobility/{name}"), app, network).holds(&[&CONN_02_OUTLIVES])
}

/// The caller's NAT rebinds; her packets still reach the callee, who does not switch to their new source.
fn unnoticed(name: &str, app: impl Into<Make>) -> Scenario {
    let network = |seed| {
        let (at_ms, mut plan) = talking(seed, quiet(seed, false));
        put_behind(&mut plan, "alice", "203.0.113.1", NatSpec::port_restricted());
        plan.faults = vec![befalls("alice", NatRebind {}, at_ms)];
        plan.budget_ms = 20_000;
        plan
    };
    scenario(Kind::Finding, &format!("findings/{name}"), app, network)
        .about("The caller's NAT moves her mapping: checks cross on the new path, the caller says connected, and the callee disconnected.")
        .from("docs/findings/0009-rebind-unnoticed.md")
        .reaches(&["nat-rebind-hit"], 1)
        .expects(Expectation::broken(&CONN_02_OUTLIVES, 1))
}

fn scenario(
    kind: Kind,
    name: &str,
    app: impl Into<Make>,
    network: impl Fn(Seed) -> Plan + Send + Sync + 'static,
) -> Scenario {
    played(kind, name, network, app)
        .from("docs/stories.md#c-connection-state")
        .from("RFC 7675 section 5.1")
        .holds(&[
            &CAND_01_APPLIED,
            &CAND_02_OWN_GENERATION,
            &CONN_01_CONNECTS,
            &TEAR_01_CLOSES,
            &TEAR_02_NOTHING_LEFT,
        ])
        .holds(&[&STATE_01_EDGES, &STATE_02_COMPUTED, &STATE_04_TURNS])
}

fn reboots(seed: Seed) -> Plan {
    behind_a_nat_that(seed, NatReboot {})
}

fn rebinds(seed: Seed) -> Plan {
    behind_a_nat_that(seed, NatRebind {})
}

fn changes_address(seed: Seed) -> Plan {
    let to = "203.0.113.77".parse().expect("an address");
    behind_a_nat_that(seed, NatChangeAddress { to })
}

/// Alice or bob is behind a NAT with port-dependent filtering, as most homes have, and a fault hits it while they talk.
/// The other is behind a NAT that filters less or as much, or behind none.
fn behind_a_nat_that(seed: Seed, event: impl Into<FaultKind>) -> Plan {
    let (at_ms, mut plan) = talking(seed, quiet(seed, false));
    let mut draws = seed.stream("plan/mobility/hosts");
    let (host, other) = either(&mut draws);
    put_behind(&mut plan, host, "203.0.113.1", NatSpec::port_restricted());
    let others = [
        None,
        Some(NatSpec::cone()),
        Some(NatSpec::restricted()),
        Some(NatSpec::port_restricted()),
    ];
    if let Some(spec) = others[draws.below(others.len() as u64) as usize] {
        put_behind(&mut plan, other, "198.51.100.1", spec);
    }
    plan.faults = vec![befalls(host, event, at_ms)];
    plan
}

fn befalls(host: &str, event: impl Into<FaultKind>, at_ms: u64) -> Fault {
    Fault::new(Target::Nat(format!("nat of {host}")), event, at_ms, None)
}

/// Alice or bob leaves the Wi-Fi while they talk. Neither is behind a NAT.
fn switches(seed: Seed) -> Plan {
    let (at_ms, mut plan) = talking(seed, quiet(seed, false));
    let (host, _) = either(&mut seed.stream("plan/mobility/hosts"));
    for phone in plan.topology.hosts.iter_mut().filter(|h| h.name == host) {
        phone.interfaces[0].name = "wlan0".into();
        let link = phone.interfaces[0].up.clone();
        *phone = phone.clone().interface("rmnet0", "10.3.0.1", link);
    }
    plan.faults = vec![network_switch(host, "wlan0", "rmnet0", at_ms)];
    plan
}

/// Alice's or bob's phone sleeps while they talk, and wakes.
fn sleeps(seed: Seed) -> Plan {
    let (at_ms, plan) = talking(seed, quiet(seed, false));
    let mut draws = seed.stream("plan/mobility/hosts");
    let (host, _) = either(&mut draws);
    let lasts_ms = draws.between(SLEEPS_MS.0, SLEEPS_MS.1);
    Plan {
        faults: vec![host_sleep(host, at_ms, at_ms + lasts_ms)],
        heal_at_ms: at_ms + lasts_ms,
        horizon_ms: plan.horizon_ms + 2 * lasts_ms,
        ..plan
    }
}

/// Returns a call that loses its path, and the time of the loss in milliseconds.
fn talking(seed: Seed, mut plan: Plan) -> (u64, Plan) {
    let at_ms = seed.stream("plan/mobility").between(5_000, 9_000);
    plan.service().acknowledged = true;
    let plan = Plan {
        heal_at_ms: at_ms + 1,
        talk_every_ms: Some(TALKS_EVERY_MS),
        budget_ms: BUDGET_MS,
        talk_ms: at_ms + BUDGET_MS + 1_000,
        horizon_ms: at_ms + BUDGET_MS + 60_000,
        ..plan
    };
    (at_ms, plan)
}

/// Draws the order of the two sides.
fn either(draws: &mut Stream) -> (&'static str, &'static str) {
    if draws.below(2) == 0 {
        ("alice", "bob")
    } else {
        ("bob", "alice")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sleet::run::{
        Runner,
        summary::{Judgement, Summary},
    };

    use super::*;
    use crate::network::slow_step;

    /// The judgement of as many seeds as it takes, with clients that need `ms` for each offer. With slow ones, some calls are not yet
    /// connected when the network changes.
    fn with_slow_offers(ms: u64) -> Judgement {
        let network = move |seed| {
            let mut plan = switches(seed);
            plan.slow_steps.insert(0, slow_step("create-offer", ms, ms));
            plan
        };
        let app = CLIENT.recovering(PATIENCE).bare();
        let scenario = scenario(Kind::Promise, "mobility/slow-offers", app, network)
            .holds(&[&CONN_02_OUTLIVES])
            .within(RECOVER_MS, 95, RECOVERS_MS);
        let scenario = Arc::new(scenario);
        let run = |seed| Runner::new(&scenario, Seed(seed)).run().expect("a run").result();
        let results: Vec<_> = (0..130).map(run).collect();
        let summary = Summary::of([&*scenario], &results);
        summary.scenarios[0].judgement.clone()
    }

    #[test]
    fn a_client_that_breaks_no_oracle_and_recovers_four_seconds_later_is_slower() {
        assert_eq!(with_slow_offers(10), Judgement::Held);
        let judged = with_slow_offers(4_000);
        let Judgement::Slower(why) = judged else {
            panic!("nobody notices: {judged:?}");
        };
        assert!(why.starts_with("recover_ms: 95 % of 1"), "{why}");
    }
}

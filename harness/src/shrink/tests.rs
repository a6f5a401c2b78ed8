//! Tests of every edit of a plan, and of the search.

use std::{collections::BTreeSet, num::NonZeroUsize, sync::Arc};

use proptest::prelude::*;

use super::*;
use crate::{
    fault::{Act, Fault, Plan, Scripted, SlowStep, Target, When},
    net::{
        firewall::FirewallSpec,
        latency::Latency,
        link::LinkProfile,
        nat::NatSpec,
        topology::{HostSpec, Topology},
    },
    seed::Seed,
    servers::IceServerSpec,
    signaling::{self, SignalingSpec},
    swarm,
};

fn scripted(host: &str, when: When, act: Act) -> Scripted {
    Scripted {
        host: host.into(),
        when,
        act,
    }
}

/// Returns a plan with three users, a NAT, a STUN server that no client needs, and every fault of the swarm.
fn stormy(seed: u64) -> Plan {
    let call = |name: &str| name.to_owned();
    let at = |ms| When::At { ms };
    let host = |name, address| HostSpec::new(name, address, LinkProfile::default());
    let topology = Topology::new([
        host("alice", "10.1.0.1").behind(FirewallSpec::STRICT),
        host("bob", "10.2.0.1").inside("home"),
        host("carol", "10.3.0.1")
            .interface("rmnet0", "10.3.1.1", LinkProfile::default())
            .busy(300),
        host("stun", "10.8.0.1"),
        host("server", "10.9.0.1"),
    ])
    .with_nat(
        "carrier",
        "192.0.2.1",
        NatSpec {
            accepts_unsolicited: true,
            ..NatSpec::cone()
        },
    )
    .with_nat("home", "192.0.2.2", NatSpec::symmetric())
    .nested_in("carrier");
    let calm = Plan {
        signaling: Some(SignalingSpec {
            host: signaling::USUAL_HOST.into(),
            ordering: signaling::Ordering::Concurrent,
            descriptions: Latency::uniform_ms(5, 400),
            others: Latency::constant_ms(7),
            push: Some(Latency::constant_ms(300)),
            acknowledged: true,
            passes_copies: false,
        }),
        ice_servers: vec![IceServerSpec {
            host: "stun".into(),
            turn: false,
        }],
        slow_steps: vec![SlowStep {
            host: "carol".into(),
            step: "set-remote".into(),
            by: Latency::uniform_ms(1, 9),
        }],
        script: vec![
            scripted(
                "alice",
                at(200),
                Act::Dial {
                    to: "bob".into(),
                    call: call("c1"),
                },
            ),
            scripted(
                "carol",
                at(300),
                Act::Dial {
                    to: "bob".into(),
                    call: call("c2"),
                },
            ),
            scripted("bob", When::Rung { ms: 900 }, Act::Answer),
            scripted("alice", at(700), Act::Retry { call: call("c1") }),
            scripted("carol", at(900), Act::Hangup { call: call("c2") }),
        ],
        heal_at_ms: 15_000,
        ..Plan::new(topology)
    };
    swarm::brew(Seed(seed), &swarm::Kind::ALL.iter().copied().collect(), calm)
}

/// Returns the indices of the elements of `inventory` whose description is one of `description`.
fn places(inventory: &Inventory, description: &BTreeSet<&str>) -> BTreeSet<usize> {
    let all = inventory.elements().iter().enumerate();
    all.filter(|(_, e)| description.contains(e.description.as_str()))
        .map(|(i, _)| i)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Tests that every edit of a valid plan is valid or skipped, and that the order of two edits does not matter.
    #[test]
    fn edits_are_valid_and_commute(
        seed in any::<u64>(),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 1..12),
    ) {
        let plan = stormy(seed);
        prop_assert_eq!(plan.check(), Ok(()));
        let inventory = Inventory::of(&plan);
        let gone: BTreeSet<usize> = picks.iter().map(|i| i.index(inventory.elements().len())).collect();
        let description: Vec<&str> = gone.iter().map(|i| inventory.elements()[*i].description.as_str()).collect();
        let half = description.len() / 2;
        let [first, second] = [&description[..half], &description[half..]].map(|w| w.iter().copied().collect::<BTreeSet<_>>());
        let all = description.iter().copied().collect();
        // Elements with the same description are the same: they go together.
        let at_once = inventory.without(&places(&inventory, &all));
        let one_after_the_other = |a: &BTreeSet<&str>, b: &BTreeSet<&str>| {
            let halfway = Inventory::of(&inventory.without(&places(&inventory, a))?);
            halfway.without(&places(&halfway, b))
        };
        for (a, b) in [(&first, &second), (&second, &first)] {
            if let (Some(steps), Some(at_once)) = (one_after_the_other(a, b), &at_once) {
                prop_assert_eq!(&steps, at_once);
                prop_assert_eq!(steps.check(), Ok(()));
            }
        }
    }

    /// Tests that every element can go by itself, unless another depends on it, and is gone then.
    #[test]
    fn every_element_can_go(seed in any::<u64>()) {
        let inventory = Inventory::of(&stormy(seed));
        for (i, element) in inventory.elements().iter().enumerate() {
            let without = inventory.without(&BTreeSet::from([i]));
            let without = without.ok_or_else(|| TestCaseError::fail(format!("{} cannot go", element.description)))?;
            let count = |i: &Inventory| i.elements().iter().filter(|e| e.description == element.description).count();
            prop_assert!(count(&Inventory::of(&without)) < count(&inventory), "{}", element.description);
        }
    }
}

#[test]
fn what_would_make_failing_trivial_is_no_element() {
    let inventory = Inventory::of(&stormy(1));
    for description in [
        "bob answers, 900 ms after it rings",
        "STUN server on stun",
        "host server",
        "host bob",
    ] {
        assert!(
            inventory.elements().iter().all(|e| e.description != description),
            "{description}"
        );
    }
    let dials = BTreeSet::from(["alice dials bob, c1, at 200 ms", "carol dials bob, c2, at 300 ms"]);
    let quiet = inventory.without(&places(&inventory, &dials)).expect("a plan");
    assert_eq!(quiet.script, []);
    let one = inventory.without(&places(
        &inventory,
        &BTreeSet::from(["alice dials bob, c1, at 200 ms"]),
    ));
    let one = one.expect("a plan").script;
    assert_eq!(one.len(), 3, "the answer stays for carol's call: {one:?}");
}

#[test]
fn who_was_behind_a_removed_nat_is_behind_the_next() {
    let inventory = Inventory::of(&stormy(1));
    let nat = |nats: &[&str]| inventory.without(&places(&inventory, &nats.iter().copied().collect()));
    let behind = |plan: Option<Plan>| {
        plan.expect("a plan")
            .topology
            .host("bob")
            .expect("bob")
            .nat
            .clone()
    };
    assert_eq!(behind(nat(&["NAT home"])).as_deref(), Some("carrier"));
    assert_eq!(behind(nat(&["NAT carrier"])).as_deref(), Some("home"));
    assert_eq!(behind(nat(&["NAT home", "NAT carrier"])), None);
}

fn is_over_bob(fault: &Fault) -> bool {
    fault.until_ms.is_some() && fault.target == Target::link("bob")
}

/// Breaks an oracle if a fault acts on bob's link for a time and descriptions take at least 20 ms, and if bob answers
/// at once; breaks another oracle if alice does not dial, and the same one by another event if descriptions are quick.
struct Fake;

impl Executor for Fake {
    fn run(&self, plan: &Arc<Plan>) -> Result<Option<Broken>, ExecuteError> {
        let broken = |oracle: &str, decided_by: &str| Broken {
            oracle: oracle.into(),
            decided_by: Some(decided_by.into()),
        };
        let inventory = Inventory::of(plan);
        let has = |description: &str| {
            inventory
                .elements()
                .iter()
                .any(|e| e.description.starts_with(description))
        };
        let slow = |by: &Latency| match by {
            Latency::Constant { us } => *us >= 20_000,
            Latency::Uniform { max_us, .. } => *max_us >= 20_000,
            Latency::Quantiles { .. } => true,
        };
        if plan.script.iter().any(|s| s.when == When::Rung { ms: 0 }) {
            return Ok(Some(broken("THIS", "state")));
        }
        if !has("alice dials") {
            return Ok(Some(broken("OTHER", "state")));
        }
        if !plan.signaling.iter().any(|s| slow(&s.descriptions)) {
            return Ok(Some(broken("THIS", "closed")));
        }
        let hit = plan.faults.iter().any(is_over_bob);
        Ok(hit.then(|| broken("THIS", "state")))
    }
}

fn shrunk(jobs: usize, tries: u64) -> Shrunk {
    let limits = Limits {
        jobs: NonZeroUsize::new(jobs).expect("a number"),
        tries,
        go_on: &|| true,
    };
    shrink(&Fake, &stormy(3), limits, &mut |_| {}).expect("it fails")
}

#[test]
fn the_smallest_plan_breaks_the_same_oracle_and_nothing_else_is_left() {
    let shrunk = shrunk(1, 10_000);
    assert!(shrunk.complete && shrunk.before > 40, "{}", shrunk.before);
    assert_eq!(shrunk.oracle, "THIS");
    let description: Vec<&str> = shrunk.elements.iter().map(|e| e.description.as_str()).collect();
    let [fault, slow, dial] = description[..] else {
        panic!("{description:?}");
    };
    assert!(fault.contains("bob") && fault.ends_with("0 to 1 ms"), "{fault}");
    // Between 20 and an eighth more, where the bisection ends.
    assert!(slow.starts_with("descriptions in the server take 2"), "{slow}");
    assert_eq!(dial, "alice dials bob, c1, at 200 ms");
    let answer = shrunk.plan.script.last().expect("an answer");
    assert_eq!(
        answer.when,
        When::Rung { ms: 1 },
        "at once, it would break in a calm network too"
    );
    let hosts: Vec<&str> = shrunk
        .plan
        .topology
        .hosts
        .iter()
        .map(|h| h.name.as_str())
        .collect();
    assert_eq!(hosts, ["alice", "bob", "server"]);
}

#[test]
fn neither_the_result_nor_the_tries_depend_on_the_threads() {
    let one = shrunk(1, 10_000);
    for jobs in [2, 3, 8] {
        assert_eq!(shrunk(jobs, 10_000), one, "{jobs} threads");
    }
}

#[test]
fn a_search_that_is_cut_short_says_so_and_keeps_what_it_has() {
    let short = shrunk(2, 5);
    assert!(!short.complete && short.tries == 5, "{}", short.tries);
    let broken = Fake.run(&Arc::new(short.plan)).expect("a verdict");
    assert_eq!(broken.map(|b| b.oracle).as_deref(), Some("THIS"));
}

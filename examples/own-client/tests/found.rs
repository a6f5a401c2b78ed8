//! What the suite says of the app: the mistake is found, its cause is named in the app's terms, and the switch fixes it.
#![cfg(feature = "sleet")]

use std::{
    num::NonZeroUsize,
    sync::{Arc, Once},
};

use own_client::{scenarios, sim};
use sleet::{
    explain::{Explanation, Without, explain},
    prelude::*,
    shrink::{InProcess, Limits, shrink},
    trace::EventKind,
};

fn execute(scenario: &Arc<Scenario>, seed: Seed) -> RunRecord {
    static LOG: Once = Once::new();
    LOG.call_once(sim::log_to_timeline);
    Runner::new(scenario, seed).run().expect("it runs")
}

fn named(name: &str) -> Arc<Scenario> {
    let catalogue = scenarios::catalogue();
    let found = catalogue.scenarios().iter().find(|s| s.name == name);
    found.expect("it is in the catalogue").clone()
}

/// The first run in which the naive phone loses the call.
fn first_lost() -> (Arc<Scenario>, RunRecord) {
    let naive = named("own/naive");
    let lost = (0..100)
        .map(|seed| execute(&naive, Seed(seed)))
        .find(|r| r.failure().is_some());
    (naive, lost.expect("some of 100 seeds lose the call"))
}

fn explained(scenario: &Arc<Scenario>, record: &RunRecord) -> Explanation {
    let executor = InProcess {
        scenario: scenario.clone(),
        seed: record.seed,
    };
    let limits = Limits {
        jobs: NonZeroUsize::MIN,
        tries: 300,
        go_on: &|| true,
    };
    let shrunk = shrink(&executor, &record.plan, limits, &mut |_| {}).expect("it fails");
    let smallest = Runner::new(scenario, record.seed)
        .with_plan(shrunk.plan.clone())
        .run();
    explain(&executor, scenario, &shrunk, &smallest.expect("it runs")).expect("it runs")
}

/// How many lines of the app's log on the timeline contain `text`.
fn said(record: &RunRecord, text: &str) -> usize {
    let is = |kind: &EventKind| matches!(kind, EventKind::Line { message, .. } if message.contains(text));
    record.trace.events.iter().filter(|e| is(&e.kind)).count()
}

#[test]
fn a_lost_call_is_explained_by_the_slow_step_of_the_app_s_server() {
    let (naive, record) = first_lost();
    assert_eq!(record.failure().map(|(oracle, _)| oracle), Some("CONN-01"));
    let explanation = explained(&naive, &record);
    let roles = &explanation.roles;
    let slow = roles
        .iter()
        .find(|role| role.element.description.starts_with("slow insert-call of office"));
    let slow = slow.expect("the slow step is part of the smallest plan");
    assert_eq!(slow.without, Without::Holds, "without it the call connects");
    let is_server = |description: &str| description.contains("host office");
    assert!(
        !roles.iter().any(|role| is_server(&role.element.description)),
        "{roles:#?}"
    );
    let complains = |description: &str| description.contains("bob complains: a candidate of an unknown call");
    let chain = &explanation.chain;
    assert!(chain.iter().any(|link| complains(&link.what)), "{chain:#?}");
}

#[test]
fn the_switch_keeps_the_call_that_was_lost() {
    let (_, record) = first_lost();
    let fixed = Runner::new(&named("own/buffered"), record.seed)
        .with_plan(record.plan.clone())
        .run();
    assert_eq!(fixed.expect("it runs").failure(), None, "on the same plan");
}

#[test]
fn a_run_of_the_app_is_the_same_twice() {
    let buffered = named("own/buffered");
    for seed in (0..5).map(Seed) {
        let [first, again] = [(); 2].map(|()| execute(&buffered, seed));
        assert_eq!(first.trace.digest, again.trace.digest, "seed {seed}");
    }
}

#[test]
fn both_hear_each_other_and_the_app_says_so_on_the_timeline() {
    let kept = execute(&named("own/buffered"), Seed(0));
    assert_eq!(said(&kept, "end=HungUp"), 2, "both ends are over");
    assert_eq!(said(&kept, "audio=0") + said(&kept, "texts=0"), 0);
}

//! What the calling app does when an end of a call crashes: it rings again, takes a redial for the end of the call before, and
//! gives up where the policy says so. With an owner per call and with steps as they come.

use std::{sync::Arc, time::Duration};

use sleet::{fault::kinds::HostCrash, prelude::*, trace::CallEvent, trace::CallOutcome, trace::EventKind};
use sleet_scenarios::{client::Policy, network::story_a};

const SEED: Seed = Seed(3);
/// The call is connected by then, and talked over.
const CRASHES_MS: u64 = 4_000;

/// The story network, where `host` is down for `down_ms` in the middle of the call.
fn crash_of(host: &str, down_ms: u64) -> Plan {
    let mut plan = story_a(SEED);
    plan.service().acknowledged = true;
    plan.talk_ms = 3_000;
    let until_ms = CRASHES_MS + down_ms;
    plan.inject(Fault::new(
        Target::host(host),
        HostCrash {},
        CRASHES_MS,
        Some(until_ms),
    ));
    plan.heal_at_ms = CRASHES_MS + down_ms;
    plan.budget_ms = 60_000;
    plan.horizon_ms = plan.heal_at_ms + plan.budget_ms + 60_000;
    plan
}

/// `plan` with the app of `policy`, under both dispatches.
fn played(policy: Policy, plan: &Plan) -> [RunRecord; 2] {
    [policy.in_order(), policy.as_they_come()].map(|policy| {
        let deployment = Deployment::of(policy.bare());
        let scenario = Scenario::played(Kind::Promise, "played", |_| story_a(SEED), deployment);
        Runner::new(&Arc::new(scenario), SEED)
            .with_plan(plan.clone())
            .run()
            .expect("a run")
    })
}

/// What the screen at `host` showed, call by call, until the run was cleaned up.
fn shown(record: &RunRecord, host: &str) -> Vec<(String, CallEvent)> {
    let events = record.trace.events.iter();
    let until_clean_up = events.take_while(|e| e.kind != EventKind::CleanUp);
    let show = |e: &sleet::trace::Event| match &e.kind {
        EventKind::Call { call, what } if e.host.as_deref() == Some(host) => {
            Some((call.clone(), what.clone()))
        }
        _ => None,
    };
    until_clean_up.filter_map(show).collect()
}

fn listed(name: &str) -> Arc<Scenario> {
    let mut all = sleet_scenarios::catalogue().into_iter();
    all.find(|s| s.name == name).expect("listed")
}

fn rings(call: &str) -> (String, CallEvent) {
    (call.to_owned(), CallEvent::Rings { from: "alice".into() })
}

fn over(call: &str, outcome: CallOutcome) -> (String, CallEvent) {
    (call.to_owned(), CallEvent::Over { outcome })
}

#[test]
fn a_callee_that_starts_again_rings_again_for_the_call_that_lives() {
    for record in played(Policy::FIXED, &crash_of("bob", 1_000)) {
        assert_eq!(record.failure(), None);
        let (silent, connected) = (
            ("c1".into(), CallEvent::Silent),
            ("c1".into(), CallEvent::Connected),
        );
        let once = [rings("c1"), silent, connected.clone()];
        assert_eq!(shown(&record, "bob"), [once.clone(), once].concat());
        assert_eq!(shown(&record, "alice"), [connected.clone(), connected]);
    }
}

#[test]
fn a_caller_that_dials_again_after_a_crash_has_left_the_call_before() {
    for record in played(Policy::FIXED, &crash_of("alice", 1_000)) {
        assert_eq!(record.failure(), None);
        let at_bob = shown(&record, "bob");
        assert!(
            at_bob.contains(&over("c1", CallOutcome::Talked)) && at_bob.contains(&rings("c1.1")),
            "{at_bob:?}"
        );
        assert_eq!(at_bob.last(), Some(&("c1.1".into(), CallEvent::Connected)));
    }
}

#[test]
fn an_app_that_hears_nothing_gives_up_if_its_policy_says_so() {
    let gone_for_good = crash_of("bob", 55_000);
    for (policy, gives_up) in [
        (Policy::FIXED.giving_up(Duration::from_secs(12)), true),
        (Policy::FIXED, false),
    ] {
        for record in played(policy, &gone_for_good) {
            let at_alice = shown(&record, "alice");
            let gave_up = at_alice.contains(&over("c1", CallOutcome::Failed));
            assert_eq!(gave_up, gives_up, "{at_alice:?}");
        }
    }
}

#[test]
fn an_app_that_is_heard_again_in_time_does_not_give_up() {
    for record in played(
        Policy::FIXED.giving_up(Duration::from_secs(40)),
        &crash_of("bob", 4_000),
    ) {
        let at_alice = shown(&record, "alice");
        assert!(
            !at_alice.contains(&over("c1", CallOutcome::Failed)),
            "{at_alice:?}"
        );
        assert_eq!(at_alice.last(), Some(&("c1".into(), CallEvent::Connected)));
    }
}

#[test]
fn ice_is_restarted_on_the_peers_of_both_ends() {
    let restart = listed("recovery/restart-bare");
    let runs = (0..10).map(|seed| Runner::new(&restart, Seed(seed)).run().expect("a run"));
    let restarted: u64 = runs
        .filter_map(|run| run.marks().get("ice-restarted").copied())
        .sum();
    assert!(restarted > 0, "no peer that was answered was answered again");
}

#[test]
fn an_app_that_several_notifications_wake_goes_online_once() {
    let asleep = listed("calls/asleep");
    let woken = (0..40).map(|seed| {
        let record = Runner::new(&asleep, Seed(seed)).run().expect("a run");
        let happened =
            |is: fn(&EventKind) -> bool| record.trace.events.iter().filter(|e| is(&e.kind)).count();
        let pushes = happened(|kind| matches!(kind, EventKind::PushDelivered { .. }));
        let online = record.trace.events.iter().filter(|e| {
            matches!(&e.kind, EventKind::Step { step, .. } if step == "online")
                && e.host.as_deref() == Some("bob")
        });
        (pushes, online.count())
    });
    let several: Vec<_> = woken.filter(|(pushes, _)| *pushes > 1).collect();
    assert!(!several.is_empty());
    assert!(several.iter().all(|(_, online)| *online == 1), "{several:?}");
}

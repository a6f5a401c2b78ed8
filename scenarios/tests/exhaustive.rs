//! What the exhaustive family stands on: that it leaves nothing out.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use sleet::{
    explore::Part, explore::Repeats, explore::USER, explore::Walk, oracle::calls::calls, prelude::*,
    run::explored::Explored, run::orders::INDEPENDENT, run::orders::points, run::orders::turns, trace::Event,
    trace::EventKind, trace::Trace, trace::Watch,
};

fn scenario(name: &str) -> Arc<Scenario> {
    let mut all = sleet_scenarios::catalogue().into_iter();
    all.find(|s| s.name == name).expect("it is in the catalogue")
}

/// All orders of `scenario` in one part, with its plan changed by `change`.
fn explored(scenario: &Arc<Scenario>, change: fn(&mut Plan)) -> Explored {
    let (drawn, played) = (scenario.clone(), scenario.clone());
    let draw = move |seed| {
        let mut plan = drawn.draw(seed);
        change(&mut plan);
        plan
    };
    let whole = Scenario::new(Kind::Promise, "whole", draw, move |sim, plan| {
        played.play(sim, plan)
    });
    let whole = Arc::new(whole.explores(1, ""));
    Runner::new(&whole, Seed(0))
        .run()
        .expect("a run")
        .explored
        .expect("it explores")
}

/// What both clients did, in what order, and whether they connected; when checks and data met them is left out.
fn behaviour(trace: &Trace) -> Vec<String> {
    let line = |event: &Event| {
        let what = match &event.kind {
            EventKind::Decision {
                taken: Some(step), ..
            } => return step.clone(),
            EventKind::CandidateApplied { peer, .. } => format!("{peer} applies a candidate"),
            EventKind::CandidateRefused { peer, .. } => format!("{peer} refuses a candidate"),
            EventKind::Described {
                peer, remote, kind, ..
            } => format!("{peer} sets {kind} {remote}"),
            EventKind::Closed { peer } => format!("{peer} is closed"),
            _ => return String::new(),
        };
        format!("{}: {what}", event.host.as_deref().unwrap_or_default())
    };
    let mut lines: Vec<String> = trace.events.iter().map(line).collect();
    lines.retain(|line| !line.is_empty());
    // By host, and of a host in the order in which it happened.
    lines.sort_by_key(|line| line.split(':').next().map(str::to_owned));
    let connected = calls(trace)[0].time_to_connect(trace).is_some();
    lines.push(format!("connected: {connected}"));
    lines
}

/// The behaviours in all orders of `scenario`: every one, or one of each class.
fn behaviours(scenario: &Arc<Scenario>, repeats: Repeats) -> Vec<Vec<String>> {
    let (mut walk, mut found) = (Walk::new(Part::WHOLE), Vec::new());
    while let Some(choices) = walk.next_run() {
        let mut plan = scenario.draw(Seed(0));
        let order = plan.order.as_mut().expect("an order");
        // The end of candidates only makes more of the same: clients do nothing about it.
        order.free.retain(|free| free.step != "end-of-candidates");
        (order.choices, order.repeats) = (choices, repeats);
        let record = Runner::new(scenario, Seed(0))
            .with_plan(plan)
            .run()
            .expect("a run");
        walk.passed(&points(&record.trace));
        let is_whole = turns(&record.trace).iter().all(|turn| turn.taken.is_some());
        found.extend(is_whole.then(|| behaviour(&record.trace)));
    }
    found
}

#[test]
fn orders_that_are_taken_for_one_behave_alike_and_none_is_left_out() {
    for (name, all, reduced) in [("naive", 72, 18), ("buffer-both", 668, 56)] {
        let scenario = scenario(&format!("exhaustive/{name}"));
        let (every, one_each) = (
            behaviours(&scenario, Repeats::Count),
            behaviours(&scenario, Repeats::CutOff),
        );
        assert_eq!((every.len(), one_each.len()), (all, reduced), "{name}");
        let distinct = |found: Vec<Vec<String>>| found.into_iter().collect::<BTreeSet<_>>();
        let one_each = distinct(one_each);
        assert_eq!(
            one_each.len(),
            reduced,
            "{name}: two orders of different classes behave alike"
        );
        assert_eq!(distinct(every), one_each, "{name}");
    }
}

#[test]
fn the_parts_of_all_seeds_are_the_whole_whatever_else_the_seeds_draw() {
    let scenario = scenario("exhaustive/dial-hangup");
    let part = |seed| Runner::new(&scenario, Seed(seed)).run().expect("a run").explored;
    let parts = (0..scenario.min_seeds).map(|seed| part(seed).expect("it explores").orders);
    assert_eq!(parts.sum::<u64>(), explored(&scenario, |_| {}).orders);
}

#[test]
fn no_step_causes_anything_after_the_next_one() {
    let slower = |plan: &mut Plan| plan.order.iter_mut().for_each(|order| order.quiet_ms *= 2);
    for name in ["exhaustive/dial-hangup", "exhaustive/stale-generation"] {
        let scenario = scenario(name);
        let (usual, slow) = (explored(&scenario, |_| {}), explored(&scenario, slower));
        assert_eq!((usual.orders, usual.steps), (slow.orders, slow.steps), "{name}");
    }
}

/// Plays a story in which bob does another step if alice has had her turn before him.
async fn entangled(sim: Sim) {
    let alice_was_there = Arc::new(Mutex::new(false));
    let [alice, bob] = ["alice", "bob"].map(|name| sim.host(name));
    let secret = alice_was_there.clone();
    alice.clone().spawn("alice", async move {
        alice.turn(USER, "looks").await;
        *secret.lock().expect("nobody panics") = true;
    });
    bob.clone().spawn("bob", async move {
        bob.turn(USER, "looks").await;
        if *alice_was_there.lock().expect("nobody panics") {
            bob.turn(USER, "waves").await;
        }
    });
    sim.all_turns_taken().await;
}

#[test]
fn hosts_that_share_more_than_their_steps_are_no_basis_for_a_reduction() {
    let draw = |seed| scenario("exhaustive/naive").draw(seed);
    let story = |sim, _| entangled(sim);
    let scenario = Arc::new(Scenario::new(Kind::Promise, "entangled", draw, story).explores(1, ""));
    let record: RunRecord = Runner::new(&scenario, Seed(1)).run().expect("a run");
    let (oracle, violation) = record.failure().expect("it is noticed");
    assert_eq!(oracle, INDEPENDENT);
    assert!(
        violation.why.contains("whether 'bob: waves' comes"),
        "{}",
        violation.why
    );
}

#[test]
fn whoever_watches_a_seed_of_many_orders_sees_it_get_on() {
    let (scenario, watch) = (
        scenario("exhaustive/wait-in-callback"),
        Arc::new(Watch::default()),
    );
    let record = Runner::new(&scenario, Seed(0))
        .watched(watch.clone())
        .run()
        .expect("a run");
    let explored = record.explored.expect("it explores");
    assert_eq!(watch.steps(), explored.orders + explored.repeats);
}

//! Tests of the search on made-up runs: it is determined by its first seed, and what it breeds can be run.

use std::sync::Arc;

use super::{pool::Pool, *};
use crate::{
    fault::{Act, Plan, Scripted, When, tests::world},
    scenario::{Kind, Scenario},
    seed::Seed,
    shrink::Broken,
    swarm,
    time::SimTime,
    trace::{Event, EventKind, Machine, Point, Trace},
};

/// Alice dials bob at some time, and one of them hangs up at some point; some faults of the swarm.
fn drawn(seed: Seed) -> Plan {
    let mut draws = seed.stream("test");
    let act = |host: &str, when, act| Scripted {
        host: host.into(),
        when,
        act,
    };
    let mut plan = world();
    let (dial, hang_up) = (draws.between(200, 600), draws.below(Point::ALL.len() as u64));
    let when = When::Reached {
        point: Point::ALL[hang_up as usize],
        after_ms: draws.below(50),
    };
    let host = ["alice", "bob"][draws.below(2) as usize];
    plan.script = vec![
        act(
            "alice",
            When::At { ms: dial },
            Act::Dial {
                to: "bob".into(),
                call: "c1".into(),
            },
        ),
        act("bob", When::Rung { ms: draws.below(900) }, Act::Answer),
        act(host, when, Act::Hangup { call: "c1".into() }),
        act(
            "alice",
            When::Over {
                after_ms: draws.below(9),
            },
            Act::Redial {
                call: "c1".into(),
                again: "c2".into(),
            },
        ),
    ];
    if draws.below(2) == 0 {
        plan.script.remove(2);
    }
    swarm::brew(seed, &swarm::kinds(seed), plan)
}

fn scenario() -> Arc<Scenario> {
    Arc::new(Scenario::new(Kind::Promise, "own/made-up", drawn, |_, _| async {}))
}

/// A trace in which ends of a call come to `states`, in turn.
fn trace(states: &[&str]) -> Trace {
    let event = |(seq, state): (usize, &&str)| Event {
        seq: seq as u64,
        at: SimTime::from_millis(100 * (seq as u64 + 1)),
        host: Some(["alice", "bob"][seq % 2].into()),
        kind: EventKind::State {
            peer: "c1".into(),
            machine: Machine::Ice,
            state: (*state).to_owned(),
        },
    };
    Trace::from_events(states.iter().enumerate().map(event).collect())
}

/// What a made-up run of `plan` reached: something else for most plans.
fn made_up(plan: &Plan) -> Reached {
    let state = format!("{} faults, {} acts", plan.faults.len(), plan.script.len());
    let dialed = format!("{:?}", plan.script[0].when);
    Reached::of_trace(&trace(&["new", &state, &dialed]))
}

/// What a search is told of a made-up run of `plan`.
fn lesson(plan: &Plan, broke: bool) -> Lesson {
    let broken = Broken {
        oracle: "LIFE-01".into(),
        decided_by: None,
    };
    Lesson {
        reached: made_up(plan),
        found: broke.then(|| Found {
            broken,
            why: String::new(),
        }),
    }
}

fn proposals(first: Seed, strategy: Strategy, runs: usize) -> (Vec<Proposal>, Search) {
    let mut search = Search::new(scenario(), first, strategy);
    let mut all = Vec::new();
    for _ in 0..runs {
        let proposal = search.propose().expect("a plan");
        search.learn(&proposal, &lesson(&proposal.plan, false));
        all.push(proposal);
    }
    (all, search)
}

#[test]
fn the_same_search_proposes_the_same_and_another_first_seed_something_else() {
    for strategy in Strategy::ALL {
        let (all, _) = proposals(Seed(3), strategy, 60);
        assert_eq!(all, proposals(Seed(3), strategy, 60).0, "{strategy}");
        assert_ne!(all, proposals(Seed(4), strategy, 60).0, "{strategy}");
    }
}

#[test]
fn the_swarm_runs_what_a_suite_runs() {
    let (all, search) = proposals(Seed(7), Strategy::Swarm, 20);
    for (proposal, seed) in all.iter().zip((7..).map(Seed)) {
        assert_eq!((proposal.seed, &proposal.origin), (seed, &Origin::Drawn));
        assert_eq!(*proposal.plan, drawn(seed));
    }
    assert_eq!(search.kept(), 0);
}

#[test]
fn what_a_search_proposes_can_be_run_and_some_of_it_is_bred() {
    let (all, _) = proposals(Seed(1), Strategy::Guided, 200);
    for proposal in &all {
        assert_eq!(proposal.plan.check(), Ok(()), "{}", proposal.origin);
    }
    let bred = all.iter().filter(|p| p.origin != Origin::Drawn).count();
    assert!((5..190).contains(&bred), "{bred} of 200");
}

#[test]
fn nothing_is_bred_from_what_broke_something() {
    let mut search = Search::new(scenario(), Seed(1), Strategy::Guided);
    for _ in 0..20 {
        let proposal = search.propose().expect("a plan");
        search.learn(&proposal, &lesson(&proposal.plan, true));
        assert_eq!(proposal.origin, Origin::Drawn);
    }
    assert_eq!(search.kept(), 0);
}

#[test]
fn every_change_makes_plans_that_can_be_run_and_keeps_the_story() {
    for change in Change::ALL {
        let mut made = 0;
        for seed in (0..200).map(Seed) {
            let [plan, other, fresh] = [0, 1_000, 2_000].map(|more| drawn(Seed(seed.0 + more)));
            let parents = Parents {
                plan: &plan,
                moments: &[300, 2_000],
                other: &other,
                fresh: &fresh,
            };
            let Some(bred) = breed(change, parents, &mut seed.stream("breed")) else {
                continue;
            };
            made += 1;
            assert_eq!(bred.check(), Ok(()), "{change:?} of {seed}");
            assert_eq!(bred == plan, change == Change::Reseed, "{change:?} of {seed}");
            assert!(bred.script.iter().any(|s| matches!(s.act, Act::Dial { .. })));
            assert!(bred.script.iter().any(|s| s.act == Act::Answer));
            let again = breed(change, parents, &mut seed.stream("breed"));
            assert_eq!(again, Some(bred), "{change:?} of {seed}");
        }
        assert!(made >= 50, "{change:?}: {made} of 200");
    }
}

#[test]
fn a_feature_is_reached_once_however_often_it_comes() {
    let (once, often) = (
        trace(&["new", "new", "checking"]),
        trace(&["new", "new", "checking", "new", "new", "new"]),
    );
    let count = |trace: &Trace| Reached::of_trace(trace).features().count();
    assert_eq!(count(&trace(&["new"])), 1, "one state, nothing before it");
    assert!(
        count(&often) <= count(&once) + 4,
        "{} and {}",
        count(&once),
        count(&often)
    );
    let mut pool = Pool::default();
    let reached = Reached::of_trace(&often);
    assert_eq!(pool.count(&reached).len(), count(&often), "all of it is new");
    assert_eq!(pool.count(&reached).len(), 0, "nothing is new again");
    assert!(pool.runs().values().all(|runs| *runs == 2));
}

#[test]
fn states_come_in_pairs_of_both_ends_and_events_in_order_of_one_host() {
    let reached = Reached::of_trace(&trace(&["new", "checking", "connected"]));
    let told: Vec<String> = reached.features().map(ToString::to_string).collect();
    let wanted = [
        "ice: checking while new",
        "ice: connected while checking",
        "ice: new while ",
        "ice new, then ice connected of the same call",
    ];
    assert_eq!(told, wanted);
    let late = reached
        .features()
        .find(|f| f.to_string().starts_with("ice new, then"));
    let at = late.and_then(|f| reached.when(f));
    assert_eq!(at, Some(SimTime::from_millis(300)));
}

#[test]
fn the_pool_is_bounded_and_keeps_what_is_rare() {
    let mut pool = Pool::default();
    let plan = Arc::new(world());
    let common = |n: u64| Reached::of_trace(&trace(&[&format!("state {}", n % 100)]));
    (0..100).for_each(|n| drop(pool.count(&common(n))));
    let rare = Reached::of_trace(&trace(&["rare"]));
    let new = pool.count(&rare);
    pool.keep(Seed(0), plan.clone(), &rare, new);
    for n in 1..500 {
        let common = common(n);
        let features = common.features().cloned().collect();
        pool.count(&common);
        pool.keep(Seed(n), plan.clone(), &common, features);
        assert!(pool.len() <= super::pool::MOST);
    }
    assert_eq!(pool.len(), super::pool::MOST);
    let mut draws = Seed(1).stream("choose");
    let chosen = (0..200)
        .filter_map(|_| pool.choose(&mut draws))
        .any(|kept| kept.seed == Seed(0));
    assert!(chosen, "what one run of 500 reached is still there");
}

#[test]
fn strategies_are_read_as_they_are_written() {
    for strategy in Strategy::ALL {
        assert_eq!(strategy.to_string().parse(), Ok(strategy));
    }
    assert!("random".parse::<Strategy>().is_err());
}

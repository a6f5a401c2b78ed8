//! The calls that take place twice: every case.

use sleet::fault::{Directions, ice_server_down, partition};

use crate::{
    cases::{Case, DIALS_MS, Shape},
    endings, matrix,
    nat::{Input, Translation},
};

/// Every case.
pub fn all() -> Vec<Case> {
    let mut all = policies();
    all.extend(gates());
    all.extend(links());
    all.extend(late_candidates());
    all.extend(dead_turn());
    all.extend(ringing());
    all.extend(endings::all());
    all.extend(matrix::all());
    all
}

fn policies() -> Vec<Case> {
    let shape = |naive, far| Shape {
        naive,
        far,
        ..Shape::default()
    };
    let prompt = |far| Shape {
        slow: Vec::new(),
        ..shape(false, far)
    };
    vec![
        Case::new("policy/naive-near", "naive trickle, no wire", shape(true, false)),
        Case::new("policy/buffered-near", "buffered, no wire", shape(false, false)),
        Case::new("policy/naive", "naive trickle", shape(true, true)),
        Case::new("policy/buffered", "buffered", shape(false, true)),
        Case::new(
            "policy/prompt-near",
            "buffered, prompt server, no wire",
            prompt(false),
        ),
        Case::new("policy/prompt", "buffered, prompt server", prompt(true)),
    ]
}

fn gates() -> Vec<Case> {
    use Translation::{Firewall, FullyRandom, Masquerade, Open};

    let shape = |alice, bob| Shape {
        gates: [alice, bob],
        ..Shape::default()
    };
    let input = |alice, bob| Shape {
        input: [alice, bob],
        ..Shape::default()
    };
    let (drop, reject, accept) = (Input::Drop, Input::Reject, Input::Accept);
    let naive = |shape| Shape { naive: true, ..shape };
    let relay = Shape {
        turn: true,
        ..shape(FullyRandom, FullyRandom)
    };
    vec![
        Case::new(
            "nat/symmetric",
            "a new port for each destination at both ends",
            shape(FullyRandom, FullyRandom),
        )
        .crowded(),
        Case::new("nat/relay", "the same, with a TURN server", relay),
        Case::new(
            "nat/one-symmetric",
            "a new port for each destination at the caller",
            shape(FullyRandom, Masquerade),
        )
        .crowded(),
        Case::new(
            "nat/symmetric-to-open",
            "the same, and the callee is open to all",
            shape(FullyRandom, Open),
        ),
        Case::new(
            "nat/firewalls",
            "no NATs, but firewalls; naive trickle",
            naive(shape(Firewall, Firewall)),
        ),
        Case::new(
            "nat/open",
            "neither NATs nor firewalls; naive trickle",
            naive(shape(Open, Open)),
        ),
        Case::new(
            "nat/reject",
            "NATs that refuse what nobody asked for",
            input(reject, reject),
        ),
        Case::new(
            "nat/accept",
            "NATs that accept what nobody asked for",
            input(accept, accept),
        )
        .crowded(),
        Case::new(
            "nat/accept-caller",
            "the caller's NAT accepts it",
            input(accept, drop),
        )
        .crowded(),
        Case::new(
            "nat/accept-callee",
            "the callee's NAT accepts it",
            input(drop, accept),
        ),
    ]
}

fn links() -> Vec<Case> {
    let cut = partition("alice", Directions::Both, DIALS_MS + 900, DIALS_MS + 1_700);
    vec![
        Case::new(
            "link/loss",
            "the caller's link loses 10 %",
            Shape {
                loss: 10,
                ..Shape::default()
            },
        ),
        Case::new(
            "link/disorder",
            "20 % of the caller's packets leave their place, 10 % come twice",
            Shape {
                duplicates: 10,
                reordered: 20,
                ..Shape::default()
            },
        ),
        Case::new(
            "link/damage",
            "5 % of the caller's datagrams have a bit flipped, 5 % lose their end",
            Shape {
                damaged: 5,
                ..Shape::default()
            },
        ),
        Case::new(
            "link/blackout",
            "the caller's link is dark for 0.8 s while the call connects",
            Shape {
                faults: vec![cut],
                budget_ms: 10_000,
                ..Shape::default()
            },
        ),
    ]
}

/// Finding 0001: candidates that come late.
fn late_candidates() -> Vec<Case> {
    let late = |who: &str, ms: u64| {
        let step = match who {
            "caller" => "pass-on-ice-of-caller",
            _ => "pass-on-ice-of-callee",
        };
        let shape = Shape {
            slow: vec![(step, ms, ms)],
            budget_ms: 12_000,
            ..Shape::default()
        };
        let about = match who {
            "caller" => "the caller's candidates come late",
            _ => "the callee's candidates come late",
        };
        Case::new(format!("late/{who}-{ms}"), about, shape)
            .few()
            .crowded()
    };
    let caller = [500, 1_000, 1_300, 1_500, 1_700, 2_000, 3_000];
    let mut all: Vec<Case> = caller.into_iter().map(|ms| late("caller", ms)).collect();
    all.extend([1_500, 3_000].into_iter().map(|ms| late("callee", ms)));
    all
}

/// Finding 0008: the TURN server dies while the call is set up.
fn dead_turn() -> Vec<Case> {
    let dies = |after: u64| {
        let shape = Shape {
            turn: true,
            slow: Vec::new(),
            faults: vec![ice_server_down("stun", DIALS_MS + after, None)],
            budget_ms: 15_000,
            ..Shape::default()
        };
        let name = format!("dead-turn/{after}");
        Case::new(name, "the TURN server dies so long after dialing", shape).few()
    };
    [100, 300, 450, 550, 700, 900, 1_200]
        .into_iter()
        .map(dies)
        .collect()
}

/// Phones that ring for long.
fn ringing() -> Vec<Case> {
    let rings = |s: u64| {
        let shape = Shape {
            ring_ms: s * 1_000,
            slow: Vec::new(),
            budget_ms: s * 1_000 + 6_000,
            ..Shape::default()
        };
        let case = Case::new(
            format!("ringing/{s}"),
            "the callee picks up after so many seconds",
            shape,
        );
        case.few().crowded()
    };
    [20, 29, 31, 40].into_iter().map(rings).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sleet::seed::Seed;

    use super::*;
    use crate::nat::Gate;

    #[test]
    fn every_case_has_a_plan_that_linux_can_execute() {
        let mut names = BTreeSet::new();
        for case in all() {
            let plan = case.plan(Seed(1));
            plan.check().unwrap_or_else(|e| panic!("{}: {e}", case.name));
            let inputs = case.shape.gates.into_iter().zip(case.shape.input);
            for (host, (wanted, input)) in ["alice", "bob"].into_iter().zip(inputs) {
                let gate = Gate::of(&plan, host, input).expect("Linux has it");
                assert_eq!(gate.translation, wanted, "{}", case.name);
            }
            assert!(names.insert(case.name.clone()), "{} is there twice", case.name);
        }
    }

    #[test]
    fn a_seed_decides_when_the_caller_dials() {
        let case = &all()[0];
        assert_eq!(case.plan(Seed(1)), case.plan(Seed(1)));
        assert_ne!(case.plan(Seed(1)).script, case.plan(Seed(2)).script);
    }
}

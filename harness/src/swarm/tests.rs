//! Properties of every plan that the swarm draws.

use super::*;
use crate::fault::{Fault, tests::world as plan};

#[test]
fn each_kind_is_drawn_on_some_seeds_and_left_out_on_others() {
    for kind in Kind::ALL.iter().copied() {
        let drawn = (0..200).filter(|s| kinds(Seed(*s)).contains(&kind)).count();
        assert!(
            (20..=180).contains(&drawn),
            "{}: {drawn} of 200",
            kind.spec().name
        );
    }
}

#[test]
fn each_kind_leaves_something_in_the_plan() {
    for kind in Kind::ALL.iter().copied() {
        // A slow await is drawn for each step or not, so several seeds are tried.
        let changed = (0..20).any(|s| brew(Seed(s), &[kind].into(), plan()) != plan());
        assert!(changed, "{}", kind.spec().name);
    }
    assert_eq!(brew(Seed(1), &BTreeSet::new(), plan()), plan());
}

#[test]
fn plans_are_valid_and_depend_on_the_seed_alone_and_end_with_the_chaos_phase() {
    for seed in (0..200).map(Seed) {
        let brewed = brew(seed, &kinds(seed), plan());
        assert_eq!(brewed.check(), Ok(()), "{seed}");
        assert_eq!(brewed, brew(seed, &kinds(seed), plan()), "{seed}");
        let ends = |f: &Fault| f.until_ms.is_none_or(|until| until <= brewed.heal_at_ms);
        assert!(brewed.faults.iter().all(ends), "{seed}");
        let json = serde_json::to_string(&brewed).expect("plain data");
        assert_eq!(serde_json::from_str::<Plan>(&json).expect("own output"), brewed);
    }
}

#[test]
fn leaving_a_kind_out_moves_no_other() {
    let (with, without) = ([Kind::Loss, Kind::Hold].into(), [Kind::Hold].into());
    let (with, without) = (brew(Seed(3), &with, plan()), brew(Seed(3), &without, plan()));
    let holds = |plan: &Plan| {
        let holds = plan.faults.iter().filter(|f| f.kind_id() == Kind::Hold);
        holds.map(Fault::describe).collect::<Vec<_>>()
    };
    assert_eq!(holds(&with), holds(&without));
    assert!(with.faults.len() > without.faults.len());
}

#[test]
fn what_cannot_hit_a_world_is_not_drawn_there() {
    let mut open = plan();
    (open.topology.nats, open.ice_servers, open.service().push) = (Vec::new(), Vec::new(), None);
    for host in &mut open.topology.hosts {
        host.nat = None;
        host.interfaces.truncate(1);
    }
    let missing: BTreeSet<Kind> = can_hit(&[plan()])
        .difference(&can_hit(&[open]))
        .copied()
        .collect();
    let needs_more = [
        Kind::LatePush,
        Kind::NatRebind,
        Kind::NatReboot,
        Kind::NatChangeAddress,
        Kind::NetworkSwitch,
        Kind::IceServerDown,
    ];
    assert_eq!(missing, needs_more.into());
}

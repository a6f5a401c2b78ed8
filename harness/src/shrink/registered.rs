//! Tests that every registered kind of fault is complete, down to the element that can be removed.

use std::collections::BTreeSet;

use super::Inventory;
use crate::{
    fault::{
        Fault, KindId, Span, Target,
        kinds::NatRebind,
        tests::{bare, with, world, wrong},
    },
    seed::Seed,
    swarm,
};

/// Returns faults of each kind, as the swarm draws them for [`world`].
fn drawn(kind: KindId) -> Vec<Fault> {
    // A slow await is drawn for each step or not, so several seeds are tried.
    let plans = (0..20).map(|seed| swarm::brew(Seed(seed), &[kind].into(), world()));
    plans.flat_map(|plan| plan.faults).collect()
}

/// Lists the parts that a kind lacks.
fn lacks(kind: KindId) -> Vec<&'static str> {
    let spec = kind.spec();
    let faults = drawn(kind);
    let alone = |fault: &Fault| with([fault.clone()]);
    let as_named = |fault: &Fault| {
        let json = serde_json::to_value(&fault.kind).expect("plain data");
        json.get(spec.name).is_some()
    };
    let is_said = |fault: &Fault| {
        let description = fault.describe();
        fault.target == Target::Signaling && !description.is_empty()
            || description.contains(fault.target.name())
    };
    let can_go = |fault: &Fault| {
        let inventory = Inventory::of(&alone(fault));
        let all = inventory.elements().iter();
        let place = all.clone().position(|e| e.description == fault.describe());
        let without = place.and_then(|place| inventory.without(&BTreeSet::from([place])));
        without.is_some_and(|plan| plan.faults.is_empty())
    };
    let has_end = !matches!(spec.span, Span::Moment | Span::ForGood);
    let parts = [
        ("a draw", !faults.is_empty()),
        ("the name that plans call it by", faults.iter().all(as_named)),
        ("a sentence on what it does", spec.about.ends_with('.')),
        (
            "a mark",
            !spec.marks.is_empty() && spec.marks.iter().all(|m| m.ends_with("-hit")),
        ),
        ("a world", !spec.befalls.all(&world()).is_empty()),
        (
            "a description that names what it befalls",
            faults.iter().all(is_said),
        ),
        ("a way to be taken away", faults.iter().all(can_go)),
        ("an end", has_end || faults.iter().all(|f| f.until_ms.is_none())),
        (
            "a plan that can be run",
            faults.iter().all(|f| alone(f).check() == Ok(())),
        ),
    ];
    parts
        .into_iter()
        .filter(|(_, there)| !there)
        .map(|(part, _)| part)
        .collect()
}

#[test]
fn every_registered_kind_has_all_its_parts() {
    let mut marks = BTreeSet::new();
    for kind in KindId::ALL {
        assert_eq!(lacks(*kind), <[&str; 0]>::default(), "{}", kind.spec().name);
        for mark in kind.spec().marks {
            assert!(marks.insert(mark), "{mark} is of two kinds");
        }
    }
}

#[test]
fn a_fault_that_cannot_hit_the_world_is_refused_by_name() {
    for kind in KindId::ALL {
        let spec = kind.spec();
        let mut plan = bare();
        plan.faults = drawn(*kind)[..1].to_vec();
        let refused = wrong(&plan);
        let named = refused.starts_with("faults[0].") && refused.contains(spec.name);
        let everywhere =
            plan.faults[0].target == Target::Signaling || plan.faults[0].target.is_of_host("server");
        assert!(
            named || everywhere && refused == "Ok(())",
            "{}: {refused}",
            spec.name
        );
    }
    let mut plan = bare();
    plan.faults = vec![Fault::new(Target::nat("home"), NatRebind {}, 1, None)];
    assert_eq!(
        wrong(&plan),
        "faults[0].kind: nat-rebind cannot hit this world: it befalls a NAT, and there is none"
    );
}

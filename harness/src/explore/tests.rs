//! The laws of the exploration, tested on toy clients whose states are fully known.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// A toy world: the reactions of hosts to the steps that act on them.
#[derive(Clone, Debug)]
struct Toy {
    /// The steps at the beginning, by the host that they act on.
    first: Vec<usize>,
    /// The reaction to the *n*th step that acts on a host: the receiving host, and how much the state of the sender
    /// decides whether it sends.
    reactions: Vec<(usize, u8)>,
    hosts: usize,
}

/// The state of a run of the toy.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    /// The steps that each host has seen, in order: its state can depend on nothing else.
    seen: BTreeMap<String, Vec<String>>,
    enabled: BTreeSet<Step>,
}

impl Toy {
    fn step(&self, host: usize, name: String) -> Step {
        let host = format!("h{}", host % self.hosts);
        Step { host, name }
    }

    fn begin(&self) -> State {
        let first = self.first.iter().enumerate();
        State {
            enabled: first
                .map(|(i, host)| self.step(*host, format!("first {i}")))
                .collect(),
            ..State::default()
        }
    }

    fn take(&self, state: &mut State, step: &Step) {
        state.enabled.remove(step);
        let seen = state.seen.entry(step.host.clone()).or_default();
        seen.push(step.name.clone());
        let so_far = blake3::hash(seen.join(",").as_bytes());
        let (n, byte) = (seen.len(), so_far.as_bytes()[0]);
        if let Some((to, threshold)) = self.reactions.get(n - 1)
            && byte >= *threshold
        {
            // The message depends on everything that its sender has seen.
            let name = format!("{} sends {}", step.host, &so_far.to_hex()[..8]);
            state.enabled.insert(self.step(*to, name));
        }
    }

    /// Runs with `order`; returns the turns, the points, and the last state unless the run was redundant.
    fn run(&self, order: &Order) -> (Vec<Decision>, Vec<Point>, Option<State>) {
        let (mut chooser, mut state) = (Chooser::new(order), self.begin());
        let (mut turns, mut points) = (Vec::new(), Vec::new());
        while !state.enabled.is_empty() {
            let pick = chooser.choose(&state.enabled);
            points.extend(Point::of(&pick));
            let taken = match pick {
                Pick::Take { taken, awake } => Some(awake[taken].clone()),
                Pick::Again(step) => Some(step),
                Pick::Redundant => None,
            };
            turns.push(Decision {
                taken: taken.clone(),
                enabled: state.enabled.clone(),
            });
            match taken {
                Some(step) => self.take(&mut state, &step),
                None => return (turns, points, None),
            }
        }
        (turns, points, Some(state))
    }

    /// Returns the last states of all orders of `part`, one for each order.
    fn explore(&self, part: Part, repeats: Repeats) -> Vec<State> {
        let (mut walk, mut ends) = (Walk::new(part), Vec::new());
        let (mut known, mut foresight) = (EnabledSteps::default(), Foresight::default());
        while let Some(choices) = walk.next_run() {
            let order = order(choices, part, repeats);
            let (turns, points, end) = self.run(&order);
            if let Some(foreseen) = foresight.redundant(&order) {
                assert_eq!(foreseen, points, "{order:?}");
                assert!(end.is_none() || repeats == Repeats::RunOn, "{order:?}");
            }
            foresight.learn(&turns);
            known.learn(&turns).expect("toys have no secrets");
            if walk.passed(&points) {
                ends.extend(end);
            }
        }
        ends
    }
}

fn order(choices: Vec<usize>, part: Part, repeats: Repeats) -> Order {
    Order {
        free: Vec::new(),
        quiet_ms: 1,
        choices,
        part,
        repeats,
    }
}

fn toys() -> impl Strategy<Value = Toy> {
    let first = prop::collection::vec(0..3_usize, 0..5);
    let reactions = prop::collection::vec((0..3_usize, 0..=160_u8), 0..2);
    (first, reactions, 1..4_usize).prop_map(|(first, reactions, hosts)| Toy {
        first,
        reactions,
        hosts,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Tests Godefroid's theorem for sleep sets, and that they leave one order of each class.
    #[test]
    fn the_reduced_exploration_reaches_every_last_state_and_each_once(toy in toys()) {
        let reduced = toy.explore(Part::WHOLE, Repeats::CutOff);
        // The state is all that each host has seen, so it identifies the class of the order.
        let full: BTreeSet<State> = toy.explore(Part::WHOLE, Repeats::Count).into_iter().collect();
        prop_assert_eq!(reduced.len(), full.len());
        prop_assert_eq!(reduced.into_iter().collect::<BTreeSet<State>>(), full);
    }

    #[test]
    fn runs_that_go_on_reach_no_state_that_was_not_reached(toy in toys()) {
        let reached: BTreeSet<State> = toy.explore(Part::WHOLE, Repeats::CutOff).into_iter().collect();
        let on: BTreeSet<State> = toy.explore(Part::WHOLE, Repeats::RunOn).into_iter().collect();
        prop_assert_eq!(on, reached);
    }

    #[test]
    fn parts_are_disjoint_and_together_the_whole(toy in toys(), of in 1..30_u64) {
        let mut whole = toy.explore(Part::WHOLE, Repeats::CutOff);
        let mut parts: Vec<State> = (0..of)
            .flat_map(|index| toy.explore(Part { index, of }, Repeats::CutOff))
            .collect();
        whole.sort();
        parts.sort();
        prop_assert_eq!(parts, whole);
    }
}

#[test]
fn the_full_exploration_of_steps_that_cause_nothing_counts_permutations() {
    let toy = |first: Vec<usize>| Toy {
        first,
        reactions: Vec::new(),
        hosts: 2,
    };
    assert_eq!(
        toy(vec![0, 0, 0, 0]).explore(Part::WHOLE, Repeats::Count).len(),
        24
    );
    assert_eq!(
        toy(vec![0, 0, 0, 0]).explore(Part::WHOLE, Repeats::CutOff).len(),
        24
    );
    assert_eq!(
        toy(vec![0, 0, 1, 1]).explore(Part::WHOLE, Repeats::Count).len(),
        24
    );
    assert_eq!(
        toy(vec![0, 0, 1, 1]).explore(Part::WHOLE, Repeats::CutOff).len(),
        4
    );
}

#[test]
fn a_chosen_order_is_kept_and_the_rest_is_the_first() {
    let steps: Vec<Step> = ["a", "b", "c"]
        .map(|name| Step {
            host: "bob".into(),
            name: name.into(),
        })
        .into();
    let mut chooser = Chooser::new(&order(vec![2], Part::WHOLE, Repeats::CutOff));
    let mut left = steps;
    let mut taken = Vec::new();
    while let Pick::Take { taken: place, awake } = chooser.choose(&left) {
        taken.push(awake[place].name.clone());
        left.retain(|step| *step != awake[place]);
    }
    assert_eq!(taken, ["c", "a", "b"]);
}

#[test]
fn an_order_that_cannot_be_kept_is_refused_by_the_path_of_its_field() {
    let check = |host: &str, quiet_ms, part| {
        let free = Free {
            host: host.into(),
            step: "offer".into(),
        };
        let order = Order {
            free: vec![free],
            quiet_ms,
            ..order(Vec::new(), part, Repeats::CutOff)
        };
        order.check(|host| host == "bob")
    };
    assert_eq!(check("bob", 1, Part::WHOLE), Ok(()));
    assert_eq!(check("*", 1, Part { index: 1, of: 2 }), Ok(()));
    let wrong = |host, quiet_ms, part| check(host, quiet_ms, part).expect_err("it is wrong");
    assert!(wrong("carol", 1, Part::WHOLE).starts_with("order.free[0].host: "));
    assert!(wrong("bob", 0, Part::WHOLE).starts_with("order.quiet_ms: "));
    assert!(wrong("bob", 1, Part { index: 2, of: 2 }).starts_with("order.part.index: "));
}

/// Creates a turn that took `taken` while the steps of `enabled` were enabled.
fn turn(taken: &str, enabled: &[&str]) -> Decision {
    let step = |step: &str| step.parse().expect("a step");
    Decision {
        taken: Some(step(taken)),
        enabled: enabled.iter().map(|s| step(s)).collect(),
    }
}

#[test]
fn a_step_that_depends_on_more_than_what_each_host_has_seen_is_noticed() {
    let mut known = EnabledSteps::default();
    let waves = [
        turn("a: looks", &["a: looks", "b: looks"]),
        turn("b: looks", &["b: looks"]),
        turn("b: waves", &["b: waves"]),
    ];
    assert_eq!(known.learn(&waves), Ok(()));
    assert_eq!(known.learn(&waves), Ok(()));
    let does_not = [
        turn("b: looks", &["a: looks", "b: looks"]),
        turn("a: looks", &["a: looks"]),
    ];
    let entangled = known.learn(&does_not).expect_err("b knows when a looked");
    assert_eq!(
        entangled.to_string(),
        "whether 'b: waves' comes depends on more than what each host has seen (a looks; b looks)"
    );
}

#[test]
fn a_run_that_is_cut_off_says_nothing_about_its_end() {
    let mut known = EnabledSteps::default();
    let mut cut_off = vec![
        turn("b: 1", &["a: 1", "b: 1"]),
        Decision {
            taken: None,
            enabled: BTreeSet::from(["a: 1".parse().expect("a step")]),
        },
    ];
    assert_eq!(known.learn(&cut_off), Ok(()));
    cut_off[1] = turn("a: 1", &["a: 1"]);
    assert_eq!(known.learn(&cut_off), Ok(()));
}

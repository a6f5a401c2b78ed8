//! Tests of the sums: what runs come to, in whatever order they come.

use proptest::prelude::*;

use super::*;
use crate::{
    fault::Plan,
    reach::Reach,
    run::result::FilledCell,
    scenario::{Cell, Expectation, Kind},
    trace::Digest,
};

fn scenario(kind: Kind, name: &str) -> Scenario {
    let draw = |_| -> Plan { unreachable!("nothing is drawn") };
    Scenario::new(kind, name, draw, |_, _| async {})
}

fn catalogue() -> Vec<Scenario> {
    vec![
        scenario(Kind::Promise, "a/remedy").fills(Row::Remedy("remedy".into())),
        scenario(Kind::Demonstration, "a/mistake")
            .expects(Expectation::broken(&CONN_01_CONNECTS, 5))
            .fills(Row::Mistake("mistake".into())),
        scenario(Kind::Promise, "a/matrix"),
    ]
}

/// Runs of every sort, told apart by their seeds alone.
fn runs() -> Vec<RunResult> {
    let mut runs = Vec::new();
    for seed in (0..40).map(Seed) {
        for scenario in catalogue() {
            let mut run = RunResult::without_record(&scenario.name, seed, RunOutcome::Pass, String::new());
            run.marks.insert("seen".into(), seed.0 % 3);
            run.stats.insert("connect_ms".into(), 1_000 - seed.0 * 7 % 11);
            if seed.0 % 4 == 3 {
                (run.outcome, run.oracle) = (RunOutcome::Fail, Some(CONN_01_CONNECTS.id.to_owned()));
            }
            let cell = Cell {
                row: format!("row {}", 3 - seed.0 % 3),
                column: format!("column {}", seed.0 % 2),
                expected: Reach::Direct,
            };
            run.cell = (scenario.name == "a/matrix").then(|| FilledCell {
                cell,
                seen: if seed.0 == 17 {
                    Reach::Impossible
                } else {
                    Reach::Direct
                },
                pair: format!("pair of {seed}"),
            });
            runs.push(run);
        }
    }
    runs
}

fn sum(runs: &[RunResult]) -> Summary {
    let catalogue = catalogue();
    Summary::of(&catalogue, runs)
}

#[test]
fn what_runs_come_to() {
    let summary = sum(&runs());
    let names: Vec<u64> = summary.failures.iter().map(|f| f.seed.0).collect();
    assert_eq!(
        names[..10],
        [3, 7, 11, 15, 19, 23, 27, 31, 35, 39],
        "of the remedy first"
    );
    assert_eq!(summary.failures.len(), 20, "the mistake's are expected");
    assert_eq!(
        (
            summary.remedies[0].connected,
            summary.remedies[0].seeds,
            summary.remedies[0].median_ms
        ),
        (30, 40, Some(995))
    );
    let mistake = &summary.mistakes[0];
    assert_eq!(
        (mistake.first, mistake.shown, mistake.seeds),
        (Some(Seed(3)), 10, 40)
    );
    let matrix = &summary.matrices[0];
    assert_eq!(
        matrix.rows,
        ["row 3", "row 2", "row 1"],
        "in the order of the seeds"
    );
    let cell = |row: usize, column: usize| matrix.cells[row][column].clone().expect("it is filled");
    assert_eq!(cell(0, 0).pair, "pair of 0");
    assert_eq!(
        (cell(2, 1).pair.as_str(), cell(2, 1).seen),
        ("pair of 17", Reach::Impossible)
    );
    assert_eq!(summary.scenarios[1].judgement, Judgement::Held);
    assert!(matches!(&summary.scenarios[0].judgement, Judgement::Broken(why) if why.starts_with("seed 3")));
}

proptest! {
    #[test]
    fn the_order_of_the_results_does_not_matter(shuffled in Just(runs()).prop_shuffle()) {
        prop_assert_eq!(sum(&shuffled), sum(&runs()));
    }

    #[test]
    fn the_digest_tells_runs_apart(pick in any::<prop::sample::Index>()) {
        let mut other = runs();
        let run = pick.get(&other).clone();
        let place = other.iter().position(|r| *r == run).expect("it is one of them");
        other[place].digest = Some(Digest::of(b"another"));
        prop_assert_ne!(sum(&other).digest, sum(&runs()).digest);
    }
}

/// The judgement of `seeds` seeds of a promise that recovers within 1 s in 95 % of its runs, of which every third recovers, after
/// `ms`.
fn recovering(seeds: u64, ms: u64, extent: Extent) -> Judgement {
    let scenario = scenario(Kind::Promise, "a/ceiling").within(RECOVER_MS, 95, 1_000);
    let mut tally = Tally::new([&scenario]);
    for seed in (0..seeds).map(Seed) {
        let mut run = RunResult::without_record(&scenario.name, seed, RunOutcome::Pass, String::new());
        if seed.0 % 3 == 0 {
            run.stats.insert(RECOVER_MS.into(), ms);
        }
        tally.add(&run);
    }
    tally.over(extent).scenarios[0].judgement.clone()
}

#[test]
fn a_ceiling_is_judged_by_enough_runs_and_says_when_there_were_too_few() {
    let whole = Extent::Whole;
    assert_eq!(recovering(300, 1_000, whole), Judgement::Held);
    assert!(matches!(recovering(300, 1_001, whole), Judgement::Slower(_)));
    assert_eq!(
        recovering(120, 1_001, whole),
        Judgement::Vacuous(
            "the ceiling of recover_ms was held against 40 of 120 runs, and it takes 50".into()
        )
    );
    assert_eq!(recovering(99, 1_001, whole), Judgement::NotJudged);
    assert_eq!(recovering(300, 1_001, Extent::Part), Judgement::NotJudged);
}

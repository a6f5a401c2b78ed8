//! What every scenario does over a range of seeds, a sheet for each family.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use sleet::{
    run::Runner,
    scenario::{Kind, Scenario},
    seed::Seed,
};
use sleet_reports::{
    behaviour::{self, Observed},
    sheet::Sheet,
};

/// Runs of a scenario: enough for a 95th percentile.
const SEEDS: u64 = 20;
/// Families whose runs are long, and fewer.
const FEWER: [(&str, u64); 3] = [("calls", 6), ("findings", 6), ("mobility", 10)];
/// Runs of a scenario that goes through orders: each is many.
const EXPLORED: u64 = 3;

/// How many seeds of `scenario` run.
fn seeds(scenario: &Scenario) -> u64 {
    let of_family = FEWER.iter().find(|(family, _)| *family == scenario.family());
    match scenario.explores {
        Some(_) => EXPLORED,
        None => of_family.map_or(SEEDS, |(_, seeds)| *seeds),
    }
}

/// The catalogue by family. What a selftest does is told by its own tests; some of it moves with every line of the harness.
fn families() -> BTreeMap<String, Vec<Arc<Scenario>>> {
    let mut families = BTreeMap::<String, Vec<Arc<Scenario>>>::new();
    let catalogue = sleet_scenarios::catalogue();
    for scenario in catalogue.iter().filter(|s| s.kind != Kind::Selftest) {
        let family = families.entry(scenario.family().to_owned()).or_default();
        family.push(scenario.clone());
    }
    families
}

/// The names of the snapshots.
pub fn names() -> Vec<String> {
    families().keys().map(|family| name(family)).collect()
}

fn name(family: &str) -> String {
    format!("behaviour__{family}")
}

/// The snapshots, by name.
pub fn snapshots() -> Vec<(String, String)> {
    let families = families();
    let jobs: Vec<(Arc<Scenario>, Seed)> = families
        .values()
        .flatten()
        .flat_map(|s| (0..seeds(s)).map(|seed| (s.clone(), Seed(seed))))
        .collect();
    let mut observed = observe(&jobs);
    let sheet = |(family, scenarios): (&String, &Vec<Arc<Scenario>>)| {
        let rows: Vec<(&Scenario, Vec<Observed>)> = scenarios
            .iter()
            .map(|s| (&**s, observed.remove(&s.name).unwrap_or_default()))
            .collect();
        (name(family), sheet(family, &rows).to_text())
    };
    families.iter().map(sheet).collect()
}

fn sheet(family: &str, rows: &[(&Scenario, Vec<Observed>)]) -> Sheet {
    let most = rows
        .iter()
        .map(|(scenario, _)| seeds(scenario))
        .max()
        .unwrap_or_default();
    let description = match most {
        1 => "seed 0 of each scenario".to_owned(),
        most => format!("seeds 0 to {} of each scenario", most - 1),
    };
    behaviour::sheet(family, &description, rows)
}

/// Runs `jobs` on all cores; by scenario, what they showed, in no order.
fn observe(jobs: &[(Arc<Scenario>, Seed)]) -> BTreeMap<String, Vec<Observed>> {
    let next = AtomicUsize::new(0);
    let observed = Mutex::new(BTreeMap::<String, Vec<Observed>>::new());
    let work = || {
        while let Some((scenario, seed)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let run = Observed::of(&Runner::new(scenario, *seed).run().expect("a run"));
            let mut observed = observed.lock().expect("nobody panics with it");
            observed.entry(scenario.name.clone()).or_default().push(run);
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    observed.into_inner().expect("nobody panicked")
}

#[test]
fn a_sheet_does_not_depend_on_who_ran_first() {
    let families = families();
    let scenarios = &families["candidates"][..2];
    let mut jobs: Vec<(Arc<Scenario>, Seed)> = scenarios
        .iter()
        .flat_map(|s| (0..3).map(|seed| (s.clone(), Seed(seed))))
        .collect();
    let made = |jobs: &[(Arc<Scenario>, Seed)]| {
        let mut observed = observe(jobs);
        let rows: Vec<(&Scenario, Vec<Observed>)> = scenarios
            .iter()
            .map(|s| (&**s, observed.remove(&s.name).unwrap_or_default()))
            .collect();
        sheet("candidates", &rows)
    };
    let forwards = made(&jobs);
    jobs.reverse();
    assert_eq!(made(&jobs).to_text(), forwards.to_text());
    assert_eq!(
        Sheet::parse(&forwards.to_text()),
        Some(forwards),
        "it is read back"
    );
}

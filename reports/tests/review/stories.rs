//! Full reports of a few runs, and the proof that every report is made of nothing but its run.

use std::sync::Arc;

use sleet::{
    run::{RunRecord, Runner, summary::Summary},
    scenario::Scenario,
    seed::Seed,
};
use sleet_reports::{
    behaviour::{self, Observed},
    failure,
    gather::Gathered,
    junit,
    machines::{annotations, quality, step},
    mermaid, perfetto, rtcstats,
    snapshot::{self, Detail},
    summary,
    timeline::{self, View},
    tracks::Tracks,
};

use crate::book::{STORIES, Story};

/// Seeds among which a story must be found.
const SEEDS: u64 = 200;

/// The names of the snapshots.
pub fn names() -> Vec<String> {
    STORIES.iter().map(name).collect()
}

fn name(story: &Story) -> String {
    format!("story__{}", story.name)
}

/// The snapshots, by name.
pub fn snapshots() -> Vec<(String, String)> {
    let told = |story: &Story| {
        let (scenario, record) = find(story);
        (name(story), snapshot::report(&scenario, &record, story.detail))
    };
    STORIES.iter().map(told).collect()
}

/// The first run that shows `story`.
fn find(story: &Story) -> (Arc<Scenario>, RunRecord) {
    let scenario = named(story.scenario);
    let found = (0..SEEDS)
        .map(|seed| Runner::new(&scenario, Seed(seed)).run().expect("a run"))
        .find(story.shows);
    let record = found.unwrap_or_else(|| panic!("no seed shows the story '{}'", story.name));
    (scenario, record)
}

fn named(name: &str) -> Arc<Scenario> {
    let found = sleet_scenarios::catalogue().into_iter().find(|s| s.name == name);
    found.unwrap_or_else(|| panic!("the catalogue has no scenario '{name}'"))
}

/// Every report that is made of one run.
fn reports(scenario: &Scenario, record: &RunRecord) -> Vec<String> {
    let results = [record.result()];
    let summed = Summary::of([scenario], &results);
    let observed = vec![Observed::of(record)];
    let tracks = Tracks::of(record);
    let mut gathered = Gathered::new([scenario]);
    gathered.add(&results[0]);
    vec![
        snapshot::report(scenario, record, Detail::Timeline),
        behaviour::sheet("one", "one seed", &[(scenario, observed)]).to_text(),
        failure::report(scenario, record, "cargo xtask replay x@1"),
        timeline::draw(&record.trace, &record.plan, &View::default()),
        summary::to_markdown(&summed),
        junit::xml([scenario], &summed, &results),
        step::markdown(&summed, &gathered),
        quality::json(&summed, &gathered),
        annotations::lines(&summed, &gathered).join("\n"),
        mermaid::diagram(record, &tracks),
        perfetto::json(record, &tracks),
        rtcstats::dump(record, &tracks),
    ]
}

#[test]
fn reports_made_twice_are_equal_to_the_byte() {
    for story in STORIES {
        let (scenario, record) = find(story);
        let again = Runner::new(&scenario, record.seed).run().expect("a run");
        let made = reports(&scenario, &record);
        assert_eq!(made, reports(&scenario, &record), "{}: of one run", story.name);
        assert_eq!(made, reports(&scenario, &again), "{}: of two", story.name);
    }
}

//! Snapshot reports of every scenario: what a reviewer reads when behaviour changes.

use sleet::{run, scenario::Kind, seed::Seed};
use sleet_reports::snapshot;

/// Two seeds of every scenario; demonstrations fail on some and hold on others.
const SEEDS: [Seed; 2] = [Seed(0), Seed(5)];

#[test]
fn reports_are_as_reviewed() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        // What a selftest does is told by its own tests; some of it moves with every line of the harness.
        for scenario in sleet_scenarios::catalogue()
            .iter()
            .filter(|s| s.kind != Kind::Selftest)
        {
            for seed in SEEDS {
                let record = run::execute(scenario, seed).expect("a run");
                let name = format!("{}.{seed}", scenario.name.replace('/', "-"));
                insta::assert_snapshot!(name, snapshot::report(scenario, &record));
            }
        }
    });
}

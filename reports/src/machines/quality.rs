//! GitLab's code quality report, which a merge request compares with that of its target branch.
//!
//! An entry is a scenario and what it broke, whatever the seeds: its fingerprint stays the same as long as the defect
//! does.

use serde_json::{Value, json};
use sleet::{run::summary::Summary, trace::Digest};

use super::{clipped, not_as_meant, plural};
use crate::gather::Gathered;

/// The number of characters of a reason.
const WHY: usize = 300;

/// Returns the report as JSON.
pub fn json(summary: &Summary, gathered: &Gathered<'_>) -> String {
    let mut entries = Vec::new();
    for group in gathered.groups() {
        let severity = match group.broke.as_str() {
            "crash" | "hang" | "nondeterministic" => "blocker",
            _ => "critical",
        };
        for (scenario, count, runs) in &group.scenarios {
            let first = runs.first().map_or_else(String::new, |run| {
                let why = run.why.as_deref().unwrap_or("no reason was recorded");
                format!(": {} ({})", clipped(why, WHY), run.replay)
            });
            let text = format!("{}, {}{first}", group.broke, plural(*count, "seed"));
            entries.push(entry(scenario, &group.broke, severity, &text));
        }
    }
    for (what, scenario, why) in not_as_meant(summary) {
        entries.push(entry(scenario, what, "major", &clipped(why, WHY)));
    }
    serde_json::to_string_pretty(&entries).expect("JSON is written to memory") + "\n"
}

/// Creates an entry. Its location is the scenario, which is what a reader knows; no file of the repository is the
/// cause.
fn entry(scenario: &str, check: &str, severity: &str, text: &str) -> Value {
    let fingerprint = Digest::of(format!("{scenario} {check}").as_bytes()).to_string();
    json!({
        "description": text,
        "check_name": check,
        "fingerprint": fingerprint.trim_start_matches("b3:")[..32],
        "severity": severity,
        "location": { "path": scenario, "lines": { "begin": 1 } },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::gather::tests::{gathered, very_broken};

    #[test]
    fn an_entry_is_a_scenario_and_what_it_broke() {
        let (scenarios, results) = very_broken();
        let made = json(
            &Summary::of(&scenarios, &results),
            &gathered(&scenarios, &results),
        );
        let entries: Vec<Value> = serde_json::from_str(&made).expect("JSON");
        assert_eq!(entries.len(), 4);
        let prints: BTreeSet<&str> = entries.iter().filter_map(|e| e["fingerprint"].as_str()).collect();
        assert_eq!(prints.len(), entries.len());
        for entry in &entries {
            for field in ["description", "check_name", "fingerprint", "severity"] {
                assert!(
                    entry[field].as_str().is_some_and(|s| !s.is_empty()),
                    "{field} of {entry}"
                );
            }
            assert!(entry["location"]["path"].is_string() && entry["location"]["lines"]["begin"] == 1);
        }
    }

    #[test]
    fn other_seeds_of_the_same_defect_have_the_same_fingerprint() {
        let (scenarios, mut results) = very_broken();
        let prints = |results: &[_]| -> Vec<Value> {
            let made = json(&Summary::of(&scenarios, results), &gathered(&scenarios, results));
            let entries: Vec<Value> = serde_json::from_str(&made).expect("JSON");
            entries.into_iter().map(|e| e["fingerprint"].clone()).collect()
        };
        let before = prints(&results);
        results.retain(|run| run.seed.0 % 3 == 0);
        let mut after = prints(&results);
        let (mut before, _) = (before, after.sort_by_key(Value::to_string));
        before.sort_by_key(Value::to_string);
        assert_eq!(before, after);
    }
}

//! Annotations of a job of GitHub Actions, as workflow commands on standard output.
//!
//! GitHub shows ten per step and silently drops the rest: so there are never more, failures that broke the same thing
//! are one annotation, and the last says how many are not shown.

use sleet::run::summary::Summary;

use super::{clipped, not_as_meant, plural};
use crate::gather::{Gathered, Group};

/// The number of annotations that GitHub shows for one step.
const MOST: usize = 10;
/// The number of characters of a reason.
const WHY: usize = 300;

/// Returns the lines to print, one for each annotation.
pub fn lines(summary: &Summary, gathered: &Gathered<'_>) -> Vec<String> {
    let mut notes: Vec<String> = gathered.groups().iter().map(of_group).collect();
    for (what, scenario, why) in not_as_meant(summary) {
        notes.push(error(&format!("{what}: {scenario}"), &clipped(why, WHY)));
    }
    if notes.len() > MOST {
        let more = notes.len() - (MOST - 1);
        notes.truncate(MOST - 1);
        let all = gathered.count();
        notes.push(error(
            "more is broken",
            &format!("{more} more kinds of failure are in the step summary and in report.html ({all} failures in all)"),
        ));
    }
    notes
}

fn of_group(group: &Group<'_>) -> String {
    let title = format!(
        "{}: {} in {}",
        group.broke,
        plural(group.count, "failure"),
        plural(group.scenarios.len() as u64, "scenario")
    );
    let mut text = group.meaning.to_owned();
    if let Some(run) = group.scenarios.iter().find_map(|(_, _, runs)| runs.first()) {
        let why = run.why.as_deref().unwrap_or("no reason was recorded");
        text.push_str(&format!(
            "\n{}@{}: {}\n{}",
            run.scenario,
            run.seed,
            clipped(why, WHY),
            run.replay
        ));
    }
    error(&title, text.trim_start())
}

fn error(title: &str, text: &str) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = data(title).replace(':', "%3A").replace(',', "%2C");
    format!("::error title={property}::{}", data(text))
}

#[cfg(test)]
mod tests {
    use sleet::{run::result::RunOutcome, scenario::Kind};

    use super::*;
    use crate::gather::tests::{gathered, result, scenario, very_broken};

    #[test]
    fn five_thousand_failures_are_as_many_notes_as_they_broke_oracles() {
        let (scenarios, results) = very_broken();
        let lines = lines(
            &Summary::of(&scenarios, &results),
            &gathered(&scenarios, &results),
        );
        assert_eq!(lines.len(), 4);
        assert!(
            lines[0].starts_with("::error title=CONN-01%3A 3000 failures in 1 scenario::"),
            "{}",
            lines[0]
        );
        assert!(
            lines[0].ends_with("%0Acargo xtask replay calls/rapid@0"),
            "{}",
            lines[0]
        );
        assert!(
            lines
                .iter()
                .all(|line| !line.contains('\n') && !line.contains('\u{1b}'))
        );
    }

    #[test]
    fn there_are_never_more_than_github_shows() {
        let scenarios = vec![scenario("calls/rapid", Kind::Promise)];
        let mut results: Vec<_> = (0..40)
            .map(|n| result("calls/rapid", n, RunOutcome::Fail))
            .collect();
        for (n, run) in results.iter_mut().enumerate() {
            run.oracle = Some(format!("TEST-{:02}", n % 20));
        }
        let lines = lines(
            &Summary::of(&scenarios, &results),
            &gathered(&scenarios, &results),
        );
        assert_eq!(lines.len(), MOST);
        assert!(lines[9].contains("11 more kinds of failure") && lines[9].contains("40 failures in all"));
    }

    #[test]
    fn a_suite_that_holds_says_nothing() {
        let scenarios = vec![scenario("calls/rapid", Kind::Promise)];
        let results = vec![result("calls/rapid", 1, RunOutcome::Pass)];
        assert!(
            lines(
                &Summary::of(&scenarios, &results),
                &gathered(&scenarios, &results)
            )
            .is_empty()
        );
    }
}

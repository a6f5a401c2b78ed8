//! A suite as JUnit XML, which every CI system shows.
//!
//! One case for each scenario, which sums up its seeds, and one more for each seed with an unexpected result, under a
//! name of its own. No wall time: the same results give the same bytes.

use std::collections::BTreeMap;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};
use sleet::{
    run::{
        result::{RunOutcome, RunResult},
        summary::{Judgement, ScenarioSummary, Summary, unexpected},
    },
    scenario::Scenario,
    seed::Seed,
};

use crate::gather::broke;

/// Returns the XML of a suite. `scenarios` are those of the catalogue, in any order, `results` those of `summary`, in
/// any order; of two results of one seed the last counts.
///
/// # Panics
/// Panics if XML cannot be written to memory: a defect of Sleet.
pub fn xml<'a>(
    scenarios: impl IntoIterator<Item = &'a Scenario>,
    summary: &Summary,
    results: &[RunResult],
) -> String {
    let scenarios: BTreeMap<&str, &Scenario> = scenarios.into_iter().map(|s| (s.name.as_str(), s)).collect();
    let mut runs = BTreeMap::<&str, BTreeMap<Seed, &RunResult>>::new();
    for result in results {
        runs.entry(&result.scenario)
            .or_default()
            .insert(result.seed, result);
    }
    let mut suites: Vec<TestSuite> = Vec::new();
    for s in &summary.scenarios {
        let family = s.name.split('/').next().unwrap_or(&s.name);
        // The scenarios of a family need not be adjacent in the catalogue.
        let known = suites.iter().position(|suite| suite.name.as_str() == family);
        let at = known.unwrap_or(suites.len());
        if known.is_none() {
            suites.push(TestSuite::new(family));
        }
        let suite = &mut suites[at];
        suite.add_test_case(scenario_case(s));
        let failed = runs.get(s.name.as_str()).into_iter().flat_map(BTreeMap::values);
        for result in failed.filter(|r| scenarios.get(s.name.as_str()).is_some_and(|s| unexpected(s, r))) {
            suite.add_test_case(seed_case(result));
        }
    }
    let mut report = Report::new("sleet");
    report.add_test_suites(suites);
    report.to_string().expect("XML is written to memory")
}

fn scenario_case(s: &ScenarioSummary) -> TestCase {
    let failed = |kind: &str, why: &str| {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type(kind).set_message(why);
        status
    };
    let status = match &s.judgement {
        Judgement::Held => TestCaseStatus::success(),
        Judgement::NotJudged => {
            let mut status = TestCaseStatus::skipped();
            status.set_message("nothing unexpected, but too few seeds to be judged");
            status
        }
        Judgement::Vacuous(why) => failed("vacuous", why),
        Judgement::Slower(why) => failed("slower", why),
        Judgement::Broken(why) => failed("broken", why),
        Judgement::Nondeterministic(why) => failed("nondeterministic", why),
    };
    let passed = s.outcomes.get(&RunOutcome::Pass).copied().unwrap_or(0);
    case(
        &s.name,
        &s.name,
        status,
        [
            ("kind", s.kind.to_string()),
            ("seeds", s.seeds.to_string()),
            ("passed", passed.to_string()),
        ],
    )
}

fn seed_case(result: &RunResult) -> TestCase {
    let kind = match result.outcome {
        RunOutcome::Pass | RunOutcome::Fail | RunOutcome::Nondeterministic => NonSuccessKind::Failure,
        RunOutcome::Crash | RunOutcome::Hang | RunOutcome::Error => NonSuccessKind::Error,
    };
    let why = result.why.as_deref().unwrap_or("a known defect did not show");
    let mut status = TestCaseStatus::non_success(kind);
    status
        .set_type(broke(result))
        .set_message(why)
        .set_description(format!("{why}\n{}", result.replay));
    let digest = result.digest.map(|digest| ("digest", digest.to_string()));
    let always = [
        ("replay", result.replay.clone()),
        ("seed", result.seed.to_string()),
    ];
    let name = format!("{}@{}", result.scenario, result.seed);
    case(&name, &result.scenario, status, always.into_iter().chain(digest))
}

fn case(
    name: &str,
    scenario: &str,
    status: TestCaseStatus,
    properties: impl IntoIterator<Item = (&'static str, String)>,
) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(scenario.split('/').next().unwrap_or(scenario));
    case.add_properties(
        properties
            .into_iter()
            .map(|(name, value)| Property::new(name, value)),
    );
    case
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sleet::{scenario::Kind, trace::Trace};

    use super::*;

    fn scenario(name: &str, kind: Kind) -> Scenario {
        let draw = |_| unreachable!("nothing runs");
        Scenario::new(kind, name, draw, |_, _| async { unreachable!("nothing runs") })
    }

    fn result(scenario: &str, seed: u64, outcome: RunOutcome) -> RunResult {
        let why = "alice lost <a> candidate & \"more\" \u{1b}[31m".to_owned();
        let mut result = RunResult::without_record(scenario, Seed(seed), outcome, why);
        result.oracle = (outcome == RunOutcome::Fail).then(|| "CONN-01".to_owned());
        result.digest = Some(Trace::from_events(Vec::new()).digest);
        result.replayed_by("cargo xtask")
    }

    fn suite() -> (Vec<Scenario>, Vec<RunResult>) {
        let scenarios = vec![
            scenario("calls/rapid", Kind::Promise),
            scenario("calls/glare", Kind::Promise),
            scenario("chaos/storm", Kind::Promise),
        ];
        let results = vec![
            result("chaos/storm", 4, RunOutcome::Hang),
            result("calls/rapid", 7, RunOutcome::Fail),
            result("calls/rapid", 1, RunOutcome::Fail),
            result("calls/rapid", 2, RunOutcome::Pass),
            result("calls/glare", 1, RunOutcome::Pass),
            result("calls/rapid", 7, RunOutcome::Fail),
        ];
        (scenarios, results)
    }

    fn made() -> String {
        let (scenarios, results) = suite();
        xml(&scenarios, &Summary::of(&scenarios, &results), &results)
    }

    #[test]
    fn scenarios_and_failing_seeds_are_cases_under_names_of_their_own() {
        let report = Report::deserialize_from_str(&made()).expect("it reads its own output");
        let names: Vec<&str> = report
            .test_suites
            .iter()
            .flat_map(|s| &s.test_cases)
            .map(|c| c.name.as_str())
            .collect();
        assert_eq!(
            names,
            [
                "calls/rapid",
                "calls/rapid@1",
                "calls/rapid@7",
                "calls/glare",
                "chaos/storm",
                "chaos/storm@4"
            ]
        );
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert_eq!((report.tests, report.failures, report.errors), (6, 4, 1));
    }

    #[test]
    fn a_failing_seed_says_how_to_see_it_again() {
        let report = Report::deserialize_from_str(&made()).expect("it reads its own output");
        let case = &report.test_suites[0].test_cases[1];
        let property = |name: &str| {
            let found = case.properties.iter().find(|p| p.name.as_str() == name);
            found.map(|p| p.value.as_str())
        };
        assert_eq!(property("replay"), Some("cargo xtask replay calls/rapid@1"));
        assert!(property("digest").is_some_and(|d| d.starts_with("b3:")));
        let TestCaseStatus::NonSuccess { ty, message, .. } = &case.status else {
            panic!("it failed");
        };
        assert_eq!(ty.as_ref().map(|t| t.as_str()), Some("CONN-01"));
        let message = message
            .as_ref()
            .map(|m| m.as_str().to_owned())
            .unwrap_or_default();
        assert!(
            message.starts_with("alice lost <a> candidate & \"more\""),
            "{message}"
        );
        assert!(!message.contains('\u{1b}'), "no XML holds an escape");
    }

    #[test]
    fn five_thousand_failing_seeds_are_five_thousand_cases() {
        let (scenarios, results) = crate::gather::tests::very_broken();
        let made = xml(&scenarios, &Summary::of(&scenarios, &results), &results);
        let report = Report::deserialize_from_str(&made).expect("it reads its own output");
        let cases = report.test_suites.iter().flat_map(|s| &s.test_cases);
        let names: BTreeSet<&str> = cases.map(|c| c.name.as_str()).collect();
        assert_eq!(names.len(), 5_003);
        assert_eq!((report.tests, report.failures, report.errors), (5_003, 4_992, 10));
    }

    #[test]
    fn the_order_of_the_results_does_not_show() {
        let (scenarios, mut results) = suite();
        results.reverse();
        assert_eq!(
            xml(&scenarios, &Summary::of(&scenarios, &results), &results),
            made()
        );
    }
}

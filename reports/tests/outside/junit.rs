//! JUnit XML, read by `junitparser` and checked against the schema that CI systems publish.

use std::{fs, process::Command};

use sleet::{
    run::{
        result::{RunOutcome, RunResult},
        summary::Summary,
    },
    scenario::{Kind, Scenario},
    seed::Seed,
};
use sleet_reports::junit;

use crate::tools;

const READ: &str = "
import sys
from junitparser import JUnitXml
xml = JUnitXml.fromfile(sys.argv[1])
names = [case.name for suite in xml for case in suite]
assert len(names) == len(set(names)), 'names are unique'
failed = [case for suite in xml for case in suite if case.result]
lines = [p.get('value') for case in failed for p in case._elem.iterfind('properties/property') if p.get('name') == 'replay']
print(len(names), len(failed), len(lines))
";

#[test]
fn another_reader_finds_every_failing_seed() {
    let python = tools::fetched().join("venv/bin/python");
    if !python.is_file() {
        return tools::skipped("junitparser reads the JUnit file", "junitparser");
    }
    let draw = |_| unreachable!("nothing runs");
    let scenario = Scenario::new(Kind::Promise, "calls/rapid", draw, |_, _| async {});
    let results: Vec<RunResult> = (0..5_000)
        .map(|seed| {
            let why = "a <b> & \"c\" \u{1b}[31m\u{0}".to_owned();
            RunResult::without_record("calls/rapid", Seed(seed), RunOutcome::Crash, why)
                .replayed_by("cargo xtask")
        })
        .collect();
    let xml = junit::xml([&scenario], &Summary::of([&scenario], &results), &results);
    let file = tools::folder("junit").join("junit.xml");
    fs::write(&file, xml).expect("it is written");
    let said = tools::output(Command::new(python).arg("-c").arg(READ).arg(&file));
    assert_eq!(said.trim(), "5001 5001 5000");
}

//! A failure after shrinking, as text.

use sleet::{
    run::RunRecord,
    shrink::{Element, Shrunk},
};

use crate::timeline::{self, View};

/// Describes the result of shrinking: the elements that are left, and what they break.
pub fn summary(record: &RunRecord, shrunk: &Shrunk) -> String {
    let (before, left, tries) = (shrunk.before, shrunk.elements.len(), shrunk.tries);
    let end = if shrunk.complete {
        ""
    } else {
        "; the budget ended first, more may go"
    };
    let why = record.failure().map_or("", |(_, violation)| &violation.why);
    format!(
        "{}@{}: {before} elements shrunk to {left} in {tries} tries{end}\n{}broken: {}\nbecause: {why}\n",
        record.scenario,
        record.seed,
        elements(&shrunk.elements),
        shrunk.oracle,
    )
}

/// Lists the elements, a line each, with their paths in the plan.
pub fn elements(elements: &[Element]) -> String {
    let widest = elements
        .iter()
        .map(|e| e.description.chars().count())
        .max()
        .unwrap_or(0);
    let line = |e: &Element| format!("  {:<widest$}  {}\n", e.description, e.path);
    elements.iter().map(line).collect()
}

/// Returns the summary with the timeline, for `report.txt`.
pub fn report(record: &RunRecord, shrunk: &Shrunk) -> String {
    let timeline = timeline::draw(&record.trace, &record.plan, &View::default());
    format!(
        "{}digest: {}\n\n{timeline}",
        summary(record, shrunk),
        record.trace.digest
    )
}

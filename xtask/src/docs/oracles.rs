//! The generated block about oracles: the requirement of each, its source, and the scenarios that break it.

use std::{collections::BTreeMap, sync::Arc};

use sleet::{
    oracle::{self, Oracle},
    scenario::{Kind, Scenario},
};

/// The name of the block.
pub const BLOCK: &str = "oracles";

/// Returns the block: a section for each oracle, by their ids.
pub fn block() -> String {
    let catalogue = sleet_scenarios::catalogue();
    let by_id: BTreeMap<&str, &Oracle> = oracle::ALL.iter().map(|o| (o.id, *o)).collect();
    let mut out = format!("\n{} oracles.\n", by_id.len());
    for oracle in by_id.values() {
        out.push_str(&section(oracle, &catalogue));
    }
    out.push('\n');
    out
}

fn section(oracle: &Oracle, catalogue: &[Arc<Scenario>]) -> String {
    let sources: Vec<String> = oracle.source.split("; ").map(source).collect();
    let by = |kind: Kind| {
        let trips = catalogue
            .iter()
            .filter(|s| s.kind == kind && s.trips() == Some(oracle.id));
        let names: Vec<String> = trips.map(|s| format!("`{}`", s.name)).collect();
        names.join(", ")
    };
    let promises = catalogue
        .iter()
        .filter(|s| s.kind == Kind::Promise && s.oracles.iter().any(|o| o.id == oracle.id))
        .count();
    let is_broken = catalogue.iter().any(|s| s.trips() == Some(oracle.id));
    let nothing = if is_broken { "" } else { "nothing in the catalogue" };
    let mut out = format!("\n## {}\n\n{}\n\n", oracle.id, oracle.meaning);
    let rows = [
        ("Source", sources.join("; ")),
        (
            "Broken by a client that is there to break it",
            by(Kind::Demonstration),
        ),
        ("Broken by a known defect of the stack", by(Kind::Finding)),
        ("Broken by a test of the harness", by(Kind::Selftest)),
        ("Broken by", nothing.to_owned()),
        ("Promised by", format!("{promises} scenarios")),
    ];
    for (what, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        out.push_str(&format!("- {what}: {value}\n"));
    }
    out
}

/// Formats a citation, as a link if it is a page: the block is in docs/.
fn source(citation: &str) -> String {
    match citation.strip_prefix("docs/") {
        Some(page) => format!("[{page}]({page})"),
        None => citation.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the section of the block about an oracle.
    fn about(block: &str, id: &str) -> String {
        let from = block.split_once(&format!("\n## {id}\n")).expect("a section").1;
        from.split("\n## ").next().unwrap_or_default().to_owned()
    }

    #[test]
    fn every_oracle_has_a_section_that_names_all_that_break_it() {
        let (block, catalogue) = (block(), sleet_scenarios::catalogue());
        for oracle in oracle::ALL {
            let section = about(&block, oracle.id);
            assert!(
                section.contains(oracle.meaning) && section.contains("- Source: "),
                "{section}"
            );
            for breaks in catalogue.iter().filter(|s| s.trips() == Some(oracle.id)) {
                assert!(section.contains(&format!("`{}`", breaks.name)), "{section}");
            }
        }
    }

    #[test]
    fn an_oracle_that_nothing_breaks_says_so() {
        let section = section(oracle::ALL[0], &[]);
        assert!(
            section.contains("- Broken by: nothing in the catalogue\n"),
            "{section}"
        );
    }
}

//! The command `list`.

use anyhow::Context;
use serde::Serialize;
use sleet::{
    scenario::{Kind, Scenario},
    schema::{self, Format},
};
use sleet_reports::table::Table;

use crate::{Done, args::ListArgs, catalogue::Catalogue, terminal};

#[derive(Serialize)]
struct Listing {
    v: u32,
    scenarios: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    name: String,
    family: String,
    kind: Kind,
    oracles: Vec<&'static str>,
    trips: Option<&'static str>,
    marks_required: Vec<String>,
    min_seeds: u64,
    sources: Vec<String>,
    summary: String,
}

impl Entry {
    fn of(s: &Scenario) -> Self {
        Self {
            name: s.name.clone(),
            family: s.family().to_owned(),
            kind: s.kind,
            oracles: s.oracles.iter().map(|o| o.id).collect(),
            trips: s.trips(),
            marks_required: s.marks_required.clone(),
            min_seeds: s.min_seeds,
            sources: s.sources.clone(),
            summary: s.summary.clone(),
        }
    }
}

/// Lists the scenarios, or the kinds of fault; or prints a schema.
pub fn list(catalogue: &Catalogue, args: &ListArgs) -> Done {
    if args.faults {
        terminal::print(sleet_reports::faults::page().trim_end());
        return Ok(0);
    }
    if let Some(name) = &args.schema {
        let names: Vec<&str> = schema::ALL.iter().map(|format| format.name).collect();
        let format = Format::named(name).with_context(|| {
            format!(
                "--schema: there is no format '{name}': one of {}",
                names.join(", ")
            )
        })?;
        terminal::print(format.schema().trim_end());
        return Ok(0);
    }
    let all = catalogue.scenarios().iter();
    let wanted = all.filter(|s| args.all || s.kind != Kind::Selftest);
    if args.json {
        let scenarios = wanted.map(|s| Entry::of(s)).collect();
        terminal::print(&serde_json::to_string_pretty(&Listing { v: 1, scenarios })?);
    } else {
        let mut table = Table::new(&["scenario", "kind", "summary"]);
        for s in wanted {
            table.row([s.name.clone(), s.kind.to_string(), s.summary.clone()]);
        }
        terminal::print(table.to_markdown().trim_end());
    }
    Ok(0)
}

//! The report of a run that took its process down.
//!
//! This process never draws a plan itself: the drawing may be what crashed. The worker leaves the plan beside the trace
//! before it runs it.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::Context;
use sleet::{
    fault::Plan,
    net::topology::Topology,
    run::{
        repro::{REPRO_VERSION, Repro},
        result::RunResult,
    },
    scenario::Scenario,
    trace::{Event, Trace},
};
use sleet_reports::descriptions::Names;

use crate::{
    folder::{describe, no_room, write},
    identity::build_id,
    pool::worker::{PLAN, REPRO, TRACE},
};

/// The number of last events in a report.
const LAST_EVENTS: usize = 30;

/// The data about a run that took its process down.
pub struct CrashReport<'a> {
    pub scenario: &'a Scenario,
    pub result: &'a RunResult,
    /// The trace that the process streamed before its end.
    pub trace: &'a Trace,
    /// The end of the process's standard error.
    pub stderr: &'a str,
}

impl CrashReport<'_> {
    /// Saves the report in `folder`, where the worker left plan and trace.
    ///
    /// # Errors
    /// Fails if it cannot be written.
    pub fn save(&self, folder: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(folder).with_context(|| no_room(folder))?;
        let plan = read_plan(folder);
        write(folder, TRACE, &self.trace.to_json_lines())?;
        write(folder, "stderr.txt", self.stderr)?;
        write(folder, "report.txt", &self.report(plan.as_ref()))?;
        let Some(plan) = plan else { return Ok(()) };
        let repro = Repro {
            v: REPRO_VERSION,
            scenario: self.scenario.name.clone(),
            seed: self.result.seed,
            known: None,
            oracle: None,
            digest: self.trace.digest,
            build: build_id()?,
            plan,
        };
        write(folder, REPRO, &(repro.to_json() + "\n"))?;
        fs::remove_file(folder.join(PLAN)).with_context(|| no_room(folder))
    }

    fn report(&self, plan: Option<&Plan>) -> String {
        let nothing = Plan::new(Topology::default());
        let names = Names::of(self.trace, plan.unwrap_or(&nothing));
        let mut out = format!("{}\n{}\n\n", describe(self.result), self.scenario.summary);
        let events = &self.trace.events;
        let last = &events[events.len().saturating_sub(LAST_EVENTS)..];
        let _ = match plan {
            Some(_) => writeln!(out, "the last {} of {} events:", last.len(), events.len()),
            None => writeln!(out, "it died before its plan was drawn"),
        };
        for event in last {
            let host = event.host.as_deref().unwrap_or("the network");
            let _ = writeln!(out, "{:>12} {host}: {}", event.at.to_string(), names.line(event));
        }
        let _ = writeln!(out, "\nthe end of its error output:\n{}", self.stderr.trim_end());
        out
    }
}

/// Reads the plan that a worker left in `folder` before it ran it.
pub fn read_plan(folder: &Path) -> Option<Plan> {
    serde_json::from_slice(&fs::read(folder.join(PLAN)).ok()?).ok()
}

/// Reads the trace that a worker streamed into `folder`, without a torn last line.
pub fn read_streamed(folder: &Path) -> Option<Trace> {
    read_torn(&folder.join(TRACE))
}

/// Reads the trace in a file, without a torn last line.
pub fn read_torn(path: &Path) -> Option<Trace> {
    let text = fs::read(path).ok()?;
    let events: Vec<Event> = text
        .split_inclusive(|b| *b == b'\n')
        .map_while(|line| serde_json::from_slice(line.strip_suffix(b"\n")?).ok())
        .collect();
    Some(Trace::from_events(events))
}

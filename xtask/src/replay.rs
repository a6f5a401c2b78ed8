//! `cargo xtask replay`

use std::path::Path;

use anyhow::bail;
use sleet::{
    run::{
        RunRecord, execute_plan,
        result::Outcome,
        summary::{exit, unexpected},
    },
    scenario::Scenario,
    trace::Event,
};
use sleet_reports::{
    divergence::{self, Side},
    timeline::{self, View},
};

use crate::{
    Done,
    cli::ReplayArgs,
    run::build_id,
    subject::{Saved, Subject, read_trace},
    terminal,
};

/// Runs a seed or a saved failure again and shows what happens.
pub fn replay(args: &ReplayArgs) -> Done {
    let subject = Subject::find(&args.what)?;
    if let Some(host) = &args.host
        && subject.plan.topology.host(host).is_none()
    {
        let names: Vec<&str> = subject
            .plan
            .topology
            .hosts
            .iter()
            .map(|h| h.name.as_str())
            .collect();
        bail!("there is no host '{host}' in this run, only {}", names.join(", "));
    }
    let run = || execute_plan(&subject.scenario, subject.seed, subject.plan.clone());
    let record = run()?;
    if let Some(other) = &args.diff {
        return diff(&args.what, &record, other);
    }
    show(args, &record);
    let again = run()?;
    if let Some(text) = divergence::text(side("this run", &record), side("the same again", &again)) {
        terminal::note(&text);
        return Ok(exit::NONDETERMINISTIC);
    }
    tell_verdict(&subject.scenario, &record);
    match &subject.saved {
        Some(saved) => compare(saved, &record),
        None => {
            terminal::note(&format!("digest matches {} (two runs)", record.trace.digest));
            Ok(verdict_code(&subject.scenario, &record))
        }
    }
}

/// Shows where `record` and another run part.
fn diff(what: &str, record: &RunRecord, other: &str) -> Done {
    let other_record;
    let saved;
    let right = if other.ends_with(".jsonl") {
        saved = read_trace(Path::new(other))?;
        Side {
            name: other,
            trace: &saved,
            plan: &record.plan,
        }
    } else {
        let subject = Subject::find(other)?;
        other_record = execute_plan(&subject.scenario, subject.seed, subject.plan)?;
        side(other, &other_record)
    };
    match divergence::text(side(what, record), right) {
        Some(text) => {
            terminal::print(text.trim_end());
            Ok(exit::NONDETERMINISTIC)
        }
        None => {
            terminal::print(&format!("{what} and {other} are equal: {}", record.trace.digest));
            Ok(exit::OK)
        }
    }
}

fn side<'a>(name: &'a str, record: &'a RunRecord) -> Side<'a> {
    Side {
        name,
        trace: &record.trace,
        plan: &record.plan,
    }
}

fn show(args: &ReplayArgs, record: &RunRecord) {
    let view = View {
        from: args.from.unwrap_or_default(),
        until: args.until,
        host: args.host.clone(),
        width: terminal::width(),
    };
    if args.json {
        let wanted = |e: &&Event| {
            e.at >= view.from
                && view.until.is_none_or(|until| e.at <= until)
                && (view.host.is_none() || e.host.is_none() || e.host == view.host)
        };
        for event in record.trace.events.iter().filter(wanted) {
            terminal::print(&serde_json::to_string(event).expect("events are plain data"));
        }
    } else {
        terminal::print(timeline::draw(&record.trace, &record.plan, &view).trim_end());
    }
}

fn tell_verdict(scenario: &Scenario, record: &RunRecord) {
    match record.failure() {
        Some((id, violation)) => {
            let meaning = scenario
                .oracles
                .iter()
                .find(|o| o.id == id)
                .map_or("", |o| o.meaning);
            terminal::note(&format!("broken: {id} {meaning}\nbecause: {}", violation.why));
        }
        None => terminal::note("every oracle held"),
    }
}

/// A demonstration that fails as it should is no failure of the replay.
fn verdict_code(scenario: &Scenario, record: &RunRecord) -> u8 {
    let result = record.result();
    match result.outcome {
        Outcome::Fail if unexpected(scenario, &result) => exit::BROKEN,
        _ => exit::OK,
    }
}

/// Compares a replay with the failure that was saved.
fn compare(saved: &Saved, record: &RunRecord) -> Done {
    let failed_by = record.failure().map(|(id, _)| id);
    if saved.repro.oracle.as_deref() != failed_by {
        let was = saved.repro.oracle.as_deref().unwrap_or("no oracle");
        let is = failed_by.unwrap_or("no oracle");
        terminal::note(&format!(
            "not reproduced: {was} was broken when it was saved, {is} is broken now"
        ));
        return Ok(exit::NOT_REPRODUCED);
    }
    if saved.repro.digest == record.trace.digest {
        terminal::note(&format!("digest matches {} (as saved)", record.trace.digest));
        return Ok(exit::OK);
    }
    let parted = saved.trace.as_ref().and_then(|trace| {
        let saved = Side {
            name: "the saved run",
            trace,
            plan: &record.plan,
        };
        divergence::text(saved, side("this run", record))
    });
    let first = parted.unwrap_or_else(|| "the trace that was saved is not beside it".to_owned());
    if saved.repro.build != build_id()? {
        terminal::note(&format!(
            "reproduced by another build, along another path:\n{first}"
        ));
        return Ok(exit::OK);
    }
    terminal::note(&format!("diverged:\n{first}"));
    Ok(exit::NONDETERMINISTIC)
}

//! `cargo xtask replay`

use std::{fs, path::Path, sync::Arc};

use anyhow::{Context, bail};
use sleet::{
    fault::Plan,
    run::{
        RunRecord, execute_plan, plan_of,
        repro::Repro,
        result::Outcome,
        suite,
        summary::{exit, unexpected},
    },
    scenario::Scenario,
    seed::Seed,
    trace::{Event, Trace, first_divergence},
};
use sleet_reports::timeline::{self, View};

use crate::{
    Done,
    cli::{ReplayArgs, Target},
    run::build_id,
    select, terminal,
};

/// What to run again, and what is known of the run before.
struct Subject {
    scenario: Arc<Scenario>,
    seed: Seed,
    plan: Arc<Plan>,
    saved: Option<Saved>,
}

struct Saved {
    repro: Repro,
    trace: Option<Trace>,
}

/// Runs a seed or a saved failure again and shows what happens.
pub fn replay(args: &ReplayArgs) -> Done {
    let subject = find(&args.what)?;
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
    show(args, &record);
    let again = run()?;
    if let Some(divergence) = first_divergence(&record.trace, &again.trace) {
        terminal::note(&suite::describe(&divergence));
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

/// Reads `SCENARIO@SEED`, or a saved failure.
fn find(what: &str) -> anyhow::Result<Subject> {
    if what.ends_with(".json") || Path::new(what).is_file() {
        return read(Path::new(what));
    }
    let target: Target = what
        .parse()
        .with_context(|| format!("'{what}' is neither SCENARIO@SEED nor the path of a repro.json"))?;
    let scenario = select::scenario(&target.scenario)?;
    Ok(Subject {
        plan: plan_of(&scenario, target.seed)?,
        seed: target.seed,
        scenario,
        saved: None,
    })
}

fn read(path: &Path) -> anyhow::Result<Subject> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read '{}'", path.display()))?;
    let repro = Repro::parse(&text).with_context(|| format!("'{}'", path.display()))?;
    let scenario = select::scenario(&repro.scenario).with_context(|| format!("'{}'", path.display()))?;
    Ok(Subject {
        scenario,
        seed: repro.seed,
        plan: Arc::new(repro.plan.clone()),
        saved: Some(Saved {
            trace: read_trace(&path.with_file_name("trace.jsonl")),
            repro,
        }),
    })
}

/// The trace beside a saved failure, if it is there and whole.
fn read_trace(path: &Path) -> Option<Trace> {
    let text = fs::read_to_string(path).ok()?;
    let events: Result<Vec<Event>, _> = text.lines().map(serde_json::from_str).collect();
    events.ok().map(Trace::from_events)
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
        terminal::print(timeline::draw(&record.trace, &record.plan.topology, &view).trim_end());
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
    let divergence = saved
        .trace
        .as_ref()
        .and_then(|trace| first_divergence(trace, &record.trace));
    let first = divergence.map_or_else(
        || "the trace that was saved is not beside it".to_owned(),
        |d| {
            suite::describe(&d).replace(
                "two runs of this seed differ first",
                "the saved run and this one differ first",
            )
        },
    );
    if saved.repro.build != build_id()? {
        terminal::note(&format!(
            "reproduced by another build, along another path: {first}"
        ));
        return Ok(exit::OK);
    }
    terminal::note(&format!("diverged: {first}"));
    Ok(exit::NONDETERMINISTIC)
}

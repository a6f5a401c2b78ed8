//! The command `replay`.

use std::{fs, path::Path, sync::Arc};

use anyhow::{Context, bail};
use sleet::{
    fault::Plan,
    net::topology::Topology,
    run::{
        RunRecord, Runner,
        result::RunOutcome,
        summary::{exit, unexpected},
    },
    scenario::Scenario,
    trace::{Event, Tap, Trace, Watch},
};
use sleet_reports::{
    brief,
    divergence::{self, Side},
    html::{self, Other, Page},
    pcap,
    timeline::{self, View},
};

use crate::{
    Done,
    args::ReplayArgs,
    catalogue::Catalogue,
    identity::build_id,
    pool::Death,
    subject::{Rehearsal, Saved, Subject, read_trace},
    terminal,
};

/// Runs a seed or a saved failure again and shows what happens.
pub fn replay(catalogue: &Catalogue, args: &ReplayArgs) -> Done {
    let subject = Subject::find(catalogue, &args.what)?;
    let (plan, elsewhere) = match subject.rehearse()? {
        Rehearsal::Ended { plan, trace } => (plan, trace),
        Rehearsal::Died {
            death,
            stderr,
            plan,
            trace,
        } => {
            let plan = plan.map_or_else(|| Plan::new(Topology::default()), |plan| *plan);
            check_host(args, &plan.topology)?;
            show(args, &trace, &plan);
            return Ok(tell_death(&subject, &death, &stderr));
        }
        Rehearsal::Failed(result) => {
            terminal::note(&format!("error: {}", result.why.unwrap_or_default()));
            return Ok(exit::BROKEN);
        }
    };
    check_host(args, &plan.topology)?;
    let watch = Arc::new(match args.pcap {
        Some(_) => Watch::default().tapping(),
        None => Watch::default(),
    });
    let record = Runner::new(&subject.scenario, subject.seed)
        .with_plan(plan)
        .watched(watch.clone())
        .run()?;
    if let Some(file) = &args.pcap {
        capture(&record, &watch, file)?;
    }
    if let Some(other) = &args.diff {
        return diff(catalogue, &subject, args, &record, other);
    }
    if let Some(file) = &args.html {
        leave_page(file, &page(catalogue, (&subject, &args.what), &record))?;
    }
    show(args, &record.trace, &record.plan);
    let other = Side {
        name: "the same in another process",
        trace: &elsewhere,
        plan: &record.plan,
    };
    if let Some(text) = divergence::text(side("this run", &record), other) {
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

/// Returns the page of a run that was replayed.
fn page(catalogue: &Catalogue, (subject, what): (&Subject, &str), record: &RunRecord) -> Page {
    let result = match &subject.saved {
        Some(_) => record
            .result()
            .replayed_from(catalogue.program(), Path::new(what)),
        None => record.result().replayed_by(catalogue.program()),
    };
    let expected = !unexpected(&subject.scenario, &result);
    Page::of(&subject.scenario, record, &result, expected)
}

fn leave_page(file: &Path, page: &Page) -> anyhow::Result<()> {
    fs::write(file, html::failure(page)).with_context(|| format!("cannot write '{}'", file.display()))?;
    terminal::note(&format!("page in {}", file.display()));
    Ok(())
}

/// Writes the packets of `record` that `watch` tapped.
fn capture(record: &RunRecord, watch: &Watch, file: &Path) -> anyhow::Result<()> {
    let tapped = watch.tap().map(Tap::take).unwrap_or_default();
    let bytes = pcap::pcapng(record, &tapped)?;
    fs::write(file, bytes).with_context(|| format!("cannot write '{}'", file.display()))?;
    terminal::note(&format!(
        "capture of {} packets in {}",
        record.packets,
        file.display()
    ));
    Ok(())
}

fn check_host(args: &ReplayArgs, topology: &Topology) -> anyhow::Result<()> {
    match &args.host {
        Some(host) if topology.host(host).is_none() => {
            let names: Vec<&str> = topology.hosts.iter().map(|h| h.name.as_str()).collect();
            bail!("there is no host '{host}' in this run, only {}", names.join(", "))
        }
        _ => Ok(()),
    }
}

/// Prints how the process of a run died; returns the exit code. For a saved failure of such a run, this counts as
/// reproduced.
fn tell_death(subject: &Subject, death: &Death, stderr: &str) -> u8 {
    let said = match stderr.trim_end() {
        "" => String::new(),
        said => format!("\nthe end of its error output:\n{said}"),
    };
    terminal::note(&format!("{death}{said}"));
    match &subject.saved {
        Some(saved) => match &saved.repro.oracle {
            None => exit::OK,
            Some(was) => {
                terminal::note(&format!("not reproduced: {was} was broken when it was saved"));
                exit::NOT_REPRODUCED
            }
        },
        None => exit::BROKEN,
    }
}

/// Shows the first difference between `record` and another run.
fn diff(
    catalogue: &Catalogue,
    subject: &Subject,
    args: &ReplayArgs,
    record: &RunRecord,
    other: &str,
) -> Done {
    let what = args.what.as_str();
    let (trace, plan) = if other.ends_with(".jsonl") {
        (read_trace(Path::new(other))?, None)
    } else {
        match Subject::find(catalogue, other)?.rehearse()? {
            Rehearsal::Ended { plan, trace, .. } => (trace, Some(Plan::clone(&plan))),
            Rehearsal::Died {
                death, plan, trace, ..
            } => {
                terminal::note(&format!("{other}: {death}"));
                (trace, plan.map(|plan| *plan))
            }
            Rehearsal::Failed(result) => bail!("{other}: {}", result.why.unwrap_or_default()),
        }
    };
    if let Some(file) = &args.html {
        let plan = plan.clone().map_or_else(|| record.plan.clone(), Arc::new);
        let beside = RunRecord::recall(&subject.scenario, record.seed, plan, trace.clone());
        let other = Other {
            name: other,
            record: &beside,
        };
        leave_page(
            file,
            &page(catalogue, (subject, &args.what), record).beside(record, other),
        )?;
    }
    let right = Side {
        name: other,
        trace: &trace,
        plan: plan.as_ref().unwrap_or(&record.plan),
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

fn show(args: &ReplayArgs, trace: &Trace, plan: &Plan) {
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
        for event in trace.events.iter().filter(wanted) {
            terminal::print(&serde_json::to_string(event).expect("events are plain data"));
        }
    } else {
        terminal::print(timeline::draw(trace, plan, &view).trim_end());
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
            let because = format!("because: {}", violation.why);
            for line in [format!("broken: {id} {meaning}"), because] {
                terminal::note(&brief::fill(&line, terminal::width()));
            }
        }
        None => terminal::note("every oracle held"),
    }
}

/// Returns the exit code of a replay: an expected failure of a demonstration counts as success.
fn verdict_code(scenario: &Scenario, record: &RunRecord) -> u8 {
    let result = record.result();
    match result.outcome {
        RunOutcome::Fail if unexpected(scenario, &result) => exit::BROKEN,
        _ => exit::OK,
    }
}

/// Compares a replay with the saved failure.
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

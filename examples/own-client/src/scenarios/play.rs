//! Plays plans that somebody else drew, and says what came of each: for comparing what happens under Sleet with what happens
//! on real networks.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use anyhow::{Context, anyhow};
use clap::Subcommand;
use serde::{Deserialize, Serialize};
use sleet::{
    driver, oracle::calls, oracle::calls::Call, oracle::peers, oracle::reach, prelude::*, servers,
    time::SimTime, trace::CallEvent, trace::EventKind, trace::Intent, trace::Trace,
};

use crate::{
    phone::{Trickle, Turn},
    sim::{Handset, Office},
};

/// What `own-sim` can do beside what every suite can.
#[derive(Subcommand)]
pub enum Own {
    /// Play plans: from the input, `{"seed": 1, "plan": {…}}` a line. Each answers with a line: what its phones showed.
    #[command(hide = true)]
    Play {
        /// How many plans at the same time.
        #[arg(long, default_value_t = 2)]
        jobs: usize,
        /// A folder for the traces of all of them: `SEED.jsonl`.
        #[arg(long)]
        traces: Option<PathBuf>,
    },
}

#[derive(Deserialize)]
struct Asked {
    seed: u64,
    plan: Plan,
}

/// What came of a plan with one call.
#[derive(Serialize)]
struct Came {
    seed: u64,
    /// Milliseconds from dialing until both screens said that the two can talk; none if that took longer than the budget.
    connected_ms: Option<u64>,
    /// The kinds of the pair that the caller selected.
    pair: Option<String>,
    /// When a screen said first that a call is over, in milliseconds of the run, before everything is cleaned up.
    over_ms: Option<u64>,
    /// How long after the last hangup the last peer was closed, in milliseconds; none while one is not.
    closed_ms: Option<u64>,
    /// How long after a restart both screens said again that the two can talk, in milliseconds.
    again_ms: Option<u64>,
    /// What was left at the end, and of tasks the places where they were started.
    left: BTreeMap<String, Vec<String>>,
}

/// Does what was asked.
///
/// # Errors
/// A line that is no plan, a plan that cannot be played, an output that takes nothing.
pub fn own(asked: Own) -> anyhow::Result<u8> {
    let Own::Play { jobs, traces } = asked;
    let lines = Mutex::new(std::io::stdin().lock().lines().collect::<Vec<_>>().into_iter());
    let next = || lines.lock().ok()?.next();
    let work = || {
        while let Some(line) = next() {
            let asked: Asked = serde_json::from_str(&line?).context("a plan")?;
            let answer = serde_json::to_string(&play(asked, traces.as_deref())?)?;
            writeln!(std::io::stdout().lock(), "{answer}")?;
        }
        anyhow::Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
        let mut ended = threads.into_iter().map(|t| t.join());
        ended.try_for_each(|end| end.map_err(|_| anyhow!("a run ended in a panic"))?)
    })?;
    Ok(0)
}

/// Plays a plan. The app's section of the plan says how phones treat candidates: `{"trickle": "naive"}`.
fn play(Asked { seed, plan }: Asked, traces: Option<&Path>) -> anyhow::Result<Came> {
    plan.check()?;
    let trickle = match plan.app["trickle"].as_str() {
        Some("naive") => Trickle::Naive,
        _ => Trickle::Buffered,
    };
    let plan = Arc::new(plan);
    let turn = plan
        .ice_servers
        .iter()
        .find(|server| server.turn)
        .map(|server| Turn {
            url: format!("turn:{}:{}", server.host, servers::PORT),
            username: servers::USERNAME.to_owned(),
            password: servers::PASSWORD.to_owned(),
        });
    let deployment = Arc::new(Deployment::of(Handset(trickle, turn)).server("office", Office));
    let drawn = plan.clone();
    let scenario = Scenario::new(
        Kind::Selftest,
        "own/played",
        move |_| (*drawn).clone(),
        move |sim, plan| driver::play(sim, plan, deployment.clone()),
    );
    let record = Runner::new(&Arc::new(scenario), Seed(seed))
        .with_plan(plan.clone())
        .run()?;
    if let Some(folder) = traces {
        let file = folder.join(format!("{seed}.jsonl"));
        fs::write(&file, record.trace.to_json_lines()).with_context(|| file.display().to_string())?;
    }
    Ok(came(seed, &plan, &record))
}

fn came(seed: u64, plan: &Plan, record: &RunRecord) -> Came {
    let trace = &record.trace;
    let call = calls::calls(trace).into_iter().next();
    let connected_ms = call.as_ref().and_then(|call| {
        let ends = [call.caller, call.callee].map(|host| shown_at(trace, call, host));
        let both = ends[0]?.max(ends[1]?);
        (both <= plan.budget_ms).then_some(both)
    });
    let pair = call.filter(|_| connected_ms.is_some());
    let pair = pair.map(|call| reach::carried(trace, &call).pair.replace('-', " "));
    Came {
        seed,
        connected_ms,
        pair,
        over_ms: over_at(trace),
        closed_ms: closed_after(trace),
        again_ms: again_after(trace),
        left: left(trace),
    }
}

fn over_at(trace: &Trace) -> Option<u64> {
    let mut talked = trace.events.iter().take_while(|e| e.kind != EventKind::CleanUp);
    let over = talked.find(|e| {
        let EventKind::Call { what, .. } = &e.kind else {
            return false;
        };
        matches!(what, CallEvent::Over { .. })
    })?;
    Some((over.at - SimTime::ZERO).as_millis() as u64)
}

fn closed_after(trace: &Trace) -> Option<u64> {
    let hung_up = trace.events.iter().rev().find(|e| {
        let EventKind::Intended { intent, .. } = &e.kind else {
            return false;
        };
        matches!(intent, Intent::HangUp { .. })
    })?;
    let all_closed = peers::closings(trace).all(|closing| closing.took.is_some());
    let closed = trace.events.iter().rev();
    let last = closed
        .into_iter()
        .find(|e| matches!(e.kind, EventKind::Closed { .. }));
    let after = last.map_or(0, |last| last.at.as_nanos().saturating_sub(hung_up.at.as_nanos()));
    all_closed.then_some(after / 1_000_000)
}

fn again_after(trace: &Trace) -> Option<u64> {
    let restarted = trace.events.iter().find(|e| {
        let EventKind::Intended { intent, .. } = &e.kind else {
            return false;
        };
        matches!(intent, Intent::Retry { .. })
    })?;
    let again = ["alice", "bob"].map(|host| {
        let mut after = trace.of(host).filter(|e| e.seq > restarted.seq);
        let connected = after.find(|e| {
            let EventKind::Call { what, .. } = &e.kind else {
                return false;
            };
            *what == CallEvent::Connected
        })?;
        Some((connected.at - restarted.at).as_millis() as u64)
    });
    Some(again[0]?.max(again[1]?))
}

/// The tasks of the stack that hold a socket, which the stack's virtual network does not tell: what reads for a candidate; what reads for a TURN
/// client or waits for its server; and a handshake of DTLS, through the pairs that a closed agent keeps (`AgentConn::checklist`).
const HOLD: [&str; 3] = [
    "webrtc-ice-0.17.2/src/agent/agent_internal.rs:1047",
    "turn-0.17.2/src/client/",
    "dtls-0.17.2/src/conn/",
];

/// What the leak checks found, named as it is counted on real networks: whose, and of which kind.
fn left(trace: &Trace) -> BTreeMap<String, Vec<String>> {
    let mut left: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for leak in peers::leaks(trace) {
        let whose = match leak.host {
            "alice" => "the caller",
            "bob" => "the callee",
            other => other,
        };
        for (what, found) in [("tasks", leak.tasks), ("sockets", leak.sockets)] {
            if !found.is_empty() {
                let places = if what == "tasks" { found } else { &[] };
                left.entry(format!("{what} of {whose}"))
                    .or_default()
                    .extend_from_slice(places);
            }
        }
        let holds = |task: &String| HOLD.iter().any(|place| task.starts_with(place));
        if leak.tasks.iter().any(holds) {
            left.entry(format!("sockets of {whose}")).or_default();
        }
        if leak.allocations > 0 {
            left.entry("allocations".to_owned()).or_default();
        }
    }
    left
}

/// How long after dialing the screen on `host` said that `call` can be talked over, in milliseconds.
fn shown_at(trace: &Trace, call: &Call<'_>, host: &str) -> Option<u64> {
    let connected = trace.of(host).find(
        |e| matches!(&e.kind, EventKind::Call { call: of, what: CallEvent::Connected } if of == call.name),
    )?;
    Some((connected.at - call.dialed).as_millis() as u64)
}

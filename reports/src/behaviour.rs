//! The behaviour of a family's scenarios over a range of seeds, as one small sheet that a reviewer compares.
//!
//! Counts and simulated times only, so that a change of behaviour shows in a few cells. Never a digest, which changes
//! with everything, nor any property of the process that ran the seeds.

use std::collections::BTreeMap;

use sleet::{
    oracle::Verdict,
    run::{
        RunRecord,
        explored::{FAILED, ORDERS},
        result::{RunOutcome, RunResult},
        stats::Histogram,
    },
    scenario::Scenario,
    trace::{EventKind, Machine, PeerId, SignalDirection, Trace},
};

use crate::sheet::{Column, Grid, Row, Sheet, counted};

/// The name of the table with a row for every scenario.
pub const OUTCOMES: &str = "outcomes";
/// The name of the table of the pairs that peers selected last, by the types of their candidates.
pub const PAIRS: &str = "selected pairs";
/// The name of the table of signaling messages.
pub const MESSAGES: &str = "messages that clients sent";
/// The name of the table of explored orders.
pub const ORDERS_TABLE: &str = "orders";
/// The end of the names of the tables of state sequences.
const STATES: &str = " states of the peers";

/// The name of the server at the client end of a signaling connection.
const SERVER: &str = "server";
/// The state machines, in the order of their tables.
const MACHINES: [Machine; 4] = [
    Machine::Ice,
    Machine::Connection,
    Machine::Signaling,
    Machine::Gathering,
];
/// The number of sequences shown for one machine of one scenario; the rest is counted.
const SEQUENCES_TOLD: usize = 6;

/// The contribution of one run to the row of its scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    result: RunResult,
    fired: Vec<String>,
    pairs: BTreeMap<String, u64>,
    messages: BTreeMap<String, u64>,
    states: BTreeMap<Machine, BTreeMap<String, u64>>,
}

impl Observed {
    /// Collects it from the record of the run.
    pub fn of(record: &RunRecord) -> Self {
        let fired = record.verdicts.iter().filter_map(|(id, verdict)| match verdict {
            Verdict::Pass => None,
            Verdict::Fail(_) => Some((*id).to_owned()),
            Verdict::Unknown(_) => Some(format!("{id} unknown")),
        });
        Self {
            result: record.result(),
            fired: fired.collect(),
            pairs: pairs(&record.trace),
            messages: messages(&record.trace),
            states: states(&record.trace),
        }
    }
}

/// Creates the sheet of the scenarios of `family` from their runs, in any order of runs; `seeds` describes the seeds in
/// words.
pub fn sheet(family: &str, seeds: &str, scenarios: &[(&Scenario, Vec<Observed>)]) -> Sheet {
    let rows: Vec<(String, &Vec<Observed>)> = scenarios
        .iter()
        .map(|(scenario, runs)| (row_name(scenario), runs))
        .collect();
    let mut tables = vec![outcomes(&rows), orders(&rows)];
    tables.push(one_column(PAIRS, "types, how many peers", &rows, |runs| {
        summed(runs.iter().map(|r| &r.pairs))
    }));
    tables.push(one_column(MESSAGES, "message, how many", &rows, |runs| {
        summed(runs.iter().map(|r| &r.messages))
    }));
    for machine in MACHINES {
        let name = format!("{machine}{STATES}");
        tables.push(one_column(&name, "sequence, how many peers", &rows, |runs| {
            told(summed(runs.iter().filter_map(|r| r.states.get(&machine))))
        }));
    }
    tables.retain(|table| !table.rows.is_empty());
    Sheet {
        title: format!("behaviour of {family}"),
        notes: vec![
            seeds.to_owned(),
            "simulated milliseconds from dialing until both ends have heard each other; totals over all runs"
                .to_owned(),
        ],
        tables,
    }
}

/// Returns the name of a scenario without its family.
fn row_name(scenario: &Scenario) -> String {
    let name = scenario.name.strip_prefix(scenario.family());
    name.map_or(scenario.name.as_str(), |n| n.trim_start_matches('/'))
        .to_owned()
}

fn outcomes(rows: &[(String, &Vec<Observed>)]) -> Grid {
    let row = |(name, runs): &(String, &Vec<Observed>)| {
        let mut times = Histogram::default();
        let measured = runs.iter().filter_map(|r| r.result.stats.get("connect_ms"));
        measured.for_each(|ms| times.add(*ms));
        let held = runs
            .iter()
            .filter(|r| r.result.outcome == RunOutcome::Pass)
            .count();
        let known = runs.iter().filter(|r| r.result.known.is_some()).count();
        let mut fired = BTreeMap::new();
        for oracle in runs.iter().flat_map(|r| &r.fired) {
            *fired.entry(oracle.clone()).or_default() += 1;
        }
        let ms = |percent| {
            times
                .percentile(percent)
                .map_or_else(|| "-".to_owned(), |ms| ms.to_string())
        };
        Row {
            key: name.clone(),
            cells: vec![
                runs.len().to_string(),
                held.to_string(),
                (runs.len() - held).to_string(),
                known.to_string(),
                times.total().to_string(),
                ms(50),
                ms(95),
                runs.iter().map(|r| r.result.packets).sum::<u64>().to_string(),
                counted(&fired),
            ],
        }
    };
    Grid {
        name: OUTCOMES.to_owned(),
        keys: "scenario".to_owned(),
        columns: vec![
            Column::number("runs"),
            Column::number("held"),
            Column::number("broke"),
            Column::number("known"),
            Column::number("connected"),
            Column::number("median"),
            Column::number("95th"),
            Column::number("packets"),
            Column::text("oracles that fired", 18),
        ],
        rows: rows.iter().map(row).collect(),
    }
}

/// Creates the table of explored orders, for scenarios that do not leave the order to the seed.
fn orders(rows: &[(String, &Vec<Observed>)]) -> Grid {
    let row = |(name, runs): &(String, &Vec<Observed>)| {
        let sum = |stat| -> u64 { runs.iter().filter_map(|r| r.result.stats.get(stat)).sum() };
        (sum(ORDERS) > 0).then(|| Row {
            key: name.clone(),
            cells: vec![sum(ORDERS).to_string(), sum(FAILED).to_string()],
        })
    };
    Grid {
        name: ORDERS_TABLE.to_owned(),
        keys: "scenario".to_owned(),
        columns: vec![Column::number("orders"), Column::number("broke")],
        rows: rows.iter().filter_map(row).collect(),
    }
}

/// Creates a table with one column of counted items; scenarios without any have no row.
fn one_column(
    name: &str,
    column: &str,
    rows: &[(String, &Vec<Observed>)],
    of: impl Fn(&[Observed]) -> BTreeMap<String, u64>,
) -> Grid {
    let row = |(name, runs): &(String, &Vec<Observed>)| {
        let counts = of(runs);
        (!counts.is_empty()).then(|| Row {
            key: name.clone(),
            cells: vec![counted(&counts)],
        })
    };
    Grid {
        name: name.to_owned(),
        keys: "scenario".to_owned(),
        columns: vec![Column::text(column, 3)],
        rows: rows.iter().filter_map(row).collect(),
    }
}

fn summed<'a>(counts: impl Iterator<Item = &'a BTreeMap<String, u64>>) -> BTreeMap<String, u64> {
    let mut sum = BTreeMap::new();
    for (what, n) in counts.flatten() {
        *sum.entry(what.clone()).or_default() += n;
    }
    sum
}

/// Keeps the most frequent of `sequences`, and the number of the others.
fn told(sequences: BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut by_count: Vec<(String, u64)> = sequences.into_iter().collect();
    by_count.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let rest = by_count.split_off(by_count.len().min(SEQUENCES_TOLD));
    let mut told: BTreeMap<String, u64> = by_count.into_iter().collect();
    if !rest.is_empty() {
        told.insert(
            format!("~{} other sequences", rest.len()),
            rest.iter().map(|(_, n)| n).sum(),
        );
    }
    told
}

/// Counts the pairs that peers selected last, by candidate types.
fn pairs(trace: &Trace) -> BTreeMap<String, u64> {
    let mut last = BTreeMap::new();
    for event in &trace.events {
        if let EventKind::PairSelected { peer, local, remote } = &event.kind {
            let kind = |candidate: &str| candidate.split(' ').next().unwrap_or_default().to_owned();
            last.insert(
                (event.host.as_deref(), peer),
                format!("{}-{}", kind(local), kind(remote)),
            );
        }
    }
    count(last.into_values())
}

/// Counts the signaling messages that clients sent.
fn messages(trace: &Trace) -> BTreeMap<String, u64> {
    count(trace.events.iter().filter_map(|event| match &event.kind {
        EventKind::Signal {
            direction: SignalDirection::Sent,
            with,
            message,
            ..
        } if with == SERVER => Some(message.clone()),
        _ => None,
    }))
}

/// Counts the sequences of states of each machine, over all peers.
fn states(trace: &Trace) -> BTreeMap<Machine, BTreeMap<String, u64>> {
    let mut paths = BTreeMap::<(Machine, Option<&str>, &PeerId), Vec<&str>>::new();
    for event in &trace.events {
        if let EventKind::State { peer, machine, state } = &event.kind {
            let path = paths.entry((*machine, event.host.as_deref(), peer)).or_default();
            path.push(state);
        }
    }
    let mut counts = BTreeMap::<Machine, BTreeMap<String, u64>>::new();
    for ((machine, ..), path) in paths {
        *counts
            .entry(machine)
            .or_default()
            .entry(sequence(&path))
            .or_default() += 1;
    }
    counts
}

/// Formats a sequence as one word, with cycles written once: `checking>(connected>disconnected)x3>failed`.
fn sequence(path: &[&str]) -> String {
    let mut words = Vec::new();
    let mut at = 0;
    while at < path.len() {
        let cycle = (2..=4).find_map(|len| {
            let cycle = path.get(at..at + len)?;
            let times = path[at..].chunks(len).take_while(|chunk| *chunk == cycle).count();
            (times > 1).then_some((cycle, times))
        });
        match cycle {
            Some((cycle, times)) => {
                words.push(format!("({})x{times}", cycle.join(">")));
                at += cycle.len() * times;
            }
            None => {
                words.push(path[at].to_owned());
                at += 1;
            }
        }
    }
    words.join(">")
}

fn count(things: impl Iterator<Item = String>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for thing in things {
        *counts.entry(thing).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_is_written_once() {
        let path = [
            "checking",
            "connected",
            "disconnected",
            "connected",
            "disconnected",
            "failed",
        ];
        assert_eq!(sequence(&path), "checking>(connected>disconnected)x2>failed");
        assert_eq!(sequence(&["checking", "closed"]), "checking>closed");
        assert_eq!(sequence(&[]), "");
    }

    #[test]
    fn what_is_rare_is_counted_and_not_told() {
        let counts: BTreeMap<String, u64> = (0..9).map(|n| (format!("a>{n}"), 10 - n)).collect();
        let told = told(counts);
        assert_eq!(told.len(), SEQUENCES_TOLD + 1);
        assert_eq!(told["~3 other sequences"], 2 + 3 + 4);
    }
}

//! One run as stable text that a reviewer reads in a pull request.
//!
//! It holds what a change of behaviour would move, and nothing else: no wall time, no hashes, no random
//! names.

use std::collections::BTreeMap;

use sleet::{
    explain::words,
    fault::Plan,
    net::{latency::Latency, topology::HostSpec},
    oracle::Verdict,
    run::{RunRecord, orders::Explored},
    scenario::Scenario,
    trace::{Event, EventKind, Machine, SignalDirection, Trace},
};

use crate::words::Names;

/// Renders `record`.
pub fn report(scenario: &Scenario, record: &RunRecord) -> String {
    let trace = &record.trace;
    let names = Names::of(trace, &record.plan);
    let mut out = format!(
        "{}@{} ({})\n{}\n",
        record.scenario, record.seed, scenario.kind, scenario.summary
    );
    section(&mut out, "topology", topology(&record.plan));
    section(&mut out, "faults that hit", faults(&record.plan, trace));
    section(&mut out, "signaling", signaling(trace));
    section(&mut out, "states", states(trace));
    section(&mut out, "candidates", candidates(trace));
    section(&mut out, "selected pairs", pairs(trace));
    section(&mut out, "timeline", timeline(trace, &names));
    section(&mut out, "oracles", oracles(record));
    if let Some(explored) = &record.explored {
        section(&mut out, "orders", orders(explored));
    }
    section(
        &mut out,
        "marks",
        record
            .marks()
            .iter()
            .map(|(mark, n)| format!("{mark}: {n}"))
            .collect(),
    );
    out
}

fn section(out: &mut String, title: &str, lines: Vec<String>) {
    out.push_str(&format!("\n{title}\n"));
    if lines.is_empty() {
        out.push_str("  none\n");
    }
    for line in lines {
        out.push_str(&format!("  {line}\n"));
    }
}

fn orders(explored: &Explored) -> Vec<String> {
    let of = |n: u64, what: &str| format!("{what}: {n}");
    vec![
        of(explored.orders, "of this part"),
        of(explored.failed, "failed"),
        of(explored.steps, "most steps"),
    ]
}

fn topology(plan: &Plan) -> Vec<String> {
    let host = |host: &HostSpec| {
        let interfaces: Vec<String> = host
            .interfaces
            .iter()
            .map(|i| {
                format!(
                    "{} {} (up {}, down {})",
                    i.name,
                    i.address,
                    latency(&i.up.latency),
                    latency(&i.down.latency)
                )
            })
            .collect();
        let firewall = match host.firewall {
            Some(spec) => format!(", behind a firewall ({:?}, {} s)", spec.filtering, spec.timeout_s),
            None => String::new(),
        };
        format!("{}: {}{firewall}", host.name, interfaces.join(", "))
    };
    plan.topology.hosts.iter().map(host).collect()
}

fn latency(latency: &Latency) -> String {
    match latency {
        Latency::Constant { us } => format!("{} ms", us / 1_000),
        Latency::Uniform { min_us, max_us } => format!("{} to {} ms", min_us / 1_000, max_us / 1_000),
        Latency::Quantiles { .. } => format!("up to {} ms", latency.longest().as_millis()),
    }
}

/// Faults of the plan, and what the links and firewalls did, counted.
fn faults(plan: &Plan, trace: &Trace) -> Vec<String> {
    let mut lines = Vec::new();
    let mut counts = BTreeMap::<String, u64>::new();
    for event in &trace.events {
        match &event.kind {
            EventKind::SignalImpaired { fault, message, .. } => {
                lines.push(format!("{} {message}: {}", event.at, words::fault(plan, *fault)))
            }
            EventKind::FaultStarted { fault } => {
                lines.push(format!("{} {}", event.at, words::fault(plan, *fault)))
            }
            EventKind::FaultHit { fault } => {
                *counts
                    .entry(format!("struck by {}", words::fault(plan, *fault)))
                    .or_default() += 1;
            }
            EventKind::PacketDropped { by, .. }
            | EventKind::PacketDelayed { by, .. }
            | EventKind::PacketDuplicated { by, .. }
            | EventKind::PacketCorrupted { by, .. }
            | EventKind::PacketTruncated { by, .. } => {
                *counts.entry(words::cause(plan, by)).or_default() += 1
            }
            EventKind::SignalUndeliverable { to, message, .. } => {
                *counts
                    .entry(format!("{message} to {to}, who was not connected"))
                    .or_default() += 1;
            }
            _ => {}
        }
    }
    lines.extend(counts.iter().map(|(what, n)| format!("{n} x {what}")));
    lines
}

/// The messages that each client sent and received, in order.
fn signaling(trace: &Trace) -> Vec<String> {
    let mut by_host = BTreeMap::<&str, Vec<String>>::new();
    for event in &trace.events {
        let EventKind::Signal {
            direction, message, ..
        } = &event.kind
        else {
            continue;
        };
        let Some(host) = event.host.as_deref().filter(|h| *h != "server") else {
            continue;
        };
        let arrow = if *direction == SignalDirection::Sent {
            ">"
        } else {
            "<"
        };
        by_host.entry(host).or_default().push(format!("{arrow}{message}"));
    }
    by_host
        .iter()
        .map(|(host, messages)| format!("{host}: {}", messages.join(" ")))
        .collect()
}

/// The states that each machine of each peer went through.
fn states(trace: &Trace) -> Vec<String> {
    let mut by_machine = BTreeMap::<(&str, &str, Machine), Vec<String>>::new();
    for event in &trace.events {
        let EventKind::State { peer, machine, state } = &event.kind else {
            continue;
        };
        let host = event.host.as_deref().unwrap_or_default();
        by_machine
            .entry((host, peer, *machine))
            .or_default()
            .push(format!("{state} {}", event.at));
    }
    let line = |((host, peer, machine), states): (&(&str, &str, Machine), &Vec<String>)| {
        format!("{host} {peer} {machine}: {}", states.join(" -> "))
    };
    by_machine.iter().map(line).collect()
}

/// What became of each remote candidate.
fn candidates(trace: &Trace) -> Vec<String> {
    trace
        .events
        .iter()
        .filter_map(|e| {
            let (candidate, what) = match &e.kind {
                EventKind::CandidateApplied { candidate, .. } => (candidate, "added"),
                EventKind::CandidateRefused { candidate, .. } => (candidate, "LOST"),
                EventKind::CandidateBuffered { candidate, .. } => (candidate, "kept"),
                EventKind::CandidateDiscarded { candidate, .. } => (candidate, "discarded"),
                _ => return None,
            };
            Some(format!(
                "{} {}: {candidate} {what}",
                e.at,
                e.host.as_deref().unwrap_or_default()
            ))
        })
        .collect()
}

fn pairs(trace: &Trace) -> Vec<String> {
    trace
        .events
        .iter()
        .filter_map(|e| match &e.kind {
            EventKind::PairSelected { peer, local, remote } => Some(format!(
                "{} {} {peer}: {local} <-> {remote}",
                e.at,
                e.host.as_deref().unwrap_or_default()
            )),
            _ => None,
        })
        .collect()
}

/// Everything but packets, which are counted where they pass without trouble.
fn timeline(trace: &Trace, names: &Names<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut routine = BTreeMap::<&'static str, u64>::new();
    for event in &trace.events {
        if let Some(kind) = routine_packet(event) {
            *routine.entry(kind).or_default() += 1;
            continue;
        }
        if matches!(event.kind, EventKind::PacketDelivered { .. }) {
            continue;
        }
        flush(&mut lines, &mut routine);
        lines.push(format!(
            "{:>7} {:<8} {}",
            event.at.to_string(),
            event.host.as_deref().unwrap_or("network"),
            names.line(event)
        ));
    }
    flush(&mut lines, &mut routine);
    lines
}

/// What kind of packet was sent without anything worth a line.
fn routine_packet(event: &Event) -> Option<&'static str> {
    let EventKind::PacketSent { says, .. } = &event.kind else {
        return None;
    };
    Some(match says.split(' ').next() {
        Some("stun") => "stun",
        Some("dtls") => "dtls",
        Some("tcp") => "tcp",
        _ => "other",
    })
}

fn flush(lines: &mut Vec<String>, routine: &mut BTreeMap<&'static str, u64>) {
    // Segments of the signaling connection surround every message: they would be all that is seen.
    routine.remove("tcp");
    if routine.is_empty() {
        return;
    }
    let counts: Vec<String> = routine.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
    lines.push(format!("        ...      {}", counts.join(", ")));
    routine.clear();
}

fn oracles(record: &RunRecord) -> Vec<String> {
    let line = |(id, verdict): &(&'static str, Verdict)| match verdict {
        Verdict::Pass => format!("{id} pass"),
        Verdict::Fail(violation) => format!("{id} FAIL: {}", violation.why),
        Verdict::Unknown(why) => format!("{id} unknown: {why}"),
    };
    record.verdicts.iter().map(line).collect()
}

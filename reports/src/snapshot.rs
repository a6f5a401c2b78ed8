//! One run as stable text for review in a pull request, short enough to be read.
//!
//! It contains what a change of behaviour would change, and nothing else: no wall time, no hashes, no random names.

use std::collections::BTreeMap;

use sleet::{
    explain::descriptions,
    fault::Plan,
    net::{
        latency::Latency,
        topology::{HostSpec, NatBox},
    },
    oracle::Verdict,
    run::{RunRecord, explored::Explored},
    scenario::Scenario,
    trace::{Event, EventKind, Machine, PeerId, Trace},
};

use crate::{descriptions::Names, ladder, sheet::wrap};

/// The number of lines of a section that grows with the run.
const LINES: usize = 10;
/// The line width of lists, in characters.
const WIDTH: usize = 120;

/// The level of detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// The important parts: about 60 lines.
    Story,
    /// The whole timeline too.
    Timeline,
}

/// Renders `record`.
pub fn report(scenario: &Scenario, record: &RunRecord, detail: Detail) -> String {
    let trace = &record.trace;
    let names = Names::of(trace, &record.plan);
    let mut out = format!(
        "{}@{} ({})\n{}\n",
        record.scenario, record.seed, scenario.kind, scenario.summary
    );
    section(&mut out, "who is there", topology(&record.plan));
    section(&mut out, "faults that hit", capped(faults(&record.plan, trace)));
    let ladder = ladder::draw(trace, &record.plan.topology, &names);
    section(&mut out, "signaling", ladder);
    section(&mut out, "states", capped(states(trace)));
    section(&mut out, "candidates", capped(candidates(trace)));
    section(&mut out, "selected pairs", capped(pairs(trace)));
    if detail == Detail::Timeline {
        section(&mut out, "timeline", timeline(trace, &names));
    }
    section(&mut out, "oracles", oracles(record));
    if let Some(explored) = &record.explored {
        section(&mut out, "orders", orders(explored));
    }
    let marks = record.marks();
    let marks: Vec<String> = marks.iter().map(|(mark, n)| format!("{mark}: {n}")).collect();
    let marks = marks.join(", ");
    section(&mut out, "marks", flowed(&marks));
    out
}

/// Wraps a description into lines of [`WIDTH`]; no lines for an empty description.
fn flowed(description: &str) -> Vec<String> {
    let mut lines = wrap(description, WIDTH);
    lines.retain(|line| !line.is_empty());
    lines
}

/// Keeps the first of `lines`, and adds the number of the others.
fn capped(mut lines: Vec<String>) -> Vec<String> {
    if lines.len() > LINES {
        let more = lines.split_off(LINES - 1).len();
        lines.push(format!("... and {more} more"));
    }
    lines
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
        let nat = host
            .nat
            .as_ref()
            .map_or_else(String::new, |nat| format!(", behind {nat}"));
        format!("{}: {}{firewall}{nat}", host.name, interfaces.join(", "))
    };
    let nat = |nat: &NatBox| {
        let (mapping, filtering) = (nat.spec.mapping, nat.spec.filtering);
        format!(
            "{}: {}, mapping {mapping:?}, filtering {filtering:?}",
            nat.name, nat.external
        )
    };
    let hosts = plan.topology.hosts.iter().map(host);
    hosts.chain(plan.topology.nats.iter().map(nat)).collect()
}

fn latency(latency: &Latency) -> String {
    match latency {
        Latency::Constant { us } => format!("{} ms", us / 1_000),
        Latency::Uniform { min_us, max_us } => format!("{} to {} ms", min_us / 1_000, max_us / 1_000),
        Latency::Quantiles { .. } => format!("up to {} ms", latency.longest().as_millis()),
    }
}

/// Lists faults of the plan, and the counted effects of links and firewalls.
fn faults(plan: &Plan, trace: &Trace) -> Vec<String> {
    let mut lines = Vec::new();
    let mut counts = BTreeMap::<String, u64>::new();
    for event in &trace.events {
        match &event.kind {
            EventKind::SignalImpaired { fault, message, .. } => lines.push(format!(
                "{} {message}: {}",
                event.at,
                descriptions::fault(plan, *fault)
            )),
            EventKind::FaultStarted { fault } => {
                lines.push(format!("{} {}", event.at, descriptions::fault(plan, *fault)))
            }
            EventKind::FaultHit { fault } => {
                *counts
                    .entry(format!("struck by {}", descriptions::fault(plan, *fault)))
                    .or_default() += 1;
            }
            EventKind::PacketDropped { by, .. }
            | EventKind::PacketDelayed { by, .. }
            | EventKind::PacketDuplicated { by, .. }
            | EventKind::PacketCorrupted { by, .. }
            | EventKind::PacketTruncated { by, .. } => {
                *counts.entry(descriptions::cause(plan, by)).or_default() += 1
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

/// Lists the states of connections; the ladder shows gathering and descriptions.
fn states(trace: &Trace) -> Vec<String> {
    let mut by_machine = BTreeMap::<(&str, &PeerId, Machine), Vec<String>>::new();
    for event in &trace.events {
        let EventKind::State { peer, machine, state } = &event.kind else {
            continue;
        };
        if !matches!(machine, Machine::Ice | Machine::Connection) {
            continue;
        }
        let host = event.host.as_deref().unwrap_or_default();
        by_machine
            .entry((host, peer, *machine))
            .or_default()
            .push(format!("{state} {}", event.at));
    }
    let line = |((host, peer, machine), states): (&(&str, &PeerId, Machine), &Vec<String>)| {
        format!("{host} {peer} {machine}: {}", states.join(" -> "))
    };
    by_machine.iter().map(line).collect()
}

/// Lists the fates of the remote candidates of each peer.
fn candidates(trace: &Trace) -> Vec<String> {
    let mut by_peer = BTreeMap::<(&str, &PeerId), Vec<String>>::new();
    for event in &trace.events {
        let (peer, candidate, what) = match &event.kind {
            EventKind::CandidateApplied { peer, candidate, .. } => (peer, candidate, "added"),
            EventKind::CandidateRefused { peer, candidate, .. } => (peer, candidate, "LOST"),
            _ => continue,
        };
        let host = event.host.as_deref().unwrap_or_default();
        let told = by_peer.entry((host, peer)).or_default();
        told.push(format!("{candidate} {what} {}", event.at));
    }
    let line = |((host, peer), told): (&(&str, &PeerId), &Vec<String>)| match told.len() {
        0..=4 => format!("{host} {peer}: {}", told.join(", ")),
        n => format!("{host} {peer}: {}, ... and {} more", told[..4].join(", "), n - 4),
    };
    by_peer.iter().map(line).collect()
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

/// Lists every event but packets, which are counted if they pass without impairment.
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

/// Returns the kind of packet, if it was sent without anything notable.
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
    // Segments of the signaling connection surround every message: they would hide everything else.
    routine.remove("tcp");
    if routine.is_empty() {
        return;
    }
    let counts: Vec<String> = routine.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
    lines.push(format!("        ...      {}", counts.join(", ")));
    routine.clear();
}

/// The number of oracles up to which those that held are listed: more would change every story with each new one.
const LISTED: usize = 6;

/// Counts the oracles that held, or lists a few, and lists the others with their reasons.
fn oracles(record: &RunRecord) -> Vec<String> {
    let mut held = Vec::new();
    let mut lines = Vec::new();
    for (id, verdict) in &record.verdicts {
        match verdict {
            Verdict::Pass => held.push(*id),
            Verdict::Fail(violation) => lines.extend(flowed(&format!("{id} FAIL: {}", violation.why))),
            Verdict::Unknown(why) => lines.extend(flowed(&format!("{id} unknown: {why}"))),
        }
    }
    if !held.is_empty() {
        let which = match held.len() {
            few if few <= LISTED => held.join(" "),
            many => format!("{many} of {}", record.verdicts.len()),
        };
        let mut first = flowed(&format!("held: {which}"));
        first.append(&mut lines);
        return first;
    }
    lines
}

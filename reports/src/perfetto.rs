//! One run as a trace for Perfetto (ui.perfetto.dev), in the JSON format of Chrome's tracing.
//!
//! A process for each host and one for the network; in it a track for users and apps, one for messages, one for each
//! protocol's packets, one for each state machine of a peer. Packets and messages are flows from slice to slice, faults
//! are slices of the network.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sleet::run::RunRecord;

use crate::tracks::{Tracks, packets::Class};

/// The longest slice of a packet or a message, in nanoseconds: sending takes no time.
const LONGEST_NS: u64 = 50_000;

/// The tracks that every host has; those of state machines come after.
const NOTES: u64 = 1;
const MESSAGES: u64 = 2;
const PACKETS: u64 = 3;
const STATES: u64 = 20;

/// Returns the trace.
pub fn json(record: &RunRecord, tracks: &Tracks) -> String {
    let mut out = Writer {
        events: Vec::new(),
        tracks: BTreeSet::new(),
        points: BTreeMap::new(),
    };
    let network = tracks.hosts.len() as u64 + 1;
    for (i, host) in tracks.hosts.iter().enumerate() {
        out.named(i as u64 + 1, &format!("{} ({})", host.name, host.about));
    }
    out.named(network, "network");
    faults(&mut out, tracks, network);
    notes(&mut out, tracks, network);
    states(&mut out, tracks);
    messages(&mut out, tracks);
    packets(&mut out, tracks, network);
    out.finish(json!({
        "scenario": record.scenario,
        "seed": record.seed.to_string(),
        "digest": record.trace.digest.to_string(),
    }))
}

fn faults(out: &mut Writer, tracks: &Tracks, network: u64) {
    for (i, fault) in tracks.faults.iter().enumerate() {
        let tid = 100 + i as u64;
        out.track(network, tid, "fault");
        out.slice(
            (network, tid),
            fault.from_ns,
            fault.until_ns,
            &fault.name,
            "fault",
            json!({}),
        );
    }
}

fn notes(out: &mut Writer, tracks: &Tracks, network: u64) {
    for note in &tracks.notes {
        let pid = note.host.map_or(network, |host| host as u64 + 1);
        out.track(pid, NOTES, "events");
        out.events.push(json!({
            "ph": "i", "s": "t", "pid": pid, "tid": NOTES, "ts": micros(note.at_ns), "name": note.text,
            "cat": "event", "args": {"event": note.event},
        }));
    }
}

fn states(out: &mut Writer, tracks: &Tracks) {
    let mut tids = BTreeMap::<(usize, String), u64>::new();
    for band in &tracks.bands {
        let name = format!("{} {}", band.peer, band.machine);
        let next = STATES + tids.len() as u64;
        let tid = *tids.entry((band.host, name.clone())).or_insert(next);
        let pid = band.host as u64 + 1;
        out.track(pid, tid, &name);
        out.slice(
            (pid, tid),
            band.from_ns,
            band.until_ns,
            &band.state,
            "state",
            json!({"event": band.event}),
        );
    }
}

fn messages(out: &mut Writer, tracks: &Tracks) {
    for (i, message) in tracks.messages.iter().enumerate() {
        let id = format!("m{i}");
        let args = json!({"event": message.event, "arrived": message.arrived_ns.is_some()});
        out.point(
            message.from as u64 + 1,
            (MESSAGES, "messages"),
            message.sent_ns,
            &message.text,
            &args,
            Some((&id, "s")),
        );
        if let Some(at) = message.arrived_ns {
            out.point(
                message.to as u64 + 1,
                (MESSAGES, "messages"),
                at,
                &message.text,
                &args,
                Some((&id, "f")),
            );
        }
    }
}

fn packets(out: &mut Writer, tracks: &Tracks, network: u64) {
    for packet in &tracks.packets {
        let track = (PACKETS + packet.class as u64, name_of(packet.class));
        let fates: Vec<&str> = packet.fates.iter().map(|f| f.text.as_str()).collect();
        let args = json!({
            "packet": packet.id, "event": packet.event, "flow": packet.flow, "bytes": packet.len, "fates": fates,
        });
        let arrivals = packet.arrived_ns.iter().map(|at| (packet.to, *at));
        let lost = packet.fates.iter().filter(|f| f.dropped).map(|f| (None, f.at_ns));
        let ends: Vec<(Option<usize>, u64)> = arrivals.chain(lost).collect();
        for (n, (to, at)) in ends.iter().enumerate() {
            // Each copy has a flow of its own.
            let id = format!("p{}.{n}", packet.id);
            out.point(
                packet.from as u64 + 1,
                track,
                packet.sent_ns,
                &packet.says,
                &args,
                Some((&id, "s")),
            );
            match to {
                Some(to) => out.point(*to as u64 + 1, track, *at, &packet.says, &args, Some((&id, "f"))),
                None => out.point(
                    network,
                    (PACKETS, "dropped"),
                    *at,
                    &packet.says,
                    &args,
                    Some((&id, "f")),
                ),
            }
        }
        if ends.is_empty() {
            out.point(
                packet.from as u64 + 1,
                track,
                packet.sent_ns,
                &packet.says,
                &args,
                None,
            );
        }
    }
}

fn name_of(class: Class) -> &'static str {
    match class {
        Class::Check => "connectivity checks",
        Class::Turn => "STUN and TURN servers",
        Class::Dtls => "DTLS",
        Class::Signaling => "signaling segments",
        Class::Data => "other packets",
    }
}

/// An event at one point in time, which is drawn as a short slice so that flows can begin and end there.
struct Point {
    at_ns: u64,
    name: String,
    args: Value,
    flow: Option<(String, &'static str)>,
}

struct Writer {
    events: Vec<Value>,
    tracks: BTreeSet<(u64, u64)>,
    points: BTreeMap<(u64, u64), Vec<Point>>,
}

impl Writer {
    fn named(&mut self, pid: u64, name: &str) {
        self.events
            .push(json!({"ph": "M", "pid": pid, "name": "process_name", "args": {"name": name}}));
        self.events
            .push(json!({"ph": "M", "pid": pid, "name": "process_sort_index", "args": {"sort_index": pid}}));
    }

    fn track(&mut self, pid: u64, tid: u64, name: &str) {
        if self.tracks.insert((pid, tid)) {
            self.events.push(
                json!({"ph": "M", "pid": pid, "tid": tid, "name": "thread_name", "args": {"name": name}}),
            );
        }
    }

    fn slice(
        &mut self,
        (pid, tid): (u64, u64),
        from_ns: u64,
        until_ns: u64,
        name: &str,
        cat: &str,
        args: Value,
    ) {
        self.events.push(json!({
            "ph": "X", "pid": pid, "tid": tid, "ts": micros(from_ns), "dur": micros(until_ns.saturating_sub(from_ns)),
            "name": name, "cat": cat, "args": args,
        }));
    }

    fn point(
        &mut self,
        pid: u64,
        (tid, track): (u64, &str),
        at_ns: u64,
        name: &str,
        args: &Value,
        flow: Option<(&str, &'static str)>,
    ) {
        self.track(pid, tid, track);
        self.points.entry((pid, tid)).or_default().push(Point {
            at_ns,
            name: name.to_owned(),
            args: args.clone(),
            flow: flow.map(|(id, ph)| (id.to_owned(), ph)),
        });
    }

    /// Writes the slices. Slices of a track must not overlap unless one is inside the other: each is shorter than the
    /// time to the next.
    fn finish(mut self, about: Value) -> String {
        for ((pid, tid), mut points) in std::mem::take(&mut self.points) {
            points.sort_by_key(|p| p.at_ns);
            for (i, point) in points.iter().enumerate() {
                let next = points[i..].iter().find(|p| p.at_ns > point.at_ns);
                let until = next.map_or(u64::MAX, |p| p.at_ns).min(point.at_ns + LONGEST_NS);
                self.slice(
                    (pid, tid),
                    point.at_ns,
                    until,
                    &point.name,
                    "wire",
                    point.args.clone(),
                );
                let Some((id, ph)) = &point.flow else { continue };
                self.events.push(json!({
                    "ph": ph, "bp": "e", "id": id, "pid": pid, "tid": tid, "ts": micros(point.at_ns), "name": "flow",
                    "cat": "flow",
                }));
            }
        }
        let whole = json!({"displayTimeUnit": "ms", "otherData": about, "traceEvents": self.events});
        serde_json::to_string(&whole).expect("JSON is written to memory") + "\n"
    }
}

/// Converts to the unit of the format, microseconds, with nanoseconds after the point.
fn micros(ns: u64) -> f64 {
    ns as f64 / 1_000.0
}

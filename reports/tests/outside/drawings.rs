//! Diagrams and traces: Mermaid's own parser, the rules of Chrome's trace format, the reading of an rtcstats dump.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
};

use serde_json::Value;
use sleet_reports::{mermaid, perfetto, rtcstats, tracks::Tracks};

use crate::{
    runs::{self, Run},
    tools,
};

/// Mermaid wants a browser's document even where it only parses.
const PARSE: &str = "
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import fs from 'node:fs';
const [modules, ...files] = process.argv.slice(2);
const require = createRequire(modules + '/');
const { JSDOM } = require('jsdom');
const dom = new JSDOM('<!doctype html><body></body>');
globalThis.window = dom.window;
globalThis.document = dom.window.document;
const { default: mermaid } = await import(pathToFileURL(modules + '/mermaid/dist/mermaid.core.mjs'));
for (const file of files) {
    const { diagramType } = await mermaid.parse(fs.readFileSync(file, 'utf8'));
    console.log(diagramType);
}
";

fn told() -> Vec<(&'static str, Run)> {
    vec![
        (
            "push",
            runs::find("candidates/naive-push", |r| r.failure().is_some()),
        ),
        ("chaos", runs::find("chaos/buffer-both", runs::drops)),
        ("relay", runs::find("nat/full-peers", runs::relayed)),
        ("groups", runs::find("calls/groups", |_| true)),
    ]
}

#[test]
fn mermaid_parses_every_diagram_and_github_draws_them() {
    let folder = tools::folder("mermaid");
    let mut files = Vec::new();
    for (name, run) in told() {
        let diagram = mermaid::diagram(&run.record, &Tracks::of(&run.record));
        assert!(
            diagram.lines().count() < 120,
            "{name}: {} lines",
            diagram.lines().count()
        );
        assert!(
            diagram.len() < 20_000,
            "{name}: {} bytes, of 50,000 that GitHub draws",
            diagram.len()
        );
        let file = folder.join(format!("{name}.mmd"));
        fs::write(&file, diagram).expect("it is written");
        files.push(file);
    }
    let Some(modules) = tools::node_module("mermaid") else {
        return tools::skipped("Mermaid parses every diagram", "mermaid");
    };
    let script = folder.join("parse.mjs");
    fs::write(&script, PARSE).expect("it is written");
    let said = tools::output(Command::new("node").arg(script).arg(modules).args(&files));
    assert_eq!(
        said.lines().filter(|l| *l == "sequence").count(),
        files.len(),
        "{said}"
    );
}

#[test]
fn a_trace_keeps_the_rules_of_its_format() {
    for (name, run) in told() {
        let made = perfetto::json(&run.record, &Tracks::of(&run.record));
        let trace: Value = serde_json::from_str(&made).expect("JSON");
        let events = trace["traceEvents"].as_array().expect("events");
        let mut slices = BTreeMap::<(u64, u64), Vec<(f64, f64)>>::new();
        let mut flows = BTreeMap::<(&str, &str), Vec<(&str, f64)>>::new();
        let mut named = BTreeSet::new();
        for event in events {
            let place = (
                event["pid"].as_u64().expect("a process"),
                event["tid"].as_u64().unwrap_or(0),
            );
            let ts = event["ts"].as_f64();
            match event["ph"].as_str().expect("a phase") {
                "M" => drop(named.insert((place, event["name"].as_str()))),
                "X" => {
                    let dur = event["dur"].as_f64().expect("a duration");
                    assert!(
                        dur >= 0.0 && !event["name"].as_str().unwrap_or_default().is_empty(),
                        "{event}"
                    );
                    slices.entry(place).or_default().push((ts.expect("a time"), dur));
                }
                "i" => assert!(ts.is_some() && event["s"] == "t", "{event}"),
                flow @ ("s" | "f") => {
                    let id = event["id"].as_str().expect("an id");
                    flows
                        .entry((id, "flow"))
                        .or_default()
                        .push((flow, ts.expect("a time")));
                }
                other => panic!("{name}: a phase '{other}'"),
            }
        }
        for (place, mut of_track) in slices {
            assert!(
                named.contains(&(place, Some("thread_name"))),
                "{name}: the track {place:?} has a name"
            );
            of_track.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
            for pair in of_track.windows(2) {
                let (end, next_end) = (pair[0].0 + pair[0].1, pair[1].0 + pair[1].1);
                let apart = pair[1].0 >= end - 1e-6;
                assert!(
                    apart || next_end <= end + 1e-6,
                    "{name}: slices cross on {place:?}: {pair:?}"
                );
            }
        }
        for (id, ends) in flows {
            let begins = ends.iter().filter(|(ph, _)| *ph == "s").count();
            assert!(
                begins == 1 && ends.len() <= 2,
                "{name}: the flow {id:?}: {ends:?}"
            );
            if let [("s", from), ("f", to)] = ends[..] {
                assert!(from <= to, "{name}: the flow {id:?} goes back in time");
            }
        }
    }
}

#[test]
fn a_dump_is_read_as_its_importers_read_it() {
    for (name, run) in told() {
        let made = rtcstats::dump(&run.record, &Tracks::of(&run.record));
        let mut lines = made.lines();
        assert_eq!(lines.next(), Some("RTCStatsDump"));
        let about: Value = serde_json::from_str(lines.next().expect("metadata")).expect("JSON");
        assert!(about.is_object() && about["fileFormat"] == 3, "{about}");
        let (mut time, mut connections) = (0, BTreeMap::<String, BTreeSet<String>>::new());
        for line in lines {
            let entry: Vec<Value> = serde_json::from_str(line).expect("an array");
            let [method, connection, .., delta] = &entry[..] else {
                panic!("{line}")
            };
            time += delta.as_u64().expect("time does not go back");
            let methods = connections
                .entry(connection.as_str().unwrap_or_default().into())
                .or_default();
            methods.insert(method.as_str().unwrap_or_default().into());
        }
        assert!(time > 1_767_225_600_000, "times are those of the calendar");
        assert!(connections.len() >= 2, "{name}: {connections:?}");
        for methods in connections.values() {
            assert!(methods.contains("create"), "{name}: {methods:?}");
        }
    }
}

//! `shrink` and `replay --diff`, end to end.

use std::{fs, path::Path};

use sleet::{run::repro::Repro, shrink::Inventory};
use tempfile::TempDir;

use crate::{all_output as text, code, xtask};

/// Shrinks `what` into a file and reads it.
fn shrunk(what: &str, more: &[&str], file: &Path) -> (String, Repro) {
    let path = file.to_str().expect("UTF-8");
    let output = xtask(&[&["shrink", what, "--budget", "10m", "--out", path], more].concat());
    assert_eq!(code(&output), 0, "{}", text(&output));
    let json = fs::read_to_string(file).expect("a repro");
    (text(&output), Repro::parse(&json).expect("a repro"))
}

#[test]
fn a_storm_of_more_than_forty_elements_is_shrunk_to_four_at_most() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("repro.json");
    let (text, small) = shrunk("chaos/no-recovery@137", &[], &file);
    let elements = Inventory::of(&small.plan);
    assert!(elements.elements().len() <= 4, "{text}");
    assert_eq!(small.oracle.as_deref(), Some("CONN-01"));
    let before: usize = text
        .split(": ")
        .find_map(|part| part.split_once(" elements shrunk")?.0.parse().ok())
        .expect("it says how many there were");
    assert!(before >= 40, "{text}");
    let replay = xtask(&["replay", file.to_str().expect("UTF-8"), "--host", "alice"]);
    assert_eq!(code(&replay), 0, "{}", crate::all_output(&replay));
    assert!(
        crate::all_output(&replay).contains("(as saved)"),
        "{}",
        crate::all_output(&replay)
    );
}

#[test]
fn the_smallest_plan_does_not_depend_on_the_threads_and_shrinks_no_further() {
    let folder = TempDir::new().expect("a folder");
    let file = |name: &str| folder.path().join(name);
    let (_, one) = shrunk("candidates/naive@5", &["--jobs", "1"], &file("1.json"));
    let (_, three) = shrunk("candidates/naive@5", &["--jobs", "3"], &file("3.json"));
    assert_eq!(one, three);
    let again = file("1.json");
    let (text, same) = shrunk(again.to_str().expect("UTF-8"), &[], &file("again.json"));
    assert_eq!(same.plan, one.plan, "{text}");
}

#[test]
fn what_does_not_fail_cannot_be_shrunk() {
    let output = xtask(&["shrink", "candidates/buffer-both@0"]);
    assert_eq!(code(&output), 123, "{}", text(&output));
    assert!(text(&output).contains("nothing to shrink"), "{}", text(&output));
    let output = xtask(&["shrink", "candidates/naive@5", "--budget", "soon"]);
    assert_eq!(code(&output), 2, "{}", text(&output));
}

#[test]
fn a_diff_shows_the_first_event_in_which_two_runs_differ() {
    let output = xtask(&["replay", "candidates/naive@5", "--diff", "candidates/naive@5"]);
    assert_eq!(code(&output), 0, "{}", text(&output));
    let output = xtask(&["replay", "candidates/naive@5", "--diff", "candidates/naive@6"]);
    assert_eq!(code(&output), 120, "{}", text(&output));
    let text = text(&output);
    assert!(
        text.contains("candidates/naive@5 and candidates/naive@6 differ first in event"),
        "{text}"
    );
    for side in ["\n< candidates/naive@5\n", "\n> candidates/naive@6\n"] {
        assert!(text.contains(side), "{text}");
    }
}

#[test]
fn a_changed_trace_is_found_by_a_diff_with_its_file() {
    let folder = TempDir::new().expect("a folder");
    let events = xtask(&["replay", "candidates/naive@5", "--json"]);
    let events = String::from_utf8(events.stdout).expect("UTF-8");
    let mut lines: Vec<String> = events.lines().map(str::to_owned).collect();
    let changed = lines.len() / 2;
    let at = |line: &str| line.find("\"at_ns\":").map(|at| at + "\"at_ns\":".len());
    let place = at(&lines[changed]).expect("events have times");
    lines[changed].insert(place, '9');
    let path = folder.path().join("trace.jsonl");
    fs::write(&path, lines.join("\n")).expect("written");
    let path = path.to_str().expect("UTF-8");
    let output = xtask(&["replay", "candidates/naive@5", "--diff", path]);
    assert_eq!(code(&output), 120, "{}", text(&output));
    let named = format!("differ first in event {changed};");
    assert!(text(&output).contains(&named), "{}", text(&output));
}

//! `sweep`, end to end.

use std::{fs, path::PathBuf};

use tempfile::TempDir;

use crate::{all_output, code, replays_and_shrinks, stdout, text, xtask};

#[test]
fn a_call_that_keeps_its_promise_is_swept_the_same_on_any_number_of_workers() {
    let folder = TempDir::new().expect("a folder");
    let swept = |jobs: &str| {
        let (file, out) = (
            folder.path().join(format!("{jobs}.json")),
            folder.path().join(jobs),
        );
        let args = ["sweep", "sweep/host@1", "--pairs", "20", "--jobs", jobs];
        let output = xtask(&[&args[..], &["--json", text(&file), "--out", text(&out)]].concat());
        assert_eq!(code(&output), 0, "{}", all_output(&output));
        (stdout(&output), fs::read_to_string(file).expect("results"))
    };
    let (one, two) = (swept("1"), swept("2"));
    assert_eq!(one, two);
    let results: serde_json::Value = serde_json::from_str(&one.1).expect("a line of JSON");
    let singles = results["singles"].as_array().expect("results");
    assert!(singles.len() > 100, "{}", singles.len());
    assert_eq!(results["pairs"].as_array().map(Vec::len), Some(20));
    let whats: Vec<&str> = singles.iter().filter_map(|s| s["what"][0].as_str()).collect();
    for what in [
        "the 1st offer of alice lost",
        "the 1st Binding request, controlling, host-host of alice doubled",
    ] {
        assert!(whats.contains(&what), "{what} is not among {whats:?}");
    }
}

#[test]
fn what_a_call_cannot_do_without_is_named_and_saved_for_replay_shrink_and_explain() {
    let folder = TempDir::new().expect("a folder");
    // Nothing is sent again here.
    let output = xtask(&[
        "sweep",
        "candidates/buffer-both@1",
        "--pairs",
        "0",
        "--out",
        text(folder.path()),
    ]);
    let told = all_output(&output);
    assert_eq!(code(&output), 100, "{told}");
    let (_, from_offer) = told
        .split_once("\n  the 1st offer of alice lost\n    breaks ")
        .unwrap_or_else(|| panic!("{told}"));
    let command = from_offer
        .lines()
        .find(|l| l.contains(" replay "))
        .expect("a command");
    let file = command.split(" replay ").nth(1).expect("a path").trim();
    let small: PathBuf = folder.path().join("small.json");
    replays_and_shrinks(file, &small, "200");
    let explained = xtask(&["explain", text(&small), "--tries", "200"]);
    assert_eq!(code(&explained), 0, "{}", all_output(&explained));
    assert!(
        all_output(&explained).contains("message"),
        "{}",
        all_output(&explained)
    );
}

#[test]
fn a_plan_that_takes_its_process_down_is_a_result_like_any_other() {
    let folder = TempDir::new().expect("a folder");
    let output = xtask(&["sweep", "selftest/dies-of-a-loss@0", "--out", text(folder.path())]);
    let told = all_output(&output);
    assert_eq!(code(&output), 100, "{told}");
    assert!(
        told.contains("the 1st data of alice lost\n    the run dies: "),
        "{told}"
    );
    assert!(told.contains("| held"), "what is doubled does no harm: {told}");
}

#[test]
fn what_is_no_good_run_is_not_swept() {
    let output = xtask(&["sweep", "candidates/naive@5"]);
    assert_eq!(code(&output), 2, "{}", all_output(&output));
    assert!(all_output(&output).contains("CONN-01"), "{}", all_output(&output));
    let nothing = xtask(&["sweep"]);
    assert_eq!(code(&nothing), 2, "{}", all_output(&nothing));
}

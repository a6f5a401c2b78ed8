//! `search`, end to end.

use std::fs;

use tempfile::TempDir;

use crate::{all_output, code, replays_and_shrinks, stdout, text, xtask};

/// The file that the first replay line of `told` names.
fn saved(told: &str) -> &str {
    let line = told.lines().find_map(|line| line.strip_prefix("replay: "));
    let file = line.and_then(|command| command.split(" replay ").nth(1));
    file.unwrap_or_else(|| panic!("no replay line in {told}")).trim()
}

#[test]
fn a_planted_mistake_is_found_and_what_is_saved_replays_and_shrinks() {
    let folder = TempDir::new().expect("a folder");
    let args = [
        "search",
        "=calls/candidates-by-user",
        "--runs",
        "80",
        "--out",
        text(folder.path()),
    ];
    let output = xtask(&args);
    let told = stdout(&output);
    assert_eq!(code(&output), 100, "{}", all_output(&output));
    assert!(
        told.contains("CAND-02") && told.contains("events in order"),
        "{told}"
    );
    let file = saved(&told);
    replays_and_shrinks(file, &folder.path().join("small.json"), "100");

    let repro = fs::read_to_string(file).expect("a saved failure");
    let again = xtask(&args);
    assert_eq!(stdout(&again), told, "the same search finds the same");
    assert_eq!(fs::read_to_string(file).expect("a saved failure"), repro);
}

#[test]
fn a_promise_that_is_kept_leaves_nothing_and_both_strategies_say_what_they_reached() {
    let folder = TempDir::new().expect("a folder");
    for strategy in ["guided", "swarm"] {
        let args = [
            "search",
            "=calls/rapid",
            "--runs",
            "12",
            "--strategy",
            strategy,
            "--out",
            text(folder.path()),
        ];
        let output = xtask(&args);
        assert_eq!(code(&output), 0, "{}", all_output(&output));
        assert!(
            stdout(&output).contains("calls/rapid: 12 runs"),
            "{}",
            stdout(&output)
        );
        let left = fs::read_dir(folder.path().join("calls-rapid.0")).expect("a folder");
        assert_eq!(left.count(), 0);
    }
}

#[test]
fn what_cannot_be_searched_is_refused() {
    let nothing = xtask(&["search", "no-such-family"]);
    assert_eq!(code(&nothing), 4, "{}", all_output(&nothing));
    for args in [["--strategy", "random"], ["--jobs", "0"]] {
        let output = xtask(&[&["search", "calls"], &args[..]].concat());
        assert_eq!(code(&output), 2, "{}", all_output(&output));
    }
}

#[test]
fn a_plan_that_cannot_be_drawn_costs_its_seed() {
    let folder = TempDir::new().expect("a folder");
    let scenario = "=selftest/draws-nothing";
    let limits = [
        "--runs",
        "3",
        "--seed",
        "999",
        "--strategy",
        "swarm",
        "--keep-going",
    ];
    let output = xtask(&[&["search", scenario, "--out", text(folder.path())][..], &limits].concat());
    let told = stdout(&output);
    assert_eq!(code(&output), 100, "{}", all_output(&output));
    assert!(told.contains("run 2: ") && told.contains("on purpose"), "{told}");
    assert!(told.contains("selftest/draws-nothing: 3 runs"), "{told}");
}

#[test]
fn a_plan_that_takes_its_process_down_is_a_find_and_the_search_goes_on() {
    let folder = TempDir::new().expect("a folder");
    let names = ["=selftest/aborts", "=calls/rapid"];
    let limits = ["--runs", "2", "--jobs", "2", "--keep-going"];
    let args = [&["search"], &names[..], &limits, &["--out", text(folder.path())]].concat();
    let output = xtask(&args);
    let told = stdout(&output);
    assert_eq!(code(&output), 100, "{}", all_output(&output));
    assert!(told.contains("died of SIGABRT"), "{told}");
    assert!(told.contains("in 2 of them"), "each kind is told once: {told}");
    assert!(told.contains("calls/rapid: 2 runs"), "{told}");
    let replay = xtask(&["replay", saved(&told)]);
    assert!(
        all_output(&replay).contains("died of SIGABRT"),
        "{}",
        all_output(&replay)
    );
}

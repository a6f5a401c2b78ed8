//! `search`, end to end.

use std::{fs, path::PathBuf};

use tempfile::TempDir;

use crate::{all_output, code, stdout, text, xtask};

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
    let replay = xtask(&["replay", file]);
    assert_eq!(code(&replay), 0, "{}", all_output(&replay));
    assert!(
        all_output(&replay).contains("(as saved)"),
        "{}",
        all_output(&replay)
    );
    let small: PathBuf = folder.path().join("small.json");
    let shrunk = xtask(&["shrink", file, "--tries", "100", "--out", text(&small)]);
    assert_eq!(code(&shrunk), 0, "{}", all_output(&shrunk));

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
    for args in [&["search"][..], &["search", "calls", "--strategy", "random"]] {
        let output = xtask(args);
        assert_eq!(code(&output), 2, "{}", all_output(&output));
    }
}

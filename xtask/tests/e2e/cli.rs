//! The command line, end to end: what it prints, what it leaves, and how it exits.

use std::{fs, path::Path};

use tempfile::TempDir;

use crate::{code, run, stderr, stdout, xtask};

/// `scenario@seed digest` of every run in a folder, sorted.
fn digests(folder: &Path) -> Vec<String> {
    let results = fs::read_to_string(folder.join("results.jsonl")).expect("results");
    let line = |line: &str| {
        let v: serde_json::Value = serde_json::from_str(line).expect("JSON");
        format!("{}@{} {}", v["scenario"], v["seed"], v["digest"])
    };
    let mut digests: Vec<String> = results.lines().map(line).collect();
    digests.sort();
    digests
}

#[test]
fn a_suite_leaves_its_files_and_a_table() {
    let (output, folder) = run(&[
        "candidates/naive",
        "candidates/buffer-both",
        "--seeds",
        "0..10",
        "--verbose",
    ]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    for file in [
        "manifest.json",
        "started.jsonl",
        "results.jsonl",
        "summary.json",
        "summary.md",
    ] {
        assert!(folder.path().join(file).is_file(), "{file}");
    }
    let failure = folder.path().join("fail/candidates-naive.5");
    for file in ["repro.json", "trace.jsonl", "report.txt"] {
        assert!(failure.join(file).is_file(), "{file}");
    }
    assert!(stdout(&output).contains("95 % interval"), "{}", stdout(&output));
    assert!(
        !stdout(&output).contains('\u{1b}'),
        "no escape codes where there is no terminal"
    );
    let manifest = fs::read_to_string(folder.path().join("manifest.json")).expect("a manifest");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    assert!(
        manifest["lock_file"]
            .as_str()
            .is_some_and(|hash| hash.starts_with("b3:"))
    );
    assert_eq!(manifest["versions"]["webrtc"], "0.17.2");
}

#[test]
fn a_suite_ends_with_one_screen() {
    let (output, _folder) = run(&["candidates", "calls", "findings", "--seeds", "0..2"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let screen = stdout(&output);
    assert!(screen.lines().count() <= 40, "{screen}");
    assert!(
        screen.contains("| candidates |"),
        "a line for each family: {screen}"
    );
    assert!(
        !screen.contains("95 % interval"),
        "tables are in summary.md: {screen}"
    );
    assert!(screen.contains("summary.md (or --verbose)"), "{screen}");
    for line in screen.lines().filter(|line| line.starts_with('|')) {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn a_filter_is_a_prefix_or_a_whole_name() {
    let runs = |filter: &str| {
        let (output, folder) = run(&[filter, "--seeds", "0..1"]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        digests(folder.path()).len()
    };
    assert!(runs("candidates/buffer-both") > 1);
    assert_eq!(runs("=candidates/buffer-both"), 1);
    let (output, _folder) = run(&["=candidates/buffer"]);
    assert_eq!(code(&output), 4, "{}", stderr(&output));
    assert!(
        stderr(&output).contains("no scenario is called 'candidates/buffer'"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_timeline_fits_a_terminal_of_100_columns() {
    for what in ["candidates/naive@5", "calls/groups@0"] {
        let output = xtask(&["replay", what]);
        let timeline = stdout(&output);
        assert!(timeline.lines().count() > 20, "{what}: {}", stderr(&output));
        for line in timeline.lines().chain(stderr(&output).lines()) {
            // A word that is wider than the terminal stays whole.
            let words = line.split_whitespace().filter(|w| *w != "|").count();
            assert!(line.chars().count() <= 100 || words <= 1, "{what}: {line}");
        }
    }
}

#[test]
fn a_memory_limit_below_what_the_program_needs_is_refused_at_once() {
    let (output, _folder) = run(&["candidates/naive", "--seeds", "0..1", "--memory-limit", "24"]);
    assert_eq!(code(&output), 2, "{}", stderr(&output));
    assert!(
        stderr(&output).contains("--memory-limit 24 is too small to run anything: this program needs"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn what_takes_its_process_down_is_replayed_to_its_end() {
    let output = xtask(&["replay", "selftest/aborts@1"]);
    assert_eq!(code(&output), 100, "{}", stderr(&output));
    assert!(
        stdout(&output).contains("about to do what no"),
        "{}",
        stdout(&output)
    );
    assert!(
        stderr(&output).contains("its process died of SIGABRT"),
        "{}",
        stderr(&output)
    );
    let (_, folder) = run(&["=selftest/aborts", "--seeds", "1..2"]);
    let saved = folder.path().join("fail/selftest-aborts.1/repro.json");
    let output = xtask(&["replay", saved.to_str().expect("UTF-8")]);
    assert_eq!(code(&output), 0, "as it was saved: {}", stderr(&output));
    let output = xtask(&["shrink", "selftest/aborts@1"]);
    assert_eq!(code(&output), 2, "{}", stderr(&output));
    assert!(
        stderr(&output).contains("cannot be shrunk"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_plan_that_cannot_be_drawn_costs_its_seed() {
    let (output, folder) = run(&["=selftest/draws-nothing", "--seeds", "999..1002"]);
    assert_eq!(code(&output), 100, "{}", stderr(&output));
    let results = fs::read_to_string(folder.path().join("results.jsonl")).expect("results");
    let outcomes: Vec<serde_json::Value> = results
        .lines()
        .map(|l| serde_json::from_str(l).expect("JSON"))
        .collect();
    let outcomes: Vec<&str> = outcomes
        .iter()
        .map(|r| r["outcome"].as_str().expect("text"))
        .collect();
    assert_eq!(outcomes, ["pass", "error", "pass"], "{results}");
    assert!(
        results.contains("no plan could be drawn: a panic at scenarios/src/selftest.rs:")
            && results.contains("on purpose"),
        "{results}"
    );
    assert_eq!(code(&xtask(&["replay", "selftest/draws-nothing@1000"])), 100);
}

#[test]
fn digests_do_not_depend_on_jobs_process_order_or_subset() {
    let (_, one) = run(&["candidates/buffer-receiver", "--seeds", "0..12", "--jobs", "1"]);
    let (_, two) = run(&["candidates/buffer-receiver", "--seeds", "0..12", "--jobs", "2"]);
    assert_eq!(digests(one.path()), digests(two.path()));
    let (_, few) = run(&["candidates/buffer-receiver-bare", "--seed", "11", "--seed", "0x3"]);
    let few = digests(few.path());
    assert_eq!(few.len(), 2);
    for line in few {
        assert!(digests(one.path()).contains(&line), "{line}");
    }
}

#[test]
fn a_client_that_keeps_state_across_runs_is_caught() {
    let (output, _folder) = run(&[
        "selftest/nondeterministic",
        "--seeds",
        "0..2",
        "--verify-determinism",
        "--verbose",
        "--jobs",
        "1",
    ]);
    assert_eq!(code(&output), 120, "{}", stderr(&output));
    let text = stdout(&output);
    assert!(
        text.contains("differ first in event") && text.contains("run 0 of this process"),
        "{text}"
    );
}

#[test]
fn a_panic_and_an_endless_story_are_named() {
    let (output, folder) = run(&["selftest/panics", "selftest/never-ends", "--seeds", "0..1"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let results = fs::read_to_string(folder.path().join("results.jsonl")).expect("results");
    assert!(
        results.contains("a task of alice panicked at scenarios/src/selftest.rs"),
        "{results}"
    );
    assert!(results.contains("task of bob: orphan"), "{results}");
}

#[test]
fn bad_input_is_named() {
    let cases: [(&[&str], i32, &str); 9] = [
        (&["run", "nonsense"], 4, "no scenario begins with 'nonsense'"),
        (&["run", "--seeds", "5..5"], 2, "is not a range of seeds"),
        (&["run", "--seeds", "a..b"], 2, "'a' is not a seed"),
        (&["run", "--seed", "twelve"], 2, "'twelve' is not a seed"),
        (&["run", "--jobs", "0"], 2, "--jobs"),
        (&["replay", "candidates/naive"], 2, "neither SCENARIO@SEED nor"),
        (
            &["replay", "candidates/none@1"],
            2,
            "there is no scenario 'candidates/none'",
        ),
        (
            &["replay", "nowhere/repro.json"],
            2,
            "cannot read 'nowhere/repro.json'",
        ),
        (
            &["replay", "candidates/naive@1", "--host", "carol"],
            2,
            "there is no host 'carol'",
        ),
    ];
    for (args, exit, says) in cases {
        let output = xtask(args);
        assert_eq!(
            (code(&output), stderr(&output).contains(says)),
            (exit, true),
            "{args:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn an_unwritable_folder_is_refused_before_anything_runs() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "in the way").expect("written");
    let out = file.join("below").to_str().expect("UTF-8").to_owned();
    let output = xtask(&["run", "--out", &out, "--seeds", "0..1"]);
    assert_eq!(code(&output), 2);
    assert!(
        stderr(&output).contains("choose another folder with --out"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn the_list_names_kinds_oracles_and_marks() {
    let output = xtask(&["list", "--json"]);
    let listing: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let scenarios = listing["scenarios"].as_array().expect("an array");
    assert!(scenarios.iter().all(|s| s["kind"] != "selftest"));
    let push = scenarios
        .iter()
        .find(|s| s["name"] == "candidates/buffer-sender-push")
        .expect("it is there");
    assert_eq!(push["marks_required"][0], "push-woke-callee");
    assert!(stdout(&xtask(&["list", "--all"])).contains("selftest/panics"));
}

/// A process makes some tables once, when a run first needs them. On these seeds that showed.
#[test]
fn the_first_run_of_a_process_is_like_every_other() {
    let scenario = "chaos/buffer-both-nat";
    let (_, together) = run(&[
        scenario, "--seed", "1", "--seed", "8", "--seed", "35", "--jobs", "1",
    ]);
    let together = digests(together.path());
    for seed in ["8", "35"] {
        let (_, alone) = run(&[scenario, "--seed", seed, "--jobs", "1"]);
        let alone = digests(alone.path());
        assert!(!alone.is_empty(), "seed {seed}");
        assert!(
            alone.iter().all(|run| together.contains(run)),
            "{alone:?} {together:?}"
        );
    }
}

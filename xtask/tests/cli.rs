//! The command line, end to end: what it prints, what it leaves, and how it exits.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use tempfile::TempDir;

fn xtask(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(args)
        .output()
        .expect("it starts")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it exits by itself")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs `args` into a fresh folder.
fn run(args: &[&str]) -> (Output, TempDir) {
    let folder = TempDir::new().expect("a folder");
    let out = folder.path().to_str().expect("UTF-8").to_owned();
    let output = xtask(&[&["run", "--out", &out], args].concat());
    (output, folder)
}

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
    let (output, folder) = run(&["candidates/naive", "candidates/buffer-both", "--seeds", "0..10"]);
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
fn a_replay_ends_with_a_matching_digest() {
    let output = xtask(&["replay", "candidates/naive@5"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(
        stderr(&output).contains("digest matches b3:"),
        "{}",
        stderr(&output)
    );
    assert!(stdout(&output).contains("| network"), "{}", stdout(&output));
    let json = xtask(&[
        "replay",
        "candidates/naive@5",
        "--json",
        "--host",
        "alice",
        "--until",
        "1",
    ]);
    for line in stdout(&json).lines() {
        let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert!(event["host"].is_null() || event["host"] == "alice", "{event}");
        assert!(event["at_ns"].as_u64() <= Some(1_000_000_000), "{event}");
    }
}

#[test]
fn a_saved_failure_replays_and_what_is_wrong_with_one_is_said() {
    let (_, folder) = run(&["candidates/naive", "--seed", "5"]);
    let saved = folder.path().join("fail/candidates-naive.5/repro.json");
    let replay = |path: &Path| xtask(&["replay", path.to_str().expect("UTF-8")]);
    let output = replay(&saved);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("(as saved)"), "{}", stderr(&output));

    let text = fs::read_to_string(&saved).expect("saved");
    let broken = folder.path().join("broken.json");
    let cases = [
        (text[..text.len() / 2].to_owned(), 2, "not a saved failure"),
        (
            text.replacen("\"v\": 1", "\"v\": 9", 1),
            2,
            "version 9 of the format",
        ),
        (
            text.replace("\"plan\": {\n    \"v\": 2", "\"plan\": {\n    \"v\": 8"),
            2,
            "plan.v: the plan is of version 8",
        ),
        (
            text.replace("\"host\": \"bob\"", "\"host\": \"carol\""),
            2,
            "plan.script[1].host: there is no host 'carol'",
        ),
        (
            text.replace("candidates/naive", "candidates/none"),
            2,
            "there is no scenario 'candidates/none'",
        ),
        (text.replace("CONN-01", "CAND-01"), 123, "not reproduced"),
        (
            text.replacen("\"digest\": \"b3:", "\"digest\": \"b3:0000", 1)
                .replacen(|_: char| false, "", 0),
            2,
            "is not a digest",
        ),
    ];
    for (text, exit, says) in cases {
        fs::write(&broken, text).expect("written");
        let output = replay(&broken);
        assert_eq!(
            (code(&output), stderr(&output).contains(says)),
            (exit, true),
            "{says}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn a_replay_that_takes_another_path_names_the_first_divergent_event() {
    let (_, folder) = run(&["candidates/naive", "--seed", "5"]);
    let failure = folder.path().join("fail/candidates-naive.5");
    let (repro, trace) = (failure.join("repro.json"), failure.join("trace.jsonl"));
    let text = fs::read_to_string(&repro).expect("saved");
    let digest = text
        .lines()
        .find(|l| l.contains("\"digest\""))
        .expect("a digest")
        .to_owned();
    let other = format!("  \"digest\": \"b3:{}\",", "0".repeat(64));
    fs::write(&repro, text.replace(&digest, &other)).expect("written");
    let events =
        fs::read_to_string(&trace)
            .expect("saved")
            .replacen("\"step\":\"online\"", "\"step\":\"offline\"", 1);
    fs::write(&trace, events).expect("written");
    let output = xtask(&["replay", repro.to_str().expect("UTF-8")]);
    assert_eq!(code(&output), 120, "{}", stderr(&output));
    assert!(
        stderr(&output).contains("differ first in event") && stderr(&output).contains("offline"),
        "{}",
        stderr(&output)
    );
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

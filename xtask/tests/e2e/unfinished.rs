//! Suites that end before they are done, and go on later: out of time, out of room, cut off, or another one's.

use std::{
    fs,
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::{PROGRAM, code, command, lines, outcome, stderr, text, workers::results, xtask};

#[test]
fn a_suite_that_another_one_left_is_not_resumed() {
    let folder = TempDir::new().expect("a folder");
    let out = text(folder.path());
    let first = xtask(&[
        "run",
        "candidates/naive",
        "--seeds",
        "0..3",
        "--out",
        out,
        "--resume",
    ]);
    assert!(stderr(&first).contains("nothing to resume"), "{}", stderr(&first));
    let cases: [(&[&str], &str); 4] = [
        (
            &["candidates/naive", "--seeds", "0..4"],
            "seeds of candidates/naive: 0..3 there, 0..4 here",
        ),
        (
            &["candidates/retry", "--seeds", "0..3"],
            "seeds of candidates/naive: 0..3 there, not at all here",
        ),
        (
            &["candidates/naive", "--seeds", "0..3", "--shard", "1/2"],
            "--shard: 1/1 there, 1/2 here",
        ),
        (
            &["candidates/naive", "--seeds", "0..3", "--verify-determinism"],
            "--verify-determinism: false there, true here",
        ),
    ];
    for (args, says) in cases {
        let output = xtask(&[&["run", "--resume", "--out", out], args].concat());
        assert_eq!(code(&output), 2);
        assert!(stderr(&output).contains(says), "{says}: {}", stderr(&output));
    }
    let manifest = folder.path().join("manifest.json");
    let other = fs::read_to_string(&manifest).expect("a manifest").replacen(
        "\"build\": \"b3:",
        "\"build\": \"b3:x",
        1,
    );
    fs::write(&manifest, other).expect("written");
    let output = xtask(&[
        "run",
        "candidates/naive",
        "--seeds",
        "0..3",
        "--out",
        out,
        "--resume",
    ]);
    assert_eq!(code(&output), 2);
    assert!(
        stderr(&output).contains("another suite: build: b3:x"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_line_that_was_cut_off_is_run_again() {
    let folder = TempDir::new().expect("a folder");
    let args = [
        "run",
        "candidates/naive",
        "--seeds",
        "0..6",
        "--out",
        text(folder.path()),
        "--resume",
    ];
    xtask(&args);
    let whole = outcome(folder.path());
    let log = folder.path().join("results.jsonl");
    fs::write(&log, &whole[0][..whole[0].len() - 40]).expect("written");
    let output = xtask(&args);
    assert!(
        stderr(&output).contains("17 of them done before"),
        "{}",
        stderr(&output)
    );
    assert_eq!(outcome(folder.path()), whole);
}

#[test]
fn a_budget_ends_a_suite_cleanly_and_a_soak_needs_one() {
    let folder = TempDir::new().expect("a folder");
    let out = text(folder.path());
    let output = xtask(&[
        "run",
        "candidates/buffer-both",
        "--seeds",
        "0..1000000",
        "--budget",
        "1s",
        "--out",
        out,
    ]);
    assert_eq!(code(&output), 124, "{}", stderr(&output));
    assert!(lines(&folder.path().join("results.jsonl")) > 0);

    let output = xtask(&["run", "candidates/buffer-both", "--profile", "soak", "--out", out]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("say --budget"), "{}", stderr(&output));
    let soak = [
        "run",
        "candidates/buffer-both",
        "--profile",
        "soak",
        "--budget",
        "1s",
        "--seed",
        "7000",
        "--out",
        out,
    ];
    let output = xtask(&soak);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(
        stderr(&output).starts_with("soak from seed 7000"),
        "{}",
        stderr(&output)
    );
    let first = &results(folder.path())[0];
    assert_eq!(first["seed"], 7000);
}

#[test]
fn a_full_disk_loses_no_result_and_says_what_to_do() {
    let folder = TempDir::new().expect("a folder");
    let args = format!(
        "run candidates/naive --seeds 0..60 --resume --out {}",
        text(folder.path())
    );
    // No file may grow beyond 8 KiB (16 blocks); without the signal, writes fail as on a full disk.
    let limited = Command::new("sh")
        .args([
            "-c",
            &format!("trap '' XFSZ; ulimit -f 16; exec {} {args}", PROGRAM),
        ])
        .output()
        .expect("it starts");
    assert_eq!(code(&limited), 2, "{}", stderr(&limited));
    assert!(
        stderr(&limited).contains("make room there"),
        "{}",
        stderr(&limited)
    );
    let kept = lines(&folder.path().join("results.jsonl"));
    assert!(kept > 0);
    let args: Vec<&str> = args.split(' ').collect();
    let output = xtask(&args);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(
        stderr(&output).contains(&format!("{kept} of them done before")),
        "{}",
        stderr(&output)
    );
    let undisturbed = TempDir::new().expect("a folder");
    xtask(&[
        "run",
        "candidates/naive",
        "--seeds",
        "0..60",
        "--out",
        text(undisturbed.path()),
    ]);
    assert_eq!(outcome(folder.path()), outcome(undisturbed.path()));
}

#[test]
fn a_reader_that_goes_away_costs_nothing() {
    let folder = TempDir::new().expect("a folder");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let args = [
        "run",
        "candidates/naive",
        "--seeds",
        "0..5",
        "--out",
        text(folder.path()),
    ];
    let status = command(&args)
        .stdout(writer)
        .stderr(Stdio::null())
        .status()
        .expect("it starts");
    assert_eq!(status.code(), Some(0));
    assert_eq!(
        results(folder.path())
            .iter()
            .filter(|r| r["scenario"] == "candidates/naive")
            .count(),
        5
    );
}

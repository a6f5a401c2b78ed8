//! Shards, and the whole that they are put together to.

use std::{fs, path::Path};

use crate::{code, command, lines, outcome, stderr, text, xtask};
use tempfile::TempDir;

/// Enough seeds to judge `candidates/naive`, which a third of them is not.
const SUITE: [&str; 5] = [
    "run",
    "candidates/naive-push",
    "candidates/buffer-both",
    "--seeds",
    "0..100",
];

fn run(extra: &[&str]) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let output = xtask(&[&SUITE[..], extra, &["--out", text(folder.path())]].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    folder
}

fn merge(parts: &[&Path], out: &Path) -> (i32, String) {
    let parts: Vec<&str> = parts.iter().map(|p| text(p)).collect();
    let output = xtask(&[&["merge"], &parts[..], &["--out", text(out)]].concat());
    (code(&output), stderr(&output))
}

#[test]
fn shards_put_together_are_the_single_run_and_what_is_wrong_with_them_is_named() {
    let single = run(&[]);
    let shards = ["1/3", "2/3", "3/3"].map(|shard| run(&["--shard", shard]));
    let [one, two, three] = [0, 1, 2].map(|n: usize| shards[n].path());
    let merged = TempDir::new().expect("a folder");
    let out = merged.path().join("all");

    // In any order.
    let (exit, says) = merge(&[two, three, one], &out);
    assert_eq!(exit, 0, "{says}");
    assert_eq!(outcome(&out), outcome(single.path()));

    let bad = merged.path().join("bad");
    let cases: [(&[&Path], &str); 2] = [
        (&[one, three], "shards are missing: 2/3"),
        (&[one, two, three, two], "shard 2/3 is there twice"),
    ];
    for (parts, why) in cases {
        let (exit, says) = merge(parts, &bad);
        assert_eq!((exit, says.contains(why)), (122, true), "{why}: {says}");
        assert!(!bad.exists(), "nothing is written of what is no whole");
    }

    let log = two.join("results.jsonl");
    let whole = fs::read_to_string(&log).expect("results");
    let (first, rest) = whole.split_once('\n').expect("lines");
    let of_one = fs::read_to_string(one.join("results.jsonl")).expect("results");
    let foreign = of_one.lines().next().expect("a line");
    let conflicting = foreign.replacen("\"sim_ms\":", "\"sim_ms\":1", 1);
    let cases = [
        (rest.to_owned(), "1 run is missing: candidates/naive-push@1"),
        (format!("{foreign}\n{whole}"), "candidates/naive-push@0 ran twice"),
        (
            format!("{conflicting}\n{whole}"),
            "candidates/naive-push@0 is in conflict",
        ),
        (
            format!("{first}\n{}", first.replace("\"seed\":1,", "\"seed\":100,")) + "\n" + rest,
            "is not part of the suite",
        ),
    ];
    for (results, why) in cases {
        fs::write(&log, results).expect("written");
        let (exit, says) = merge(&[one, two, three], &bad);
        assert_eq!((exit, says.contains(why)), (122, true), "{why}: {says}");
    }
}

#[test]
fn a_shard_judges_nothing_that_needs_all_seeds() {
    let folder = run(&["--shard", "2/2"]);
    let summary = fs::read_to_string(folder.path().join("summary.md")).expect("a summary");
    assert!(summary.contains("not judged"), "{summary}");
}

#[test]
fn every_engine_gets_its_share() {
    let slurm = [
        ("SLURM_ARRAY_TASK_ID", "2"),
        ("SLURM_ARRAY_TASK_COUNT", "3"),
        ("SLURM_ARRAY_TASK_MIN", "0"),
        ("SLURM_ARRAY_TASK_MAX", "2"),
        ("SLURM_ARRAY_TASK_STEP", "1"),
    ];
    let engines: [&[(&str, &str)]; 4] = [
        &[("JOB_COMPLETION_INDEX", "2"), ("SLEET_SHARD_TOTAL", "3")],
        &slurm,
        &[("CI_NODE_INDEX", "3"), ("CI_NODE_TOTAL", "3")],
        &[
            ("BUILDKITE_PARALLEL_JOB", "2"),
            ("BUILDKITE_PARALLEL_JOB_COUNT", "3"),
        ],
    ];
    for variables in engines {
        let folder = TempDir::new().expect("a folder");
        let args = [
            "run",
            "candidates/buffer-both",
            "--seeds",
            "0..4",
            "--shard",
            "auto",
            "--out",
            text(folder.path()),
        ];
        let output = command(&args)
            .envs(variables.iter().copied())
            .output()
            .expect("it starts");
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        assert!(stderr(&output).contains("(shard 3/3)"), "{}", stderr(&output));
        // Two scenarios begin so: eight runs, of which the third shard gets places 2 and 5.
        assert_eq!(lines(&folder.path().join("results.jsonl")), 2);
    }
}

#[test]
fn bazel_is_told_and_an_unknown_total_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let status = folder.path().join("status");
    let out = folder.path().join("out");
    let args = [
        "run",
        "candidates/buffer-both",
        "--seeds",
        "0..2",
        "--shard",
        "auto",
        "--out",
        text(&out),
    ];
    let sharded = |variables: &[(&str, &str)]| {
        command(&args)
            .envs(variables.iter().copied())
            .output()
            .expect("it starts")
    };
    let output = sharded(&[
        ("TEST_SHARD_INDEX", "0"),
        ("TEST_TOTAL_SHARDS", "2"),
        ("TEST_SHARD_STATUS_FILE", text(&status)),
    ]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(status.is_file());
    let output = sharded(&[("JOB_COMPLETION_INDEX", "0")]);
    assert_eq!(code(&output), 2);
    assert!(
        stderr(&output).contains("set SLEET_SHARD_TOTAL"),
        "{}",
        stderr(&output)
    );
}

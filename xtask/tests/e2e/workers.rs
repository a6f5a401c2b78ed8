//! Suites on worker processes: whatever a run, a worker or a machine does, no result is lost and none is made up.

use std::{fs, path::Path, process::Child, sync::atomic::AtomicBool, thread, time::Duration};

use crate::{code, lines, outcome, start, stderr, text, xtask};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use sleet::{
    run::{
        RunRecord,
        result::RunResult,
        suite::{self, Job, Options, Sink},
    },
    seed::Seed,
};
use tempfile::TempDir;

pub(crate) fn results(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("results.jsonl")).expect("results");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

fn signal(child: u32, signal: Signal) {
    // Who has ended in the meantime needs no signal.
    let _ = kill(Pid::from_raw(child as i32), signal);
}

/// The workers of a parent.
fn workers(parent: u32) -> Vec<u32> {
    let path = format!("/proc/{parent}/task");
    let tasks = fs::read_dir(path).into_iter().flatten().flatten();
    let children = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    children
        .flat_map(|text| {
            text.split_whitespace()
                .map(|id| id.parse().expect("an id"))
                .collect::<Vec<u32>>()
        })
        .collect()
}

/// Waits until `there` is true or the parent has ended; says whether it is true.
fn wait(parent: &mut Child, mut there: impl FnMut() -> bool) -> bool {
    while !there() {
        if parent.try_wait().expect("it can be waited for").is_some() {
            return there();
        }
        thread::park_timeout(Duration::from_millis(2));
    }
    true
}

#[test]
fn what_kills_its_process_is_recorded_as_what_it_is_and_the_rest_goes_on() {
    let folder = TempDir::new().expect("a folder");
    let out = text(folder.path());
    let output = xtask(&[
        "run",
        "selftest",
        "--seeds",
        "0..2",
        "--hang-after",
        "1",
        "--out",
        out,
    ]);
    assert_eq!(code(&output), 100, "{}", stderr(&output));
    let expected = [
        ("panics", "fail", "panicked"),
        ("never-ends", "fail", "orphan"),
        ("spins", "fail", ""),
        ("breaks-invariant", "fail", ""),
        ("nondeterministic", "pass", ""),
        ("draws-nothing", "pass", ""),
        ("dies-of-a-loss", "pass", ""),
        ("aborts", "crash", "its process died of SIGABRT"),
        (
            "overflows-stack",
            "crash",
            "its process died of SIGABRT: its stack overflowed",
        ),
        ("busy-loop", "hang", "no event and no poll for 1 s"),
        ("deadlocks", "hang", "no event and no poll for 1 s"),
        (
            "eats-memory",
            "crash",
            "SIGABRT: it wanted more memory than its limit",
        ),
    ];
    let found = results(folder.path());
    assert_eq!(found.len(), 2 * expected.len());
    for (name, outcome, why) in expected {
        for seed in 0..2 {
            let is = |r: &&Value| r["scenario"] == format!("selftest/{name}") && r["seed"] == seed;
            let result = found.iter().find(is).expect("every seed ran to its end");
            assert_eq!(result["outcome"], outcome, "{result}");
            assert!(
                result["why"].as_str().unwrap_or_default().contains(why),
                "{result}"
            );
        }
    }
    for name in ["aborts.1", "busy-loop.0", "eats-memory.0"] {
        let saved = folder.path().join(format!("fail/selftest-{name}"));
        let report = fs::read_to_string(saved.join("report.txt")).expect("a report");
        assert!(
            report.contains("do what no client should"),
            "the last event of {name}: {report}"
        );
        for file in ["repro.json", "trace.jsonl", "stderr.txt"] {
            assert!(saved.join(file).is_file(), "{name}: {file}");
        }
    }
}

struct Nowhere;

impl Sink for Nowhere {
    fn started(&mut self, _: &Job) -> std::io::Result<()> {
        Ok(())
    }

    fn ended(&mut self, _: &Job, _: &RunResult, _: Option<&RunRecord>) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn workers_come_to_the_same_results_as_threads_whatever_their_number() {
    let seeds = 0..12;
    let args = ["run", "candidates/naive", "nat/matrix-stun", "--seeds", "0..12"];
    let folders = ["1", "3"].map(|jobs| {
        let folder = TempDir::new().expect("a folder");
        let output = xtask(&[&args[..], &["--jobs", jobs, "--out", text(folder.path())]].concat());
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        folder
    });
    assert_eq!(outcome(folders[0].path()), outcome(folders[1].path()));

    let wanted = |name: &str| name.starts_with("candidates/naive") || name == "nat/matrix-stun";
    let scenarios = sleet_scenarios::catalogue()
        .into_iter()
        .filter(|s| wanted(&s.name));
    let jobs: Vec<Job> = scenarios
        .flat_map(|scenario| {
            seeds.clone().map(move |seed| Job {
                scenario: scenario.clone(),
                seed: Seed(seed),
            })
        })
        .collect();
    let never = AtomicBool::new(false);
    let options = Options {
        jobs: 2,
        verify_determinism: false,
        interrupted: &never,
    };
    let threads = suite::run(&jobs, options, &mut Nowhere).expect("they run");
    let threads: Vec<String> = threads
        .into_iter()
        .map(|r| serde_json::to_string(&r.replayed_by("cargo xtask")).expect("JSON"))
        .collect();
    let [processes, ..] = outcome(folders[0].path());
    assert_eq!(processes.lines().collect::<Vec<_>>(), threads);
}

/// Numbers that are the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Enough cheap runs to be killed fifty times.
fn long_suite(folder: &Path) -> [&str; 9] {
    let (out, seeds) = (text(folder), "0..150");
    let (naive, buffered) = ("candidates/naive-push", "candidates/buffer-receiver");
    [
        "run", naive, buffered, "--seeds", seeds, "--jobs=2", "--out", out, "--resume",
    ]
}

#[test]
fn fifty_kills_lose_nothing() {
    const KILLS: usize = 50;
    let undisturbed = TempDir::new().expect("a folder");
    let output = xtask(&long_suite(undisturbed.path()));
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let total = lines(&undisturbed.path().join("results.jsonl"));

    let folder = TempDir::new().expect("a folder");
    let disturbed = long_suite(folder.path());
    let log = folder.path().join("results.jsonl");
    let (mut dice, mut kills, mut parents) = (Dice(1), 0, 0);
    while kills < KILLS {
        let mut parent = start(&disturbed);
        loop {
            let room = (total / (KILLS + 10)) as u64;
            let at = lines(&log) + 1 + dice.below(room) as usize;
            assert!(at < total, "the suite is long enough for {KILLS} kills");
            let running = wait(&mut parent, || lines(&log) >= at);
            assert!(running, "it ends at {} of {total}", lines(&log));
            kills += 1;
            let before = fs::read(&log).expect("results");
            if dice.below(4) == 0 || kills == KILLS {
                let ids = workers(parent.id());
                signal(parent.id(), Signal::SIGKILL);
                parent.wait().expect("it is dead");
                for id in ids {
                    let gone = || {
                        fs::read_to_string(format!("/proc/{id}/stat")).map_or(true, |s| s.contains(") Z "))
                    };
                    while !gone() {
                        thread::park_timeout(Duration::from_millis(2));
                    }
                }
                parents += 1;
                assert!(
                    fs::read(&log).expect("results").starts_with(&before),
                    "no result is taken back"
                );
                break;
            }
            let ids = workers(parent.id());
            if let Some(id) = ids.get(dice.below(2) as usize) {
                signal(*id, Signal::SIGKILL);
            }
        }
    }
    assert!(parents >= 5, "parents died too: {parents}");
    let output = xtask(&disturbed);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("done before"), "{}", stderr(&output));
    assert_eq!(outcome(folder.path()), outcome(undisturbed.path()));
}

#[test]
fn an_interrupt_keeps_what_ran_and_takes_the_workers_along() {
    for name in [Signal::SIGINT, Signal::SIGTERM] {
        let folder = TempDir::new().expect("a folder");
        let out = text(folder.path());
        let args = [
            "run",
            "selftest/nondeterministic",
            "selftest/never-ends",
            "candidates",
            "--seeds",
            "0..2000",
            "--out",
            out,
        ];
        let mut parent = start(&args);
        let log = folder.path().join("results.jsonl");
        assert!(wait(&mut parent, || lines(&log) >= 20));
        let second = xtask(&args);
        assert_eq!(code(&second), 2);
        assert!(
            stderr(&second).contains("another suite is running"),
            "{}",
            stderr(&second)
        );
        let ids = workers(parent.id());
        assert!(!ids.is_empty());
        signal(parent.id(), name);
        let status = parent.wait().expect("it ends");
        assert_eq!(status.code(), Some(130));
        for id in ids {
            assert!(
                !Path::new(&format!("/proc/{id}")).exists(),
                "worker {id} is still there"
            );
        }
        assert!(lines(&log) >= 20);
        assert!(folder.path().join("summary.json").is_file());
    }
}

#[test]
fn a_worker_refuses_the_parent_of_another_build() {
    let output = xtask(&[
        "worker",
        "--stamp",
        "another",
        "--build",
        "b3:0",
        "--memory-limit",
        "1024",
    ]);
    assert_eq!(code(&output), 2);
    assert!(
        stderr(&output).contains("this is another build"),
        "{}",
        stderr(&output)
    );
    let reply: Value = serde_json::from_slice(&output.stdout).expect("one line");
    assert!(reply["refused"]["why"].is_string(), "{reply}");
}

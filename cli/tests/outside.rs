//! The command line of somebody else's catalogue, end to end: its name, its corpus, its own commands, its tests.
//!
//! The program under test is this file again: with `SLEET_OUTSIDE` set, it is what an outside user's `main` would be.

use std::{
    env, fs,
    path::Path,
    process::{Command, ExitCode, Output},
    sync::Arc,
};

use clap::Subcommand;
use libtest_mimic::{Arguments, Trial};
use sleet::{
    fault::{PLAN_VERSION, Plan},
    net::{
        link::LinkProfile,
        topology::{HostSpec, Topology},
    },
    oracle::runs::RUN_01_NO_PANIC,
    scenario::{Expectation, Kind, Scenario},
    seed::Seed,
    signaling::SignalingSpec,
};
use sleet_cli::Catalogue;
use tempfile::TempDir;

/// What this program is: `main`, `own` or `tests`; the tests of these if it is not set.
const ROLE: &str = "SLEET_OUTSIDE";

fn main() -> ExitCode {
    match env::var(ROLE).as_deref() {
        Ok("main") => sleet_cli::main(catalogue()),
        Ok("own") => sleet_cli::main_with(catalogue(), |command: Own| match command {
            Own::Greet { name } => anyhow::bail!("nobody greets {name}"),
        }),
        Ok("tests") => sleet_cli::tests(catalogue()),
        _ => libtest_mimic::run(&Arguments::from_args(), trials()).exit_code(),
    }
}

#[derive(Subcommand)]
enum Own {
    /// Say hello.
    Greet { name: String },
}

/// A corpus that was embedded when the program was built.
const EMBEDDED: &[(&str, &str)] = &[("torn.json", "{\"v\": 1")];

fn catalogue() -> Catalogue {
    let panics = |seed: Seed| seed.0 % 3 == 2;
    let scenarios = vec![
        Scenario::new(Kind::Promise, "sim/holds", plan, |sim, _| async move {
            sim.step("nothing", "happens");
        }),
        Scenario::new(Kind::Promise, "sim/breaks", plan, move |sim, _| async move {
            assert!(!panics(sim.seed()), "on purpose");
        }),
        Scenario::new(
            Kind::Demonstration,
            "sim/caught",
            plan,
            move |sim, _| async move {
                assert!(!panics(sim.seed()), "on purpose");
            },
        )
        .expects(Expectation::broken(&RUN_01_NO_PANIC, 1)),
        Scenario::new(Kind::Promise, "sim/aborts", plan, |_, _| async {
            std::process::abort()
        })
        .deadly(),
        Scenario::new(Kind::Selftest, "selftest/hidden", plan, |_, _| async {}),
    ];
    let catalogue = Catalogue::new("./sim", scenarios.into_iter().map(Arc::new).collect()).test_seeds(0..4);
    match env::var("SLEET_OUTSIDE_CORPUS").as_deref() {
        Ok("embedded") => catalogue.corpus("not/here").embedded_corpus(EMBEDDED),
        Ok(folder) => catalogue.corpus(folder),
        Err(_) => catalogue,
    }
}

fn plan(_: Seed) -> Plan {
    let host = |name: &str, address: &str| HostSpec::new(name, address, LinkProfile::default());
    let text = serde_json::json!({
        "v": PLAN_VERSION,
        "topology": Topology::new([host("alice", "10.0.0.1"), host("server", "10.0.0.2")]),
        "signaling": SignalingSpec::PROMPT,
        "script": [],
        "heal_at_ms": 0,
        "budget_ms": 1_000,
        "horizon_ms": 1_000,
    });
    serde_json::from_value(text).expect("a plan")
}

/// Starts this program in `role`, in `folder`.
fn program(role: &str, folder: &Path, args: &[&str], variables: &[(&str, &str)]) -> Output {
    let program = env::current_exe().expect("it knows itself");
    Command::new(program)
        .args(args)
        .env(ROLE, role)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env_remove("SLEET_SEEDS")
        .envs(variables.iter().copied())
        .current_dir(folder)
        .output()
        .expect("it starts")
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .concat()
}

#[track_caller]
fn assert_says(output: &Output, code: i32, words: &[&str]) {
    let said = said(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for words in words {
        assert!(said.contains(words), "'{words}' is not in:\n{said}");
    }
}

fn trials() -> Vec<Trial> {
    /// A test, which has a folder to itself.
    type Test = (&'static str, fn(&Path));
    let trials: [Test; 6] = [
        ("help_and_hints_name_the_program_as_its_users_do", names),
        ("a_suite_runs_on_workers_of_this_program", suite),
        ("a_program_has_commands_of_its_own", own_commands),
        ("the_corpus_of_a_program", corpus),
        ("each_scenario_is_a_test", tests),
        ("nextest_can_list_and_run_them", nextest),
    ];
    let trial = |(name, test): Test| {
        Trial::test(name, move || {
            test(TempDir::new()?.path());
            Ok(())
        })
    };
    trials.map(trial).into()
}

fn names(folder: &Path) {
    let help = program("main", folder, &["--help"], &[]);
    assert_says(&help, 0, &["Usage: ./sim <COMMAND>", "Exit codes:"]);
    let run = program("main", folder, &["run", "--help"], &[]);
    assert_says(&run, 0, &["Usage: ./sim run", "--verbose", "=candidates/naive"]);
    let nothing = program("main", folder, &["run", "nothing"], &[]);
    assert_says(&nothing, 4, &["`./sim list --all` names them"]);
}

fn suite(folder: &Path) {
    let out = program(
        "main",
        folder,
        &["run", "sim/holds", "sim/caught", "--seeds", "0..4"],
        &[],
    );
    assert_says(&out, 0, &["everything held", "target/sim/smoke/summary.md"]);
    let out = program("main", folder, &["run", "=sim/breaks", "--seeds", "0..4"], &[]);
    let words = [
        "BROKEN sim/breaks RUN-01 (1 of 4 runs): seed 2",
        "replay: ./sim replay sim/breaks@2",
    ];
    assert_says(&out, 100, &words);
    let saved = folder.join("target/sim/smoke/fail/sim-breaks.2");
    let report = fs::read_to_string(saved.join("report.txt")).expect("a report");
    assert!(
        report.contains("replay:   ./sim replay sim/breaks@2\n"),
        "{report}"
    );
    let repro = saved.join("repro.json");
    let again = program("main", folder, &["replay", repro.to_str().expect("UTF-8")], &[]);
    assert_says(&again, 0, &["(as saved)"]);
    let out = program("main", folder, &["run", "=sim/aborts", "--seeds", "0..1"], &[]);
    assert_says(&out, 100, &["CRASH sim/aborts@0: its process died of SIGABRT"]);
}

fn own_commands(folder: &Path) {
    let help = program("own", folder, &["--help"], &[]);
    assert_says(&help, 0, &["greet", "Say hello", "replay"]);
    assert_says(
        &program("own", folder, &["greet", "bob"], &[]),
        2,
        &["nobody greets bob"],
    );
    assert_says(
        &program("own", folder, &["run", "=sim/holds", "--seeds", "0..2"], &[]),
        0,
        &["2 runs"],
    );
    assert_says(
        &program("main", folder, &["greet", "bob"], &[]),
        2,
        &["unrecognized subcommand"],
    );
}

fn corpus(folder: &Path) {
    let run = ["run", "=sim/breaks", "--seed", "2"];
    let out = program("main", folder, &run, &[]);
    assert!(!said(&out).contains("corpus"), "it has none: {}", said(&out));
    let missing = [("SLEET_OUTSIDE_CORPUS", "saved")];
    let out = program("main", folder, &run, &missing);
    assert_says(&out, 100, &["corpus: there is none: 'saved' is not here"]);

    let repro = folder.join("target/sim/smoke/fail/sim-breaks.2/repro.json");
    let repro = repro.to_str().expect("UTF-8").to_owned();
    let out = program("main", folder, &["corpus", "add", &repro], &missing);
    assert_says(&out, 0, &["added saved/sim-breaks.2.run-01.json"]);
    let out = program("main", folder, &["run", "=sim/breaks", "--seed", "0"], &missing);
    let words = [
        "corpus: sim-breaks.2.run-01.json of RUN-01 broken again: RUN-01",
        "replay: ./sim replay sim-breaks.2.run-01.json",
    ];
    assert_says(&out, 100, &words);
    let out = program(
        "tests",
        folder,
        &["--exact", "corpus/sim-breaks.2.run-01.json"],
        &missing,
    );
    assert_says(
        &out,
        101,
        &[
            "broken again: RUN-01",
            "replay: ./sim replay sim-breaks.2.run-01.json",
        ],
    );

    let embedded = [("SLEET_OUTSIDE_CORPUS", "embedded")];
    let out = program("main", folder, &run, &embedded);
    assert_says(
        &out,
        2,
        &["'torn.json' of the corpus (see `./sim corpus prune`): not a saved failure"],
    );
    assert_says(
        &program("main", folder, &["corpus", "prune"], &[]),
        2,
        &["name a folder with --dir"],
    );
}

fn tests(folder: &Path) {
    let out = program("tests", folder, &[], &[]);
    let words = [
        "running 4 tests",
        "test sim/holds  ... ok",
        "test sim/caught ... ok",
        "sim/breaks@2 (RUN-01): a task of",
        "`./sim replay sim/breaks@2`",
        "sim/aborts@0 (crash): its process died of SIGABRT",
        "target/sim/test/outside/sim-breaks/fail",
        "2 passed; 2 failed",
    ];
    assert_says(&out, 101, &words);
    let two = [("SLEET_SEEDS", "0..2")];
    assert_says(
        &program("tests", folder, &["sim/breaks"], &two),
        0,
        &["1 passed", "3 filtered out"],
    );
    let listed = [("SLEET_SEEDS", "0,5")];
    assert_says(
        &program("tests", folder, &["sim/breaks"], &listed),
        101,
        &["sim/breaks@5"],
    );
    let bad = [("SLEET_SEEDS", "few")];
    assert_says(&program("tests", folder, &[], &bad), 2, &["SLEET_SEEDS"]);
}

/// What nextest does: it lists the tests, and runs each in a process of its own.
fn nextest(folder: &Path) {
    let list = program("tests", folder, &["--list", "--format", "terse"], &[]);
    let names: Vec<String> = String::from_utf8_lossy(&list.stdout)
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(
        names,
        [
            "sim/holds: test",
            "sim/breaks: test",
            "sim/caught: test",
            "sim/aborts: test"
        ]
    );
    let ignored = program(
        "tests",
        folder,
        &["--list", "--format", "terse", "--ignored"],
        &[],
    );
    assert_eq!(String::from_utf8_lossy(&ignored.stdout), "");
    let one = |name: &str| program("tests", folder, &[name, "--exact", "--nocapture"], &[]);
    assert_says(&one("sim/holds"), 0, &["1 passed"]);
    assert_says(&one("sim/breaks"), 101, &["`./sim replay sim/breaks@2`"]);
}

//! The reports of a suite and of a failure, end to end: what a folder holds, made twice, and bad input.

use std::{collections::BTreeMap, fs, path::Path};

use tempfile::TempDir;

use crate::{code, command, run, stderr, stdout, text, xtask};

const OF_SUITE: [&str; 4] = ["junit.xml", "step-summary.md", "code-quality.json", "report.html"];
const OF_FAILURE: [&str; 5] = [
    "capture.pcapng",
    "sequence.mmd",
    "perfetto.json",
    "rtcstats.txt",
    "report.html",
];

/// Every report below a folder, by its path there.
fn reports(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut read = |path: &Path, names: &[&str]| {
        for name in names {
            let file = path.join(name);
            let bytes = fs::read(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            found.insert(
                file.strip_prefix(folder).expect("below it").display().to_string(),
                bytes,
            );
        }
    };
    read(folder, &OF_SUITE);
    for failure in fs::read_dir(folder.join("fail")).expect("failures") {
        read(&failure.expect("a folder").path(), &OF_FAILURE);
    }
    found
}

#[test]
fn a_suite_leaves_its_reports_and_makes_the_same_again_from_its_folder() {
    let (output, folder) = run(&["candidates/naive", "--seeds", "0..20"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let left = reports(folder.path());
    assert!(
        left["report.html"].len() < 1_000_000,
        "a green suite's page is small"
    );
    let again = xtask(&["report", text(folder.path())]);
    assert_eq!(code(&again), 0, "{}", stderr(&again));
    assert!(stdout(&again).contains("report.html"), "{}", stdout(&again));
    assert_eq!(reports(folder.path()), left, "made twice");

    // Captures too: they are made by another run of the same plan.
    for failure in fs::read_dir(folder.path().join("fail")).expect("failures") {
        fs::remove_file(failure.expect("a folder").path().join("capture.pcapng")).expect("a capture");
    }
    assert_eq!(code(&xtask(&["report", text(folder.path())])), 0);
    assert!(reports(folder.path()) == left, "made of another run");
}

#[test]
fn a_folder_without_manifest_is_one_as_long_as_it_has_results() {
    let (output, folder) = run(&["candidates/naive", "--seeds", "0..10"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    for file in ["manifest.json", "summary.json", "report.html"] {
        fs::remove_file(folder.path().join(file)).expect("it is there");
    }
    let results = folder.path().join("results.jsonl");
    let known = fs::read_to_string(&results).expect("results");
    let unknown = known.replacen("candidates/naive-push", "candidates/that-went", 1);
    fs::write(&results, unknown).expect("it is written");
    let output = xtask(&["report", text(folder.path())]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(
        stderr(&output).contains("scenarios that this program does not have"),
        "{}",
        stderr(&output)
    );
    assert!(folder.path().join("report.html").is_file());
}

#[test]
fn what_is_no_folder_of_a_suite_is_bad_input() {
    let empty = TempDir::new().expect("a folder");
    let file = empty.path().join("file");
    fs::write(&file, "x").expect("it is written");
    let missing = empty.path().join("missing");
    for (path, says) in [
        (missing.as_path(), "there is no folder"),
        (file.as_path(), "is not a folder"),
        (empty.path(), "is not the folder of a suite"),
    ] {
        let output = xtask(&["report", text(path)]);
        assert_eq!(code(&output), 2, "{}", path.display());
        assert!(stderr(&output).contains(says), "{}", stderr(&output));
    }
    fs::write(empty.path().join("results.jsonl"), "not a result\n").expect("it is written");
    let output = xtask(&["report", text(empty.path())]);
    assert_eq!(code(&output), 2, "{}", stderr(&output));
}

#[test]
fn a_folder_that_cannot_be_written_to_is_said_to_be_one() {
    let (output, folder) = run(&["candidates/naive", "--seeds", "0..2"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    // Whoever runs the tests may write anywhere: something lies in the way instead.
    fs::create_dir(folder.path().join("junit.xml.new")).expect("a folder");
    let output = xtask(&["report", text(folder.path())]);
    assert_eq!(code(&output), 2, "{}", stderr(&output));
    assert!(stderr(&output).contains("cannot write"), "{}", stderr(&output));
}

#[test]
fn a_ci_system_is_told() {
    let folder = TempDir::new().expect("a folder");
    let (step, out) = (folder.path().join("step.md"), folder.path().join("out"));
    fs::write(&step, "before\n").expect("it is written");
    let mut run = command(&["run", "selftest/aborts", "--seeds", "0..3", "--out", text(&out)]);
    run.env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", &step);
    let output = run.output().expect("it starts");
    assert_eq!(code(&output), 100, "{}", stderr(&output));
    let notes: Vec<String> = stdout(&output)
        .lines()
        .filter(|l| l.starts_with("::"))
        .map(str::to_owned)
        .collect();
    assert_eq!(notes.len(), 1, "{notes:#?}");
    assert!(
        notes[0].starts_with("::error title=crash%3A 3 failures"),
        "{notes:#?}"
    );
    let told = fs::read_to_string(&step).expect("a step summary");
    assert!(told.starts_with("before\n## ❌ Sleet: 1 of 1 scenario"), "{told}");
    let xml = fs::read_to_string(out.join("junit.xml")).expect("JUnit XML");
    assert!(xml.contains("selftest/aborts@2"), "{xml}");
}

#[test]
fn a_replay_gives_a_capture_and_a_page_with_another_run_over_it() {
    let folder = TempDir::new().expect("a folder");
    let [capture, page, both] = ["a.pcapng", "a.html", "b.html"].map(|name| folder.path().join(name));
    let output = xtask(&[
        "replay",
        "candidates/naive@5",
        "--pcap",
        text(&capture),
        "--html",
        text(&page),
    ]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let bytes = fs::read(&capture).expect("a capture");
    assert_eq!(bytes[..4], [0x0a, 0x0d, 0x0d, 0x0a], "a section header");
    let output = xtask(&[
        "replay",
        "candidates/naive@5",
        "--diff",
        "candidates/naive@6",
        "--html",
        text(&both),
    ]);
    assert_eq!(code(&output), 120, "{}", stderr(&output));
    let len = |path: &Path| fs::metadata(path).expect("a page").len();
    assert!(len(&both) > len(&page) && len(&both) < 500_000);
    let nowhere = folder.path().join("no/such/folder.pcapng");
    let output = xtask(&["replay", "candidates/naive@5", "--pcap", text(&nowhere)]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("cannot write"), "{}", stderr(&output));
}

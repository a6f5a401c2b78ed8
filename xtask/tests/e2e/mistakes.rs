//! The table of mistakes, end to end: on the terminal, in the files, and in the verdict of the suite.

use std::{fs, process::Command};

use crate::PROGRAM;

use tempfile::TempDir;

#[test]
fn a_broken_client_is_a_row_of_the_table_of_mistakes_and_the_fixed_one_is_not() {
    let folder = TempDir::new().expect("a folder");
    let out = folder.path().to_str().expect("UTF-8");
    let output = Command::new(PROGRAM)
        .args([
            "run",
            "calls/double-close",
            "calls/rapid",
            "--seeds",
            "0..4",
            "--verbose",
            "--out",
            out,
        ])
        .output()
        .expect("it starts");
    assert_eq!(
        output.status.code(),
        Some(0),
        "a demonstration that fails as it should"
    );
    let row = "| double-close | TEAR-03 |          0 |   4/4 | 100.0 % |";
    let terminal = String::from_utf8_lossy(&output.stdout).into_owned();
    let markdown = fs::read_to_string(folder.path().join("summary.md")).expect("a summary");
    assert!(terminal.contains(row), "{terminal}");
    assert!(
        markdown.contains("## Mistakes") && markdown.contains(row),
        "{markdown}"
    );

    let json = fs::read_to_string(folder.path().join("summary.json")).expect("a summary");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let mistakes = json["mistakes"].as_array().expect("rows");
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert_eq!(
        (&mistakes[0]["oracle"], &mistakes[0]["shown"]),
        (&"TEAR-03".into(), &4.into())
    );
}

#[test]
fn a_hangup_is_replayed_from_its_point_to_its_return() {
    let output = Command::new(PROGRAM)
        .args(["replay", "calls/late-close@0", "--host", "alice"])
        .output()
        .expect("it starts");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let place = |what: &str| told.find(what).unwrap_or_else(|| panic!("no '{what}' in {told}"));
    let story = [
        "user dials bob, c1",
        "the factory is created",
        "user hangs up, c1",
        "the app says that act 1 is done",
        "c1 closes",
    ];
    assert!(story.windows(2).all(|w| place(w[0]) < place(w[1])), "{told}");
    let verdict = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(verdict.contains("broken: TEAR-04"), "{verdict}");
}

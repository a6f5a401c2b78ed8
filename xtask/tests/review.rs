//! `cargo xtask review` end to end: what differs, by what changed, and decided by group.

use std::{
    fs,
    process::{Command, Output},
};

use tempfile::TempDir;

const HEAD: &str = "---\nsource: tests/review/main.rs\n---\n";

/// A folder with a table that has other packets and more messages, and a story that is new.
fn folder() -> TempDir {
    let sheet = |packets: u64, joined: u64| {
        format!(
            "{HEAD}behaviour of calls\n\noutcomes\nscenario |  runs |  held | packets\n-------- | ----: | ----: | ------:\n\
             rapid    |    10 |    10 | {packets:>7}\n\nmessages that clients sent\nscenario | message, how many\n\
             -------- | -----------------\nrapid    | joined {joined}\n"
        )
    };
    let folder = TempDir::new().expect("a folder");
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).expect("written");
    write("behaviour__calls.snap", sheet(1_000, 10));
    write("behaviour__calls.snap.new", sheet(1_010, 20));
    write(
        "story__glare.snap.new",
        format!("{HEAD}calls/glare@0\n\noracles\n  held: CONN-01\n"),
    );
    folder
}

fn review(folder: &TempDir, args: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("review")
        .arg("--dir")
        .arg(folder.path())
        .args(args)
        .output()
        .expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn what_differs_is_listed_shown_and_decided_by_group() {
    let folder = folder();
    let (code, told, _) = review(&folder, &[]);
    assert_eq!(code, Some(0), "{told}");
    let lines: Vec<&str> = told.lines().take(5).collect();
    assert_eq!(
        lines,
        [
            "2 snapshots differ, in 3 groups:",
            "",
            "  message-joined-1-more  1 scenario: one more *joined* in each run",
            "  packets-about          1 scenario: about as many packets, within 5 %",
            "  snapshot-new           1 snapshot: new",
        ]
    );

    let (_, shown, _) = review(&folder, &["--show", "packets-about"]);
    assert!(
        shown.contains("    calls/rapid  packets  1000 -> 1010\n"),
        "{shown}"
    );

    let (code, told, _) = review(
        &folder,
        &["--accept", "packets-about", "--reject", "snapshot-new"],
    );
    assert_eq!(code, Some(0), "{told}");
    assert!(told.ends_with("1 snapshot still differs\n"), "{told}");
    let committed = fs::read_to_string(folder.path().join("behaviour__calls.snap")).expect("committed");
    assert!(
        committed.contains("1010\n") && committed.contains("joined 10\n"),
        "{committed}"
    );

    let (_, told, _) = review(&folder, &["--accept", "all"]);
    assert!(told.ends_with("nothing is left to review\n"), "{told}");
    let (code, told, _) = review(&folder, &[]);
    assert_eq!(
        (code, told.as_str()),
        (Some(0), "nothing differs from the committed snapshots\n")
    );
}

#[test]
fn a_group_that_is_not_there_or_decided_twice_changes_nothing() {
    let folder = folder();
    for (args, why) in [
        (
            &["--accept", "outcome"][..],
            "no group is called 'outcome'; there are message-joined-1-more, ",
        ),
        (
            &["--accept", "all", "--reject", "snapshot-new"][..],
            "snapshot-new is to be accepted and rejected",
        ),
    ] {
        let (code, _, error) = review(&folder, args);
        assert_eq!(code, Some(2), "{args:?}");
        assert!(error.contains(why), "{error}");
    }
    let files = fs::read_dir(folder.path()).expect("the folder").count();
    assert_eq!(files, 3);
}

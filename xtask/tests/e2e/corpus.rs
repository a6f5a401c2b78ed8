//! The corpus, end to end: saved failures are added, run first, and dropped when they say nothing any more.

use std::{fs, path::Path};

use tempfile::TempDir;

use crate::xtask;

fn corpus(folder: &Path, args: &[&str]) -> (Option<i32>, String) {
    let folder = folder.to_str().expect("UTF-8");
    let output = xtask(&[&["corpus", "--dir", folder], args].concat());
    let text = String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned();
    (output.status.code(), text)
}

/// Shrinks `what` into `file`.
fn shrink(what: &str, file: &Path) -> String {
    let path = file.to_str().expect("UTF-8").to_owned();
    let output = xtask(&["shrink", what, "--budget", "10m", "--out", &path]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    path
}

#[test]
fn what_is_added_is_kept_and_what_says_nothing_is_dropped_with_a_reason() {
    let (corpus_folder, scratch) = (
        TempDir::new().expect("a folder"),
        TempDir::new().expect("a folder"),
    );
    let dir = corpus_folder.path();
    let naive = shrink("candidates/naive@5", &scratch.path().join("naive.json"));
    let (code, text) = corpus(dir, &["add", &naive]);
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = corpus(dir, &["add", &naive]);
    assert_eq!(code, Some(2), "twice: {text}");

    let entry = dir.join("candidates-naive.5.conn-01.json");
    let json = fs::read_to_string(&entry).expect("an entry");
    let spoiled = [
        (
            "double.json",
            json.clone(),
            "says the same as candidates-naive.5.conn-01.json",
        ),
        (
            "fixed.json",
            json.replace("candidates/naive", "candidates/sequential-end-to-end"),
            "kept",
        ),
        (
            "gone.json",
            json.replace("candidates/naive", "candidates/nowhere"),
            "there is no scenario",
        ),
        (
            "held.json",
            json.replace("\"concurrent\"", "\"in-order\""),
            "no longer fails",
        ),
        (
            "refused.json",
            json.replace("\"to\": \"bob\"", "\"to\": \"nobody\""),
            "there is no host",
        ),
    ];
    for (name, json, _) in &spoiled {
        fs::write(dir.join(name), json).expect("written");
    }
    let (code, text) = corpus(dir, &["prune"]);
    assert_eq!(code, Some(0), "{text}");
    for (name, _, why) in &spoiled {
        let is_kept = *why == "kept";
        let line = text.lines().find(|l| l.contains(name));
        assert_eq!(line.is_none(), is_kept, "{name}: {text}");
        assert!(line.is_none_or(|l| l.contains(why)), "{name}: {text}");
        assert_eq!(dir.join(name).exists(), is_kept, "{name}");
    }
    assert!(entry.exists() && text.contains("2 kept, 4 dropped"), "{text}");
}

#[test]
fn a_run_begins_with_the_corpus_and_nothing_of_it_can_go() {
    let folder = TempDir::new().expect("a folder");
    let out = folder.path().to_str().expect("UTF-8");
    let output = xtask(&["run", "candidates/naive", "--seeds", "0..1", "--out", out]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.contains("corpus: ") && said.contains(" 0 not as they must be"),
        "{said}"
    );

    let output = xtask(&["corpus", "prune", "--dry-run"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let (kept, dropped) = said.trim().split_once(" kept, ").expect("a sum");
    let kept: usize = kept.parse().expect("a number");
    assert!(kept >= 4 && dropped == "0 would be dropped", "{said}");
}

#[test]
fn an_entry_is_replayed_by_its_name() {
    let output = xtask(&["replay", "candidates-naive.5.conn-01.json", "--host", "alice"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("broken: CONN-01"), "{said}");
}

//! The committed snapshots: how every family behaves, and a dozen stories. What a reviewer reads when behaviour changes.
//!
//! `docs/review.md` says how to read, accept and reject what differs.

mod behaviour;
mod book;
mod stories;

use std::{
    any::Any,
    collections::BTreeSet,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

/// The most lines that all snapshots have together.
const LINES: usize = 3_100;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots")
}

/// Compares every one of `snapshots` with what is committed, and only then says which differ.
///
/// # Panics
/// If any differs.
fn as_reviewed(snapshots: &[(String, String)]) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let differs = |(name, text): &&(String, String)| {
        let compared = catch_unwind(AssertUnwindSafe(|| {
            settings.bind(|| insta::assert_snapshot!(name.as_str(), text));
        }));
        compared.is_err_and(|panic| {
            assert!(is_difference(&*panic), "{name} could not be compared");
            true
        })
    };
    let differing: Vec<&str> = snapshots
        .iter()
        .filter(differs)
        .map(|(name, _)| name.as_str())
        .collect();
    assert!(
        differing.is_empty(),
        "{} of {} snapshots differ: {}\n`cargo xtask review` groups them by what changed",
        differing.len(),
        snapshots.len(),
        differing.join(", ")
    );
}

/// Whether insta panicked because of a difference.
fn is_difference(panic: &(dyn Any + Send)) -> bool {
    let message = panic.downcast_ref::<String>();
    message.is_some_and(|m| m.starts_with("snapshot assertion for "))
}

#[test]
fn families_behave_as_reviewed() {
    as_reviewed(&behaviour::snapshots());
}

#[test]
fn stories_go_as_reviewed() {
    as_reviewed(&stories::snapshots());
}

#[test]
fn no_snapshot_is_left_of_what_is_not_told_any_more() {
    let told: BTreeSet<String> = behaviour::names().into_iter().chain(stories::names()).collect();
    let committed: BTreeSet<String> = fs::read_dir(folder())
        .expect("the folder of snapshots")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .filter_map(|name| name.strip_suffix(".snap").map(str::to_owned))
        .collect();
    let left: Vec<&String> = committed.difference(&told).collect();
    assert!(left.is_empty(), "delete what nothing writes any more: {left:?}");
}

#[test]
fn all_snapshots_together_can_be_read() {
    let lines = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.expect("an entry").path();
        let committed = path.extension().is_some_and(|e| e == "snap");
        let text = committed.then(|| fs::read_to_string(&path).expect("a snapshot"));
        text.map_or(0, |t| t.lines().count())
    };
    let total: usize = fs::read_dir(folder()).expect("the folder").map(lines).sum();
    assert!(total < LINES, "{total} lines: nobody reviews that");
}

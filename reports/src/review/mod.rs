//! Differences between committed snapshots and those of the last test run, in groups that a reviewer decides on at
//! once.
//!
//! - [`Pending`]: a snapshot that differs
//! - [`groups`]: its differences and those of all others, grouped by kind of change
//! - [`accept`], [`reject`]: a snapshot after a decision about some of its differences
//! - [`pairs`]: a group, old beside new
//!
//! Pure: reads and returns text. Files and terminals belong to the command line.

mod compare;
mod kind;
mod merge;
mod side;

use std::collections::{BTreeMap, BTreeSet};

pub use compare::{Change, Place};
use kind::ChangeKind;
pub use side::pairs;

use crate::sheet::{Sheet, counted};

/// A snapshot that differs from the committed one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The name of the snapshot: that of its file.
    pub name: String,
    /// The committed text; `None` for a new snapshot.
    pub old: Option<String>,
    /// The text of the test run.
    pub new: String,
}

/// Changes of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The id on a command line; it stays the same as long as the same change is pending.
    pub id: String,
    /// The number of scenarios or stories, and the change.
    pub title: String,
    /// The changes, in the order of the snapshots.
    pub changes: Vec<Change>,
}

/// Returns all differences of `pending` by kind of change, the gravest first.
pub fn groups(pending: &[Pending]) -> Vec<Group> {
    let mut by_kind = BTreeMap::<ChangeKind, Vec<Change>>::new();
    for snapshot in pending {
        for (kind, change) in kind::of(snapshot, compare::changes(snapshot)) {
            by_kind.entry(kind).or_default().push(change);
        }
    }
    let group = |(kind, changes): (ChangeKind, Vec<Change>)| {
        let subjects: BTreeSet<String> = changes.iter().map(Change::subject).collect();
        Group {
            id: kind.id(),
            title: format!("{}{}", kind.title(subjects.len()), families(&subjects)),
            changes,
        }
    };
    by_kind.into_iter().map(group).collect()
}

/// Counts the scenarios in `subjects` by family, if they are of more than one.
fn families(subjects: &BTreeSet<String>) -> String {
    let mut families = BTreeMap::new();
    for (family, _) in subjects.iter().filter_map(|s| s.split_once('/')) {
        *families.entry(family.to_owned()).or_default() += 1;
    }
    match families.len() {
        0 | 1 => String::new(),
        _ => format!(" ({})", counted(&families)),
    }
}

/// Returns the committed text with the changes of `accepted` that belong to `pending`; `None` if none of them does.
pub fn accept(pending: &Pending, accepted: &[&Group]) -> Option<String> {
    let places = places(pending, accepted);
    (!places.is_empty()).then(|| mixed(pending, &|place| places.contains(place)))
}

/// Returns the pending text without the changes of `rejected` that belong to `pending`: `None` if none of them does,
/// and equal to the committed text if nothing is left.
pub fn reject(pending: &Pending, rejected: &[&Group]) -> Option<String> {
    let places = places(pending, rejected);
    (!places.is_empty()).then(|| mixed(pending, &|place| !places.contains(place)))
}

fn places(pending: &Pending, groups: &[&Group]) -> BTreeSet<Place> {
    let changes = groups.iter().flat_map(|g| &g.changes);
    let own = changes.filter(|change| change.snapshot == pending.name);
    own.map(|change| change.place.clone()).collect()
}

/// Returns the new text where `is_new` says so, the old one elsewhere.
fn mixed(pending: &Pending, is_new: &dyn Fn(&Place) -> bool) -> String {
    let old = pending.old.as_deref().unwrap_or_default();
    match (Sheet::parse(old), Sheet::parse(&pending.new)) {
        (Some(old), Some(new)) if old != new => merge::merged(&old, &new, is_new).to_text(),
        _ if is_new(&Place::Whole) => pending.new.clone(),
        _ => old.to_owned(),
    }
}

#[cfg(test)]
mod tests;

//! What differs between committed snapshots and what the tests made anew, in groups that a reviewer decides on at once.
//!
//! - [`Pending`]: a snapshot that differs
//! - [`groups`]: its differences and those of all others, by what changed
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
    /// Its name: that of its file.
    pub name: String,
    /// What is committed; nothing for a new one.
    pub old: Option<String>,
    /// What the tests made.
    pub new: String,
}

/// Changes of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What it is called on a command line; the same as long as the same change is pending.
    pub id: String,
    /// How many scenarios or stories, and what happened to them.
    pub title: String,
    /// The changes, in the order of the snapshots.
    pub changes: Vec<Change>,
}

/// All differences of `pending` by what changed, the gravest first.
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

/// How many of `subjects` are scenarios of which family, where they are of more than one.
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

/// The committed text once the changes of `accepted` that are of `pending` are in it; nothing if none of them is.
pub fn accept(pending: &Pending, accepted: &[&Group]) -> Option<String> {
    let places = places(pending, accepted);
    (!places.is_empty()).then(|| mixed(pending, &|place| places.contains(place)))
}

/// What is left pending once the changes of `rejected` that are of `pending` are undone: nothing if none of them is, and
/// equal to the committed text if nothing is left.
pub fn reject(pending: &Pending, rejected: &[&Group]) -> Option<String> {
    let places = places(pending, rejected);
    (!places.is_empty()).then(|| mixed(pending, &|place| !places.contains(place)))
}

fn places(pending: &Pending, groups: &[&Group]) -> BTreeSet<Place> {
    let changes = groups.iter().flat_map(|g| &g.changes);
    let own = changes.filter(|change| change.snapshot == pending.name);
    own.map(|change| change.place.clone()).collect()
}

/// The new text where `is_new` says so, the old one elsewhere.
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

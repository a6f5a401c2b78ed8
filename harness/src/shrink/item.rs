//! The elements of one kind, numbered in the plan that was listed, and how some of a list are removed.

use std::collections::BTreeSet;

/// One of the elements of a kind.
pub(super) struct Item {
    pub item: usize,
    pub path: String,
    pub description: String,
}

/// The elements of a kind to remove, by number.
pub(super) type Gone = BTreeSet<usize>;

/// Removes the entries at `gone` from a list.
pub(super) fn drop_from<T>(list: &mut Vec<T>, gone: &Gone) {
    let mut index = 0;
    list.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
}

//! The JSON Schemas of the files that runs write and read, as files.

use sleet::schema::{ALL, Format};

use crate::tidy::tree::Tree;

/// Returns the path of each format's file, below the root, with its text.
pub fn files() -> impl Iterator<Item = (String, String)> {
    let file = |format: &Format| (format!("docs/schemas/{}.json", format.name), format.schema());
    ALL.iter().map(file)
}

/// Lists the files that are not current.
pub fn stale(tree: &Tree) -> Vec<String> {
    let stale = files().filter(|(path, text)| tree.text(path) != Some(text));
    stale
        .map(|(path, _)| format!("{path} is stale: cargo xtask docs"))
        .collect()
}

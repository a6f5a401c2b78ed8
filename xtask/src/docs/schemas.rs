//! The JSON Schemas of what runs write and read, as files.

use sleet::schema::{ALL, Format};

use crate::tidy::tree::Tree;

/// The file of a format, below the root, and what belongs in it.
pub fn files() -> impl Iterator<Item = (String, String)> {
    let file = |format: &Format| (format!("docs/schemas/{}.json", format.name), format.schema());
    ALL.iter().map(file)
}

/// The files that are not as they would be written.
pub fn stale(tree: &Tree) -> Vec<String> {
    let stale = files().filter(|(path, text)| tree.text(path) != Some(text));
    stale
        .map(|(path, _)| format!("{path} is stale: cargo xtask docs"))
        .collect()
}

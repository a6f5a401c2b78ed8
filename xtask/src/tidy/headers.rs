//! The rule that the first line of a file says what it is for.

use super::{Finding, tree::Tree};

/// Files that cannot begin with `//!`, because they are included into another; they begin with `//`.
const INCLUDED: &[&str] = &[
    "harness/tests/parity/bodies.rs",
    "harness/tests/parity/datagrams.rs",
];

/// Returns the Rust files without `//!` in their first line.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let silent = |(path, text): (&str, &str)| {
        let start = if INCLUDED.contains(&path) { "// " } else { "//! " };
        let says = text.lines().next().is_some_and(|line| line.starts_with(start));
        (!says).then(|| {
            let what = "the first line is no `//!` that says what the file is for";
            Finding::new("header", path, 1, what)
        })
    };
    tree.ending(".rs").filter_map(silent).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_says_nothing_is_found() {
        let tree = Tree::of(&[
            ("a.rs", "//! What a is for.\n"),
            ("b.rs", "use a;\n//! Too late.\n"),
            ("c.rs", ""),
        ]);
        let files: Vec<String> = check(&tree).into_iter().map(|f| f.file).collect();
        assert_eq!(files, ["b.rs", "c.rs"]);
    }
}

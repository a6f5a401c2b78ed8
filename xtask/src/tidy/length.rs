//! The rule that a file is short enough to be read at once.

use super::{Finding, tree::Tree};

const RULE: &str = "length";
/// The number of lines above which a file gets a warning.
const LONG: usize = 400;
/// The number of lines above which a file breaks the rule.
const TOO_LONG: usize = 500;
/// Files that may be longer, each with its reason.
const ALLOWED: &[(&str, &str)] = &[];

/// Returns the Rust files that are too long.
pub fn check(tree: &Tree) -> Vec<Finding> {
    check_except(tree, ALLOWED)
}

fn check_except(tree: &Tree, allowed: &[(&str, &str)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.ending(".rs") {
        let lines = text.lines().count();
        if lines <= LONG || allowed.iter().any(|(file, _)| *file == path) {
            continue;
        }
        let limit = if lines > TOO_LONG { TOO_LONG } else { LONG };
        let what = format!("{lines} lines, more than {limit}: give a part of it a file of its own");
        let mut finding = Finding::new(RULE, path, 0, what);
        finding.is_warning = lines <= TOO_LONG;
        findings.push(finding);
    }
    for (file, _) in allowed
        .iter()
        .filter(|(file, _)| tree.text(file).is_none_or(|text| text.lines().count() <= LONG))
    {
        findings.push(Finding::new(RULE, file, 0, "may be long, and is not: take it off the list").warning());
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(lines: usize, allowed: &[(&str, &str)]) -> Vec<bool> {
        let text = "//\n".repeat(lines);
        let tree = Tree::of(&[("a.rs", &text), ("a.md", &text)]);
        check_except(&tree, allowed)
            .iter()
            .map(|f| f.is_warning)
            .collect()
    }

    #[test]
    fn a_long_file_is_warned_about_and_a_longer_one_fails() {
        assert_eq!(weights(400, &[]), [false; 0]);
        assert_eq!(weights(401, &[]), [true]);
        assert_eq!(weights(501, &[]), [false]);
    }

    #[test]
    fn an_exception_that_is_no_longer_needed_is_told() {
        let allowed = [("a.rs", "a table")];
        assert_eq!(weights(501, &allowed), [false; 0]);
        assert_eq!(weights(400, &allowed), [true]);
    }
}

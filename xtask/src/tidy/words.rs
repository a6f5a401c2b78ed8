//! The rule that nothing in the tree depends on one machine, one registry or one person's folder.

use super::{Finding, tree::Tree};

const RULE: &str = "words";

/// Banned words, and the reasons. They are assembled here, because this file is checked too.
const BANNED: &[(&str, &str)] = &[
    (concat!("/ho", "me/"), MACHINE),
    (concat!("/ro", "ot/"), MACHINE),
    (concat!("/Us", "ers/"), MACHINE),
    (concat!("/wo", "rk/"), MACHINE),
    (concat!("C:", "\\Users"), MACHINE),
    (concat!("../sha", "red"), "a page that is not in the tree"),
    (concat!("FIX", "ME"), LATER),
    (concat!("XX", "X:"), LATER),
    (concat!("cen", "sus"), RETIRED),
    (concat!("obit", "uary"), RETIRED),
    (concat!("Stret", "cher"), RETIRED),
];
const RETIRED: &str = "a word that another one stands for: see the glossary in ARCHITECTURE.md";
const MACHINE: &str = "a folder of one machine";
const LATER: &str = "a note for later: do it, or name it among the absences of ARCHITECTURE.md";
/// Example folders that belong to nobody.
const NOBODY: [&str; 2] = [concat!("/ho", "me/x/"), concat!("/ho", "me/somebody/")];

/// The only allowed source of packages in a lock file.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Returns banned words, those of `more` too, and packages of a lock file from another source.
pub fn check(tree: &Tree, more: &str) -> Vec<Finding> {
    let more = more.lines().map(str::trim).filter(|word| !word.is_empty());
    let banned: Vec<(&str, &str)> = BANNED
        .iter()
        .copied()
        .chain(more.map(|word| (word, "on the list given")))
        .collect();
    let mut findings = Vec::new();
    for (path, text) in tree.files() {
        for (n, line) in text.lines().enumerate() {
            let line = NOBODY
                .iter()
                .fold(line.to_owned(), |line, folder| line.replace(folder, ""));
            for (word, why) in banned.iter().filter(|(word, _)| line.contains(word)) {
                findings.push(Finding::new(RULE, path, n + 1, format!("'{word}': {why}")));
            }
        }
    }
    for (path, text) in tree.ending("Cargo.lock") {
        for (n, line) in text.lines().enumerate() {
            let source = line
                .strip_prefix("source = \"")
                .and_then(|rest| rest.strip_suffix('"'));
            if source.is_some_and(|source| source != REGISTRY) {
                let what = "a package from elsewhere than crates.io";
                findings.push(Finding::new(RULE, path, n + 1, what));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banned_word_is_found_with_its_line() {
        let (word, why) = BANNED[0];
        let text = format!("in an example, {}a\nsee {word}me\n", NOBODY[0]);
        let findings = check(&Tree::of(&[("a.md", &text)]), "");
        assert_eq!(
            findings,
            [Finding::new(RULE, "a.md", 2, format!("'{word}': {why}"))]
        );
    }

    #[test]
    fn a_list_from_elsewhere_adds_to_the_words() {
        let tree = Tree::of(&[("a.md", "the secret name\n")]);
        assert_eq!(check(&tree, "").len(), 0);
        assert_eq!(check(&tree, "\n secret name \n").len(), 1);
    }

    #[test]
    fn a_lock_file_names_one_registry() {
        let lock = |source: &str| format!("[[package]]\nname = \"a\"\nsource = \"{source}\"\n");
        assert_eq!(check(&Tree::of(&[("Cargo.lock", &lock(REGISTRY))]), "").len(), 0);
        assert_eq!(
            check(
                &Tree::of(&[("Cargo.lock", &lock("registry+https://mirror.example/index"))]),
                ""
            )
            .len(),
            1
        );
    }
}

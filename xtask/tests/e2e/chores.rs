//! The chores of this repository, end to end: what they say and how they exit.

use std::fs;

use tempfile::TempDir;

use super::{code, xtask};

/// The exit code, and everything that was said.
fn told(args: &[&str]) -> (i32, String) {
    let output = xtask(args);
    let said = [&output.stdout, &output.stderr].map(|out| String::from_utf8_lossy(out).into_owned());
    (code(&output), said.concat())
}

#[test]
fn generated_pages_are_current() {
    let (code, said) = told(&["docs", "--check"]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn the_tree_is_tidy_and_a_word_on_a_list_makes_it_untidy() {
    let (code, said) = told(&["tidy"]);
    assert_eq!(code, 0, "{said}");

    let folder = TempDir::new().expect("a folder");
    let words = folder.path().join("words");
    fs::write(&words, "Bad weather for ICE\n").expect("a file");
    let (code, said) = told(&["tidy", "--words", words.to_str().expect("UTF-8")]);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("README.md:3: words: 'Bad weather for ICE'"),
        "{said}"
    );

    let missing = folder.path().join("none");
    let (code, said) = told(&["tidy", "--words", missing.to_str().expect("UTF-8")]);
    assert_eq!(code, 2, "{said}");
}

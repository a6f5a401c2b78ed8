//! The chores of this repository, end to end: what they say and how they exit.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

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

#[test]
fn real_networks_are_asked_for_by_name() {
    let (code, said) = told(&["reality", "--list", "nat/accept"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("nat/accept-caller"), "{said}");
    assert!(!said.contains("nat/relay"), "{said}");
    assert_eq!(told(&["reality", "--list", "nothing"]).0, 4);
}

/// What `cargo tree` prints with `args`: each package with its features.
fn tree(args: &[&str]) -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let out = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--locked",
            "--prefix",
            "none",
            "--no-dedupe",
            "--format",
            "{p} {f}",
        ])
        .args(args)
        .current_dir(root)
        .output()
        .expect("cargo runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let lines = String::from_utf8(out.stdout).expect("text");
    lines
        .lines()
        .map(|l| l.trim_end_matches(" (*)").to_owned())
        .collect()
}

#[test]
fn the_command_line_and_the_tests_share_one_build_of_the_stack() {
    let test = tree(&["--workspace", "--edges", "normal,build,dev"]);
    for package in ["xtask", "sleet-bench"] {
        let run = tree(&["--package", package, "--edges", "normal,build"]);
        let twice: Vec<&String> = run.difference(&test).collect();
        assert!(
            twice.is_empty(),
            "built a second time for {package}; give it the features that the workspace asks for: {twice:#?}"
        );
    }
}

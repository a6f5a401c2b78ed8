//! `explain`, end to end: what the documentation shows is what is printed.

use std::{path::Path, process::Command};

use crate::PROGRAM;

fn explain(what: &str) -> String {
    let output = Command::new(PROGRAM)
        .args(["explain", what, "--budget", "10m"])
        .current_dir(root())
        .output()
        .expect("it starts");
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
}

/// To write the page anew after a change that is meant: run this test with `SLEET_UPDATE_DOCS=1`.
#[test]
fn the_page_shows_what_is_printed() {
    let path = root().join("docs/explain.md");
    let page = std::fs::read_to_string(&path).expect("the page");
    let mut blocks = 0;
    let fresh = page.split("```\n").enumerate().map(|(i, block)| {
        let command = block
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("$ cargo xtask explain "));
        match command.filter(|_| i % 2 == 1) {
            Some(what) => {
                blocks += 1;
                format!("$ cargo xtask explain {what}\n{}", explain(what))
            }
            None => block.to_owned(),
        }
    });
    let fresh = fresh.collect::<Vec<_>>().join("```\n");
    assert!(blocks >= 3, "{blocks} explanations");
    if std::env::var_os("SLEET_UPDATE_DOCS").is_some() {
        std::fs::write(&path, fresh).expect("written");
    } else {
        assert_eq!(page, fresh, "docs/explain.md is not what is printed");
    }
}

#[test]
fn where_no_rule_knows_it_says_so() {
    let text = explain("findings/closed-after-close@0");
    assert!(
        text.contains("No rule knows how it came about; what happened last:"),
        "{text}"
    );
    assert!(text.contains("this decided it, on"), "{text}");
}

#[test]
fn what_holds_has_no_explanation() {
    let output = Command::new(PROGRAM)
        .args(["explain", "candidates/buffer-both@0"])
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(123));
}

//! `cargo xtask tidy`: the rules of this repository that the compiler does not check.
//!
//! Each rule is a file: a function from the [`tree::Tree`] to its findings. Rules read text and never the disk, so that
//! each is tested on a tree of a few lines that breaks it. A rule that needs an exception names it, with its reason, in
//! its own file.
//!
//! - [`layers`]: a module of the harness imports only from modules above it in ARCHITECTURE.md
//! - [`circles`]: no files of a package import each other in a cycle
//! - [`length`]: no file is too long to be read at once
//! - [`safety`]: `unsafe` only where the clock and the entropy are intercepted
//! - [`headers`]: a file begins by saying what it is for
//! - [`links`]: links in Markdown, and pages that sources name, exist
//! - [`citations`]: citations of oracles and scenarios exist
//! - [`words`]: nothing in the tree depends on one machine or one registry

pub mod circles;
pub mod citations;
pub mod headers;
pub mod layers;
pub mod length;
pub mod links;
pub mod markdown;
pub mod safety;
pub mod source;
pub mod tree;
pub mod words;

use std::{
    fmt, fs,
    io::{self, Write},
    path::PathBuf,
};

use anyhow::Context;

use tree::Tree;

/// What `cargo xtask tidy` is asked.
#[derive(clap::Args)]
pub struct Args {
    /// More words that must not stand in the tree: a file with one in each line
    #[arg(long, value_name = "FILE")]
    words: Option<PathBuf>,
    /// Another copy of this repository to check, against the catalogue of this one
    #[arg(long, value_name = "FOLDER")]
    root: Option<PathBuf>,
}

/// A violation of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, from the root of the repository.
    pub file: String,
    /// The line, from 1; 0 means the whole file.
    pub line: usize,
    /// The rule.
    pub rule: &'static str,
    /// The violation, and how to fix it.
    pub what: String,
    /// Whether it is only a warning.
    pub is_warning: bool,
}

impl Finding {
    /// Creates a finding that breaks a rule.
    pub fn new(rule: &'static str, file: &str, line: usize, what: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line,
            rule,
            what: what.into(),
            is_warning: false,
        }
    }

    /// Turns the finding into a warning.
    pub fn warning(mut self) -> Self {
        self.is_warning = true;
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, rule, what, .. } = self;
        let weight = if self.is_warning { "warning: " } else { "" };
        match self.line {
            0 => write!(f, "{file}: {weight}{rule}: {what}"),
            line => write!(f, "{file}:{line}: {weight}{rule}: {what}"),
        }
    }
}

/// Checks the tree; returns true if no rule is broken.
pub fn tidy(args: &Args) -> anyhow::Result<bool> {
    let more = match &args.words {
        None => String::new(),
        Some(path) => {
            fs::read_to_string(path).with_context(|| format!("cannot read '{}'", path.display()))?
        }
    };
    let root = args.root.clone().map_or_else(tree::root, Ok)?;
    let tree = Tree::read(&root)?;
    let findings = check(&tree, &more);
    let mut out = io::stdout().lock();
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    let warnings = findings.iter().filter(|f| f.is_warning).count();
    let broken = findings.len() - warnings;
    writeln!(
        out,
        "tidy: {} files, {broken} broken rules, {warnings} warnings",
        tree.files().count()
    )?;
    Ok(broken == 0)
}

/// Returns the findings in `tree`, by file and line; `more` has further banned words, one per line.
fn check(tree: &Tree, more: &str) -> Vec<Finding> {
    let mut tree = tree.clone();
    let mut findings = links::expect_what_is_coming(&mut tree);
    let tree = &tree;
    let sources = source::sources(tree);
    findings.extend(sources.broken.clone());
    findings.extend(layers::check(tree, &sources));
    findings.extend(circles::check(&sources));
    findings.extend(length::check(tree));
    findings.extend(safety::check(&sources));
    findings.extend(headers::check(tree));
    findings.extend(links::check(tree));
    findings.extend(citations::check(tree));
    findings.extend(words::check(tree, more));
    findings.sort();
    findings
}

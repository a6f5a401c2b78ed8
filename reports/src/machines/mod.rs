//! Reports of a suite for machines, each within the size limit of its reader, however much broke.
//!
//! - [`step`]: the Markdown summary that a CI system shows beside a job
//! - [`annotations`]: annotations of a job of GitHub Actions
//! - [`quality`]: GitLab's code quality report
//!
//! JUnit XML is in [`junit`](crate::junit).

pub mod annotations;
pub mod quality;
pub mod step;

use sleet::run::summary::{Judgement, Summary};

use crate::printable::printable;

/// Returns `count` with the noun `one` in the singular or plural.
fn plural(count: u64, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        n => format!("{n} {one}s"),
    }
}

/// Iterates over scenarios that did not check what they should, or were slower than they may be, with a word for it and the reason.
fn not_as_meant(summary: &Summary) -> impl Iterator<Item = (&'static str, &str, &str)> {
    summary.scenarios.iter().filter_map(|s| match &s.judgement {
        Judgement::Vacuous(why) => Some(("vacuous", s.name.as_str(), why.as_str())),
        Judgement::Slower(why) => Some(("slower", s.name.as_str(), why.as_str())),
        _ => None,
    })
}

/// Returns the first `most` characters of `text`, on one line, without control characters.
fn clipped(text: &str, most: usize) -> String {
    let line = printable(text);
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

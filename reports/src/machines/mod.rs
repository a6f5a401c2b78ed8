//! What machines read of a suite: each the size that the machine takes, however much broke.
//!
//! - [`step`]: the Markdown summary that a CI system shows beside a job
//! - [`annotations`]: notes on a job of GitHub Actions
//! - [`quality`]: GitLab's code quality report
//!
//! JUnit XML is in [`junit`](crate::junit).

pub mod annotations;
pub mod quality;
pub mod step;

use sleet::run::summary::{Judgement, Summary};

/// What `count` of something is called.
fn plural(count: u64, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        n => format!("{n} {one}s"),
    }
}

/// Scenarios that did not check what they are there to check, and why.
fn vacuous(summary: &Summary) -> impl Iterator<Item = (&str, &str)> {
    summary.scenarios.iter().filter_map(|s| match &s.judgement {
        Judgement::Vacuous(why) => Some((s.name.as_str(), why.as_str())),
        _ => None,
    })
}

/// The first `most` characters of `text`, on one line, without what a terminal would obey.
fn clipped(text: &str, most: usize) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

//! The progress of a suite: a bar on a terminal, a line now and then elsewhere.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressStyle};

use crate::terminal;

/// Shows progress.
pub struct Progress {
    silent: bool,
    bar: Option<ProgressBar>,
    total: Option<u64>,
    done: u64,
    unexpected: u64,
}

/// The number of lines for a whole suite without a terminal.
const LINES: u64 = 10;
/// The number of runs per line if their total is unknown.
const RUNS_A_LINE: u64 = 1_000;

impl Progress {
    /// Creates the progress of `total` runs, or of an unknown number.
    pub fn new(total: Option<u64>) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {elapsed}");
            let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self {
            silent: false,
            bar,
            total,
            done: 0,
            unexpected: 0,
        }
    }

    /// Creates progress that shows nothing.
    pub fn silent() -> Self {
        Self {
            silent: true,
            bar: None,
            total: None,
            done: 0,
            unexpected: 0,
        }
    }

    /// Counts a run of `scenario` that has ended.
    pub fn ended(&mut self, scenario: &str, unexpected: bool) {
        self.done += 1;
        self.unexpected += u64::from(unexpected);
        if self.silent {
            return;
        }
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{scenario}{}", self.trouble()));
            bar.inc(1);
        } else if Some(self.done) == self.total || self.done.is_multiple_of(self.every()) {
            let of = self.total.map_or_else(String::new, |total| format!("/{total}"));
            terminal::note(&format!("{}{of} runs{}", self.done, self.trouble()));
        }
    }

    /// Shows `line` without disturbing the bar.
    pub fn say(&self, line: &str) {
        match &self.bar {
            _ if self.silent => {}
            Some(bar) => bar.suspend(|| terminal::note(line)),
            None => terminal::note(line),
        }
    }

    /// Stops showing progress.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Returns the number of runs between two lines.
    fn every(&self) -> u64 {
        self.total
            .map_or(RUNS_A_LINE, |total| total.div_ceil(LINES).max(1))
    }

    fn trouble(&self) -> String {
        match self.unexpected {
            0 => String::new(),
            n => format!(", {n} unexpected"),
        }
    }
}

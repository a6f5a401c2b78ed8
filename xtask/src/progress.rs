//! How far a suite is: a bar on a terminal, a line now and then elsewhere.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressStyle};

use crate::terminal;

/// Shows progress.
pub struct Progress {
    bar: Option<ProgressBar>,
    total: u64,
    done: u64,
    unexpected: u64,
}

/// Lines of a whole suite where there is no terminal.
const LINES: u64 = 10;

impl Progress {
    /// Of `total` runs.
    pub fn new(total: u64) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {elapsed}");
            ProgressBar::new(total).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self {
            bar,
            total,
            done: 0,
            unexpected: 0,
        }
    }

    /// A run of `scenario` has ended.
    pub fn ended(&mut self, scenario: &str, unexpected: bool) {
        self.done += 1;
        self.unexpected += u64::from(unexpected);
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{scenario}{}", self.trouble()));
            bar.inc(1);
        } else if self.done == self.total || self.done.is_multiple_of(self.total.div_ceil(LINES)) {
            terminal::note(&format!("{}/{} runs{}", self.done, self.total, self.trouble()));
        }
    }

    /// Shows `line` without disturbing the bar.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| terminal::note(line)),
            None => terminal::note(line),
        }
    }

    /// No more is shown.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn trouble(&self) -> String {
        match self.unexpected {
            0 => String::new(),
            n => format!(", {n} unexpected"),
        }
    }
}

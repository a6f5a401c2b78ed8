//! The questions of a review on a terminal: one per group, applied at once.

use std::{
    io::{self, BufRead, Write},
    path::Path,
};

use sleet_reports::review::Group;

use super::{SOME, decide, say, show};

/// The reviewer's answer about a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Accept,
    Reject,
    Skip,
    ShowAll,
    Quit,
}

/// Shows each of `groups` and asks what to do with it.
pub fn ask(folder: &Path, groups: &[Group]) -> anyhow::Result<()> {
    let mut most = SOME;
    let mut left = groups.iter().peekable();
    while let Some(group) = left.peek() {
        show(group, most);
        most = SOME;
        match answer()? {
            Answer::Accept => decide(folder, &[group], &[])?,
            Answer::Reject => decide(folder, &[], &[group])?,
            Answer::Skip => {}
            Answer::ShowAll => {
                most = usize::MAX;
                continue;
            }
            Answer::Quit => return Ok(()),
        }
        say("");
        left.next();
    }
    Ok(())
}

/// Asks until the answer is valid. The end of the input quits.
fn answer() -> io::Result<Answer> {
    loop {
        let mut out = io::stdout().lock();
        write!(out, "[a]ccept, [r]eject, [s]kip, [v]iew all of it, [q]uit? ")?;
        out.flush()?;
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line)? == 0 {
            return Ok(Answer::Quit);
        }
        match line.trim() {
            "a" | "accept" => return Ok(Answer::Accept),
            "r" | "reject" => return Ok(Answer::Reject),
            "s" | "skip" => return Ok(Answer::Skip),
            "v" | "view" => return Ok(Answer::ShowAll),
            "q" | "quit" => return Ok(Answer::Quit),
            _ => {}
        }
    }
}

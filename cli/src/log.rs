//! `results.jsonl` while a suite runs: a line is added as each run ends, and at the end the lines are put in the order
//! of the suite, atomically.
//!
//! An incomplete last line never was a result. Of two lines of one run the later counts. Results are not kept in
//! memory, only which runs have ended, and where lines are that are out of order.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, BufWriter, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use anyhow::Context;
use sleet::run::result::RunResult;

use crate::{places::Places, schedule::Schedule};

/// The results of the runs that have ended.
pub struct Log {
    path: PathBuf,
    file: File,
    /// The number of bytes in complete lines.
    length: u64,
    ended: Places,
    /// For runs with several lines, the position of the one that counts.
    revised: BTreeMap<u64, u64>,
}

/// A line: its position and its length, in bytes.
type Span = (u64, usize);

impl Log {
    /// Creates an empty log.
    ///
    /// # Errors
    /// Fails if it cannot be created.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: File::create(path)?,
            path: path.to_owned(),
            length: 0,
            ended: Places::default(),
            revised: BTreeMap::new(),
        })
    }

    /// Opens the log at `path`, of runs of `schedule`; calls `each` with every result in it, and its number.
    ///
    /// # Errors
    /// Fails if it cannot be read or added to, or has a result of another suite.
    pub fn resume(
        path: &Path,
        schedule: &Schedule,
        mut each: impl FnMut(u64, RunResult) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let (mut ended, mut revised) = (Places::default(), BTreeMap::new());
        let length = read_lines(path, |(begin, _), result| {
            let number = number_of(schedule, &result, path)?;
            if !ended.insert(number) {
                revised.insert(number, begin);
            }
            each(number, result)
        })?;
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.and_then(|file| file.set_len(length).map(|()| file));
        let file = file.with_context(|| format!("cannot write to '{}'", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            length,
            ended,
            revised,
        })
    }

    /// Returns the numbers of the runs that have ended.
    pub fn ended(&self) -> &Places {
        &self.ended
    }

    /// Adds the result of the run with `number`.
    ///
    /// # Errors
    /// Fails if it cannot be written. A partial line will be cut off when the suite is resumed.
    pub fn add(&mut self, number: u64, result: &RunResult) -> anyhow::Result<()> {
        let line = serde_json::to_string(result)? + "\n";
        self.file.write_all(line.as_bytes())?;
        if !self.ended.insert(number) {
            self.revised.insert(number, self.length);
        }
        self.length += line.len() as u64;
        Ok(())
    }

    /// Puts the lines in the order of `schedule`; calls `each` with the results in that order.
    ///
    /// # Errors
    /// Fails if that cannot be read or written; the lines remain.
    pub fn finish(&self, schedule: &Schedule, mut each: impl FnMut(&RunResult)) -> anyhow::Result<()> {
        let new = self.path.with_extension("jsonl.new");
        let source = File::open(&self.path)?;
        let mut out = BufWriter::new(File::create(&new)?);
        let mut copy = |(begin, length): Span| -> anyhow::Result<()> {
            let mut line = vec![0; length];
            source.read_exact_at(&mut line, begin)?;
            each(&serde_json::from_slice(&line)?);
            Ok(out.write_all(&line)?)
        };
        // Lines that come before their turn.
        let mut early = BTreeMap::<u64, Span>::new();
        let mut due = self.ended.iter().peekable();
        read_lines(&self.path, |span, result| {
            let number = number_of(schedule, &result, &self.path)?;
            if self.revised.get(&number).is_none_or(|begin| *begin == span.0) {
                early.insert(number, span);
            }
            while let Some(span) = due.peek().and_then(|number| early.remove(number)) {
                copy(span)?;
                due.next();
            }
            Ok(())
        })?;
        anyhow::ensure!(
            due.peek().is_none(),
            "'{}' was changed by somebody",
            self.path.display()
        );
        out.into_inner()?;
        Ok(fs::rename(&new, &self.path)?)
    }
}

fn number_of(schedule: &Schedule, result: &RunResult, path: &Path) -> anyhow::Result<u64> {
    let number = schedule.number(&result.scenario, result.seed);
    number.with_context(|| {
        let folder = path.parent().unwrap_or(path);
        format!(
            "{}@{} in '{}' is not of this suite",
            result.scenario,
            result.seed,
            folder.display()
        )
    })
}

/// Reads the results in a file.
///
/// # Errors
/// Fails if it cannot be read, or a complete line is no result.
pub fn read_results(path: &Path) -> anyhow::Result<Vec<RunResult>> {
    let mut results = Vec::new();
    read_lines(path, |_, result| {
        results.push(result);
        Ok(())
    })?;
    Ok(results)
}

/// Calls `each` with the results in a file, if it exists; returns the number of bytes in complete lines.
fn read_lines(
    path: &Path,
    mut each: impl FnMut(Span, RunResult) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        file => file.with_context(|| format!("cannot read '{}'", path.display()))?,
    };
    let (mut reader, mut begin) = (BufReader::new(file), 0);
    let mut line = Vec::new();
    for n in 1.. {
        line.clear();
        reader
            .read_until(b'\n', &mut line)
            .with_context(|| format!("cannot read '{}'", path.display()))?;
        if line.last() != Some(&b'\n') {
            break;
        }
        let result = serde_json::from_slice(&line)
            .with_context(|| format!("line {n} of '{}' is not a result", path.display()))?;
        each((begin, line.len()), result)?;
        begin += line.len() as u64;
    }
    Ok(begin)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sleet::{
        fault::Plan,
        run::{result::RunOutcome, shard::Shard},
        scenario::{Kind, Scenario},
        seed::Seed,
    };
    use tempfile::TempDir;

    use super::*;
    use crate::schedule::Seeds;

    fn schedule() -> Schedule {
        let draw = |_| -> Plan { unreachable!("nothing is drawn") };
        let scenario = Arc::new(Scenario::new(Kind::Promise, "a/b", draw, |_, _| async {}));
        Schedule::listed(vec![(scenario, Seeds::Range(0..10))], Shard::WHOLE)
    }

    fn result(seed: u64, why: &str) -> RunResult {
        RunResult::without_record("a/b", Seed(seed), RunOutcome::Error, why.to_owned())
    }

    /// Returns the lines of the file after `lines` and the end of the suite.
    fn finished(folder: &TempDir, log: &Log) -> Vec<String> {
        let mut seen = Vec::new();
        log.finish(&schedule(), |r| {
            seen.push(format!("{}{}", r.seed, r.why.clone().unwrap_or_default()))
        })
        .expect("it is put in order");
        let written = read_results(&folder.path().join("r.jsonl")).expect("results");
        let written: Vec<String> = written
            .iter()
            .map(|r| format!("{}{}", r.seed, r.why.clone().unwrap_or_default()))
            .collect();
        assert_eq!(seen, written);
        written
    }

    #[test]
    fn lines_are_put_in_order_and_the_later_counts() {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("r.jsonl");
        let mut log = Log::create(&path).expect("a log");
        for (seed, why) in [
            (3, "a"),
            (1, "a"),
            (0, "a"),
            (7, "a"),
            (1, "b"),
            (2, "a"),
            (3, "b"),
            (3, "c"),
        ] {
            log.add(seed, &result(seed, why)).expect("it is written");
        }
        let expected = ["0a", "1b", "2a", "3c", "7a"];
        let text = fs::read_to_string(&path).expect("lines");

        // The suite is resumed with the same file, torn at its end.
        fs::write(&path, format!("{text}{}", &text[..40])).expect("written");
        let mut seen = 0;
        let resumed = Log::resume(&path, &schedule(), |_, _| {
            seen += 1;
            Ok(())
        });
        let mut resumed = resumed.expect("it is resumed");
        assert_eq!((seen, resumed.ended().len()), (8, 5));
        assert_eq!(finished(&folder, &resumed), expected);
        fs::write(&path, &text).expect("written");
        resumed.file = OpenOptions::new().append(true).open(&path).expect("it is there");
        resumed.add(4, &result(4, "d")).expect("it is written");
        assert_eq!(finished(&folder, &resumed), ["0a", "1b", "2a", "3c", "4d", "7a"]);
    }

    #[test]
    fn what_is_of_another_suite_is_refused() {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("r.jsonl");
        let mut log = Log::create(&path).expect("a log");
        log.add(0, &result(10, "a")).expect("it is written");
        let error = Log::resume(&path, &schedule(), |_, _| Ok(()))
            .err()
            .expect("it is refused");
        assert!(error.to_string().starts_with("a/b@10 in "), "{error}");
    }
}

//! The results of a sweep: a table of packets against treatments, and the packets that a call cannot do without.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use serde_json::json;
use sleet::sweep::{KnownBreak, Subject, Swept, Treatment, TrialOutcome, Tried};

use crate::table::Table;

/// A sweep with the data that only the command line knows.
pub struct Account<'a> {
    /// The run, `SCENARIO@SEED`.
    pub name: &'a str,
    /// The result of the sweep.
    pub swept: &'a Swept,
    /// The known failures there.
    pub known: &'a [KnownBreak],
    /// The command that replays each run that broke something: single faults first, then pairs.
    pub replays: &'a [String],
}

/// The figures of a sweep: a line of the table of several sweeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    name: String,
    packets: usize,
    messages: usize,
    singles: Counts,
    pairs: Counts,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Counts {
    held: usize,
    differs: usize,
    broke: usize,
    died: usize,
}

impl Counts {
    fn of(tried: &[Tried]) -> Self {
        let mut counts = Self::default();
        for t in tried {
            match t.outcome {
                TrialOutcome::Held => counts.held += 1,
                TrialOutcome::Differs { .. } => counts.differs += 1,
                TrialOutcome::Breaks(_) => counts.broke += 1,
                TrialOutcome::Died(_) => counts.died += 1,
            }
        }
        counts
    }

    fn all(&self) -> usize {
        self.held + self.differs + self.broke + self.died
    }

    fn text(&self) -> String {
        let mut parts = vec![
            format!("{} held", self.held),
            format!("{} held otherwise", self.differs),
            format!("{} broke an oracle", self.broke),
        ];
        if self.died > 0 {
            parts.push(format!("{} took their process down", self.died));
        }
        parts.join(", ")
    }
}

/// Returns the figures of a sweep.
pub fn line(account: &Account<'_>) -> Line {
    let subjects: BTreeSet<String> = account
        .swept
        .singles
        .iter()
        .filter(|t| matches!(t.hits[0].subject, Subject::Packet(_)))
        .map(|t| t.hits[0].subject.describe())
        .collect();
    let lost = |t: &&Tried| t.hits[0].treatment == Treatment::Lost;
    let swept = account.swept.singles.iter().filter(lost).count();
    Line {
        name: account.name.to_owned(),
        packets: subjects.len(),
        messages: swept - subjects.len(),
        singles: Counts::of(&account.swept.singles),
        pairs: Counts::of(&account.swept.pairs),
    }
}

/// Formats several sweeps as a table.
pub fn sum(lines: &[Line]) -> String {
    let mut table = Table::new(&[
        "call",
        ">packets",
        ">messages",
        ">single faults",
        ">held",
        ">held otherwise",
        ">broke",
        ">died",
        ">pairs",
        ">held",
        ">held otherwise",
        ">broke",
        ">died",
    ]);
    for line in lines {
        let figures = |c: &Counts| [c.all(), c.held, c.differs, c.broke, c.died];
        let mut row = vec![
            line.name.clone(),
            line.packets.to_string(),
            line.messages.to_string(),
        ];
        let all = figures(&line.singles).into_iter().chain(figures(&line.pairs));
        row.extend(all.map(|n| n.to_string()));
        table.row(row);
    }
    table.to_markdown()
}

/// Describes the whole result of a sweep.
pub fn text(account: &Account<'_>) -> String {
    let (swept, figures) = (account.swept, line(account));
    let mut out = format!(
        "{}: {} packets and {} messages, singled out up to {} ms\n",
        account.name, figures.packets, figures.messages, swept.plan.heal_at_ms
    );
    let _ = writeln!(
        out,
        "{} single faults: {}",
        figures.singles.all(),
        figures.singles.text()
    );
    if figures.pairs.all() > 0 {
        let _ = writeln!(
            out,
            "{} pairs of losses: {}",
            figures.pairs.all(),
            figures.pairs.text()
        );
    }
    let _ = write!(out, "\n{}", kinds(&swept.singles).to_markdown());
    let mut replays = account.replays.iter();
    let singles = with_replays(&swept.singles, &mut replays);
    let pairs = with_replays(&swept.pairs, &mut replays);
    let (known, broken): (Vec<Shown<'_>>, Vec<Shown<'_>>) = singles
        .into_iter()
        .partition(|(t, _)| account.known.iter().any(|k| k.covers(t)));
    if broken.is_empty() {
        let others = if known.is_empty() {
            ""
        } else {
            " but for what is known"
        };
        let _ = writeln!(
            out,
            "\nthere is no packet and no message that it cannot do without{others}"
        );
    } else {
        let _ = write!(out, "\nwhat it cannot do without:\n{}", list(&broken));
    }
    out.push_str(&what_is_known(account.known, &known));
    if !pairs.is_empty() {
        let _ = write!(out, "\npairs that it cannot do without:\n{}", list(&pairs));
    }
    out
}

/// A run that broke something, and the command that replays it.
type Shown<'a> = (&'a Tried, Option<&'a String>);

/// Returns the runs that broke something, each with its command.
fn with_replays<'a>(tried: &'a [Tried], replays: &mut impl Iterator<Item = &'a String>) -> Vec<Shown<'a>> {
    let broken = tried.iter().filter(|t| t.outcome.is_broken());
    broken.map(|t| (t, replays.next())).collect()
}

/// Lists each known defect with its number of occurrences, and one of them.
fn what_is_known(known: &[KnownBreak], shown: &[Shown<'_>]) -> String {
    let mut out = String::new();
    for one in known {
        let by: Vec<Shown<'_>> = shown.iter().filter(|(t, _)| one.covers(t)).copied().collect();
        let _ = match by.first() {
            Some(first) => write!(
                out,
                "\nknown, {} times, {}: the first is\n{}",
                by.len(),
                one.page,
                list(&[*first])
            ),
            None => writeln!(
                out,
                "\nno longer: {} when {} is {}, {}",
                one.oracle,
                one.kind,
                one.done.join(" or "),
                one.page
            ),
        };
    }
    out
}

/// Creates the table of kinds of packet against treatments.
fn kinds(singles: &[Tried]) -> Table {
    let mut heading = vec!["what", ">n"];
    heading.extend(Treatment::WORDS);
    let mut table = Table::new(&heading);
    let mut rows: Vec<(String, BTreeMap<&str, Vec<&TrialOutcome>>)> = Vec::new();
    for tried in singles {
        let (kind, word) = (tried.hits[0].subject.kind(), tried.hits[0].treatment.word());
        let row = match rows.iter().position(|(k, _)| *k == kind) {
            Some(row) => row,
            None => {
                rows.push((kind, BTreeMap::new()));
                rows.len() - 1
            }
        };
        rows[row].1.entry(word).or_default().push(&tried.outcome);
    }
    for (kind, cells) in rows {
        let n = cells.get("lost").map_or(0, Vec::len);
        let mut row = vec![kind, n.to_string()];
        row.extend(Treatment::WORDS.map(|word| cells.get(word).map_or("-".to_owned(), |c| cell(c))));
        table.row(row);
    }
    table
}

/// Formats the outcomes of a cell: `held`, or the count of each.
fn cell(outcomes: &[&TrialOutcome]) -> String {
    let mut counts: BTreeMap<String, (usize, u64)> = BTreeMap::new();
    for outcome in outcomes {
        let (word, ms) = word(outcome);
        let count = counts.entry(word).or_default();
        count.0 += 1;
        count.1 = count.1.max(ms);
    }
    let one_kind = counts.len() == 1;
    let part = |(word, (n, ms)): (String, (usize, u64))| {
        let most = match ms {
            0 => String::new(),
            ms => format!(" ≤ {ms} ms"),
        };
        match one_kind {
            true => format!("{word}{most}"),
            false => format!("{n} {word}{most}"),
        }
    };
    counts.into_iter().map(part).collect::<Vec<_>>().join(", ")
}

/// Returns an outcome as a word, and the milliseconds that belong to it.
fn word(outcome: &TrialOutcome) -> (String, u64) {
    match outcome {
        TrialOutcome::Held => ("held".to_owned(), 0),
        TrialOutcome::Breaks(broken) => (format!("**{}**", broken.oracle), 0),
        TrialOutcome::Died(_) => ("**died**".to_owned(), 0),
        TrialOutcome::Differs {
            attempts: Some(_),
            later_ms,
            ..
        } => ("another attempt".to_owned(), later_ms.unwrap_or(0)),
        TrialOutcome::Differs {
            pair: Some(pair),
            later_ms,
            ..
        } => (format!("over {pair}"), later_ms.unwrap_or(0)),
        TrialOutcome::Differs {
            later_ms: Some(ms), ..
        } => ("later".to_owned(), *ms),
        TrialOutcome::Differs { closes_later_ms, .. } => {
            ("closes later".to_owned(), closes_later_ms.unwrap_or(0))
        }
    }
}

/// Lists the runs that broke something, each with the oracle, the reason and the replay command.
fn list(shown: &[Shown<'_>]) -> String {
    let mut out = String::new();
    for (t, replay) in shown {
        let what: Vec<String> = t.hits.iter().map(|hit| hit.describe()).collect();
        let how = match &t.outcome {
            TrialOutcome::Breaks(broken) => format!("breaks {}: {}", broken.oracle, broken.why),
            TrialOutcome::Died(how) => format!("the run dies: {how}"),
            _ => continue,
        };
        let _ = write!(out, "  {}\n    {how}\n", what.join(", and "));
        if let Some(replay) = replay {
            let _ = writeln!(out, "    {replay}");
        }
    }
    out
}

/// Returns the treatments as a file name.
pub fn slug(tried: &Tried) -> String {
    let description: Vec<String> = tried
        .hits
        .iter()
        .map(|hit| format!("{} {}", hit.subject.describe(), hit.treatment.word()))
        .collect();
    let plain: String = description
        .join(" and ")
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let parts: Vec<&str> = plain
        .split('-')
        .filter(|p| !p.is_empty() && *p != "the")
        .collect();
    parts.join("-")
}

/// Returns every result, as one line of JSON.
pub fn json(account: &Account<'_>) -> String {
    let tried = |t: &Tried| {
        let what: Vec<String> = t.hits.iter().map(|hit| hit.describe()).collect();
        json!({ "what": what, "hits": t.hits, "outcome": t.outcome, "digest": t.digest })
    };
    let swept = account.swept;
    json!({
        "v": 1,
        "swept": account.name,
        "heal_at_ms": swept.plan.heal_at_ms,
        "digest": swept.good.digest,
        "singles": swept.singles.iter().map(tried).collect::<Vec<_>>(),
        "pairs": swept.pairs.iter().map(tried).collect::<Vec<_>>(),
    })
    .to_string()
}

//! The kinds of change: which differences a reviewer decides on together, and how the decision is described.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    Pending,
    compare::{Change, Place, cell},
};
use crate::{
    behaviour::{MESSAGES, ORDERS_TABLE, OUTCOMES, PAIRS},
    sheet::{Sheet, read_counted},
};

/// The kinds of change, the gravest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// Fewer seeds hold.
    Worse,
    /// Other oracles fire, though as many seeds hold.
    Oracles,
    /// The oracles of a story have other verdicts.
    Verdict,
    ScenarioGone,
    ScenarioNew,
    /// More seeds hold.
    Better,
    /// As many seeds hold, but more or fewer connect.
    Connected {
        more: bool,
    },
    /// The time to connect changes, by about this many milliseconds.
    Connect {
        later: bool,
        ms: u64,
    },
    Orders,
    /// Peers have new sequences of states, or no longer have some.
    Sequences,
    /// A type of pair is selected that was not, or one no longer is.
    PairTypes,
    /// A type of message is sent more or less often, by a fixed number per run.
    MessagesEach {
        message: String,
        more: bool,
        each: u64,
    },
    /// The sequences are the same, with other numbers of peers.
    SequenceCounts,
    PairCounts,
    Messages,
    Packets(Packets),
    /// A story changes in more than numbers.
    Story,
    /// A story changes in numbers only.
    StoryNumbers,
    NewSnapshot,
    /// Other seeds ran.
    Runs,
    Head,
    Layout,
}

/// The change of the number of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Packets {
    Doubled,
    Halved,
    More,
    Fewer,
    About,
}

/// The steps that times are rounded to, in milliseconds; the last one stands for itself and everything above.
const STEPS_MS: [u64; 8] = [1, 10, 20, 50, 100, 200, 500, SECONDS_MS];
/// The limit in milliseconds from which on the number of seconds does not matter.
const SECONDS_MS: u64 = 1_000;
/// The percentage within which numbers of packets count as about equal.
const ABOUT_PERCENT: u64 = 5;

/// Returns the kinds of the changes of `pending`.
pub fn of(pending: &Pending, changes: Vec<Change>) -> Vec<(ChangeKind, Change)> {
    let old = pending.old.as_deref().unwrap_or_default();
    let sheets = Sheet::parse(old).zip(Sheet::parse(&pending.new));
    let kind = |change: Change| {
        let kind = match (&change.place, &sheets) {
            (Place::Whole, _) if pending.old.is_none() => ChangeKind::NewSnapshot,
            (Place::Whole, Some(_)) => ChangeKind::Layout,
            (Place::Whole, None) => story(old, &pending.new),
            (Place::Head, _) => ChangeKind::Head,
            (Place::Scenario(_), _) if change.new.is_empty() => ChangeKind::ScenarioGone,
            (Place::Scenario(_), _) => ChangeKind::ScenarioNew,
            (
                Place::Cell {
                    table,
                    row,
                    column,
                    item,
                },
                Some((old, new)),
            ) => {
                let rows = Rows { old, new, row };
                let item = item.as_deref().unwrap_or(column);
                rows.kind(table, column, item, &change)
            }
            (Place::Cell { .. }, None) => ChangeKind::Layout,
        };
        (kind, change)
    };
    changes.into_iter().map(kind).collect()
}

/// A scenario in both sheets.
struct Rows<'a> {
    old: &'a Sheet,
    new: &'a Sheet,
    row: &'a str,
}

impl Rows<'_> {
    fn kind(&self, table: &str, column: &str, item: &str, change: &Change) -> ChangeKind {
        let (was, is) = (number(&change.old), number(&change.new));
        let more = is > was;
        match (table, column) {
            (OUTCOMES, "runs") => ChangeKind::Runs,
            (OUTCOMES, "packets") => ChangeKind::Packets(packets(was, is)),
            (OUTCOMES, "median" | "95th") => self.connect(),
            (OUTCOMES, "connected") => match self.outcome() {
                ChangeKind::Oracles => ChangeKind::Connected { more },
                outcome => outcome,
            },
            (OUTCOMES, _) => self.outcome(),
            (ORDERS_TABLE, _) => ChangeKind::Orders,
            (PAIRS, _) if was == 0 || is == 0 => ChangeKind::PairTypes,
            (PAIRS, _) => ChangeKind::PairCounts,
            (MESSAGES, _) => match self.each(was.abs_diff(is)) {
                Some(each) => ChangeKind::MessagesEach {
                    message: item.to_owned(),
                    more,
                    each,
                },
                None => ChangeKind::Messages,
            },
            _ if self.goes_on(table) => ChangeKind::SequenceCounts,
            _ => ChangeKind::Sequences,
        }
    }

    fn numbers(&self, column: &str) -> (Option<u64>, Option<u64>) {
        let of = |sheet| cell(sheet, OUTCOMES, self.row, column).parse().ok();
        (of(self.old), of(self.new))
    }

    /// Returns the kind of a change of the seeds that hold.
    fn outcome(&self) -> ChangeKind {
        let (was, is) = self.numbers("held");
        match is.cmp(&was) {
            Ordering::Less => ChangeKind::Worse,
            Ordering::Equal => ChangeKind::Oracles,
            Ordering::Greater => ChangeKind::Better,
        }
    }

    /// Returns the kind of a change of the time to connect: of the median, or of the 95th percentile if the median did
    /// not change.
    fn connect(&self) -> ChangeKind {
        for column in ["median", "95th"] {
            match self.numbers(column) {
                (Some(was), Some(is)) if was != is => {
                    return ChangeKind::Connect {
                        later: is > was,
                        ms: about(was.abs_diff(is)),
                    };
                }
                (Some(_), Some(_)) => {}
                (was, is) => return ChangeKind::Connected { more: is > was },
            }
        }
        ChangeKind::Layout
    }

    /// Returns the difference per run, if the number of runs is the same and `difference` is a multiple of it.
    fn each(&self, difference: u64) -> Option<u64> {
        match self.numbers("runs") {
            (Some(was), Some(is)) if was == is && is > 0 && difference.is_multiple_of(is) => {
                Some(difference / is)
            }
            _ => None,
        }
    }

    /// Reports whether the peers have the same sequences of states as before.
    fn goes_on(&self, table: &str) -> bool {
        let sequences = |sheet| -> BTreeSet<String> {
            let counts = only_cell(sheet, table, self.row).and_then(read_counted);
            counts.unwrap_or_default().into_keys().collect()
        };
        sequences(self.old) == sequences(self.new)
    }
}

/// Returns the only cell of a row.
fn only_cell<'a>(sheet: &'a Sheet, table: &str, row: &str) -> Option<&'a str> {
    let row = sheet.table(table)?.rows.iter().find(|r| r.key == row)?;
    row.cells.first().map(String::as_str)
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

/// Returns the nearest step, by ratio.
fn about(ms: u64) -> u64 {
    let further = |step: &&u64| {
        let (low, high) = (ms.min(**step).max(1), ms.max(**step));
        high * 1_000 / low
    };
    STEPS_MS.iter().min_by_key(further).copied().unwrap_or(ms)
}

fn packets(was: u64, is: u64) -> Packets {
    let about = was.abs_diff(is) * 100 <= was * ABOUT_PERCENT;
    match (about, is > was) {
        (true, _) => Packets::About,
        (false, true) if is >= was * 2 => Packets::Doubled,
        (false, true) => Packets::More,
        (false, false) if is * 2 <= was => Packets::Halved,
        (false, false) => Packets::Fewer,
    }
}

/// Returns the kind of difference between two versions of a story.
fn story(old: &str, new: &str) -> ChangeKind {
    if numberless(old) == numberless(new) {
        return ChangeKind::StoryNumbers;
    }
    let (was, is) = (sections(old), sections(new));
    match was.get("oracles") == is.get("oracles") {
        true => ChangeKind::Story,
        false => ChangeKind::Verdict,
    }
}

/// Returns the sections of a story by title; the text before the first one is its `heading`.
fn sections(story: &str) -> BTreeMap<&str, &str> {
    let mut blocks = story.split("\n\n");
    let heading = ("heading", blocks.next().unwrap_or_default());
    let titled = blocks.map(|block| block.split_once('\n').unwrap_or((block, "")));
    std::iter::once(heading)
        .chain(titled)
        .map(|(title, text)| (title, text.trim_end()))
        .collect()
}

/// Returns the text with every number as one digit, and every run of spaces or dashes as one: the width of a number
/// moves the text beside it.
fn numberless(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        let letter = if letter.is_ascii_digit() { '0' } else { letter };
        let runs = matches!(letter, '0' | ' ' | '-');
        if !(runs && out.ends_with(letter)) {
            out.push(letter);
        }
    }
    out
}

impl ChangeKind {
    /// Returns the id of the kind on a command line.
    pub fn id(&self) -> String {
        let way = |more: &bool| if *more { "more" } else { "fewer" };
        match self {
            Self::Worse => "outcome-worse".into(),
            Self::Oracles => "outcome-oracles".into(),
            Self::Verdict => "story-oracles".into(),
            Self::ScenarioGone => "scenario-gone".into(),
            Self::ScenarioNew => "scenario-new".into(),
            Self::Better => "outcome-better".into(),
            Self::Connected { more } => format!("connected-{}", way(more)),
            Self::Connect { later, ms } => {
                format!("connect-{}-{ms}ms", if *later { "later" } else { "earlier" })
            }
            Self::Orders => "orders".into(),
            Self::Sequences => "states".into(),
            Self::PairTypes => "pairs".into(),
            Self::MessagesEach { message, more, each } => format!("message-{message}-{each}-{}", way(more)),
            Self::SequenceCounts => "state-counts".into(),
            Self::PairCounts => "pair-counts".into(),
            Self::Messages => "messages".into(),
            Self::Packets(Packets::Doubled) => "packets-doubled".into(),
            Self::Packets(Packets::Halved) => "packets-halved".into(),
            Self::Packets(Packets::More) => "packets-more".into(),
            Self::Packets(Packets::Fewer) => "packets-fewer".into(),
            Self::Packets(Packets::About) => "packets-about".into(),
            Self::Story => "story".into(),
            Self::StoryNumbers => "story-numbers".into(),
            Self::NewSnapshot => "snapshot-new".into(),
            Self::Runs => "runs".into(),
            Self::Head => "head".into(),
            Self::Layout => "layout".into(),
        }
    }

    /// Describes what happened to `n` scenarios or stories.
    pub fn title(&self, n: usize) -> String {
        let noun = match self {
            Self::Verdict | Self::Story | Self::StoryNumbers => ["story", "stories"],
            Self::NewSnapshot | Self::Head | Self::Layout => ["snapshot", "snapshots"],
            _ => ["scenario", "scenarios"],
        };
        format!("{n} {}: {}", noun[usize::from(n != 1)], self.describe())
    }

    fn describe(&self) -> String {
        match self {
            Self::Worse => "outcome changes, fewer seeds hold".into(),
            Self::Oracles => "outcome changes, other oracles fire".into(),
            Self::Verdict => "what the oracles say changes".into(),
            Self::ScenarioGone => "gone".into(),
            Self::ScenarioNew => "new".into(),
            Self::Better => "outcome changes, more seeds hold".into(),
            Self::Connected { more: true } => "more runs connect".into(),
            Self::Connected { more: false } => "fewer runs connect".into(),
            Self::Connect { later, ms } => {
                let way = if *later { "later" } else { "earlier" };
                match *ms {
                    ..10 => format!("connect less than 10 ms {way}"),
                    SECONDS_MS.. => format!("connect about a second {way}, or more than that"),
                    ms => format!("connect about {ms} ms {way}"),
                }
            }
            Self::Orders => "orders of free steps change".into(),
            Self::Sequences => "peers go through other states".into(),
            Self::PairTypes => "pairs of other types are selected".into(),
            Self::MessagesEach { message, more, each } => {
                let way = if *more { "more" } else { "fewer" };
                match each {
                    1 => format!("one {way} *{message}* in each run"),
                    n => format!("{n} {way} *{message}* in each run"),
                }
            }
            Self::SequenceCounts => "the same states, gone through by other numbers of peers".into(),
            Self::PairCounts => "the same types of pairs, selected by other numbers of peers".into(),
            Self::Messages => "other numbers of messages, not alike in every run".into(),
            Self::Packets(Packets::Doubled) => "twice as many packets or more".into(),
            Self::Packets(Packets::Halved) => "half as many packets or fewer".into(),
            Self::Packets(Packets::More) => "more packets".into(),
            Self::Packets(Packets::Fewer) => "fewer packets".into(),
            Self::Packets(Packets::About) => format!("about as many packets, within {ABOUT_PERCENT} %"),
            Self::Story => "told differently".into(),
            Self::StoryNumbers => "only times and numbers change".into(),
            Self::NewSnapshot => "new".into(),
            Self::Runs => "other seeds ran".into(),
            Self::Head => "the heading changes".into(),
            Self::Layout => "laid out anew, nothing else".into(),
        }
    }
}

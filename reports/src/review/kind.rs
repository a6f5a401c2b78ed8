//! What kind of change a difference is: which differences a reviewer decides on together, and how the decision is put.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use sleet::trace::Machine;

use super::{
    Pending,
    compare::{Change, Place, cell},
};
use crate::{
    behaviour::{MESSAGES, ORDERS_TABLE, OUTCOMES, PAIRS, STATES},
    sheet::Sheet,
};

/// Kinds of change, the gravest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Fewer seeds hold.
    Worse,
    /// Other oracles fire, though as many seeds hold.
    Oracles,
    /// What a story's oracles say.
    Verdict,
    ScenarioGone,
    ScenarioNew,
    /// More seeds hold.
    Better,
    /// As many seeds hold, but more or fewer connect.
    Connected {
        more: bool,
    },
    /// They connect after another time, about this many milliseconds.
    Connect {
        later: bool,
        ms: u64,
    },
    Orders,
    /// Peers go through sequences of states that they did not go through, or through some no longer.
    Sequences(String),
    /// As many sequences, other numbers of peers.
    SequenceCounts(String),
    Pairs {
        types: String,
        more: bool,
    },
    /// A type of message is sent more or less often; where it is by as many in every run, how many.
    Messages {
        message: String,
        more: bool,
        each: Option<u64>,
    },
    Packets(Packets),
    /// Sections of a story.
    Story(String),
    /// A story whose numbers alone differ.
    StoryNumbers,
    NewSnapshot,
    /// Other seeds ran.
    Runs,
    Head,
    Layout,
}

/// How much the number of packets changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Packets {
    Doubled,
    Halved,
    More,
    Fewer,
    About,
}

/// Steps that times are rounded to, in milliseconds.
const STEPS_MS: [u64; 13] = [
    1, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000,
];
/// Packets within this many percent are about as many.
const ABOUT_PERCENT: u64 = 5;

/// The kinds of the changes of `pending`.
pub fn of(pending: &Pending, changes: Vec<Change>) -> Vec<(Kind, Change)> {
    let old = pending.old.as_deref().unwrap_or_default();
    let sheets = Sheet::parse(old).zip(Sheet::parse(&pending.new));
    let kind = |change: Change| {
        let kind = match (&change.place, &sheets) {
            (Place::Whole, _) if pending.old.is_none() => Kind::NewSnapshot,
            (Place::Whole, Some(_)) => Kind::Layout,
            (Place::Whole, None) => story(old, &pending.new),
            (Place::Head, _) => Kind::Head,
            (Place::Scenario(_), _) if change.new.is_empty() => Kind::ScenarioGone,
            (Place::Scenario(_), _) => Kind::ScenarioNew,
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
            (Place::Cell { .. }, None) => Kind::Layout,
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
    fn kind(&self, table: &str, column: &str, item: &str, change: &Change) -> Kind {
        let (was, is) = (number(&change.old), number(&change.new));
        let more = is > was;
        match (table, column) {
            (OUTCOMES, "runs") => Kind::Runs,
            (OUTCOMES, "packets") => Kind::Packets(packets(was, is)),
            (OUTCOMES, "median" | "95th") => self.connect(),
            (OUTCOMES, "connected") => match self.outcome() {
                Kind::Oracles => Kind::Connected { more },
                outcome => outcome,
            },
            (OUTCOMES, _) => self.outcome(),
            (ORDERS_TABLE, _) => Kind::Orders,
            (PAIRS, _) => Kind::Pairs {
                types: item.to_owned(),
                more,
            },
            (MESSAGES, _) => Kind::Messages {
                message: item.to_owned(),
                more,
                each: self.each(was.abs_diff(is)),
            },
            _ => self.states(table),
        }
    }

    fn numbers(&self, column: &str) -> (Option<u64>, Option<u64>) {
        let of = |sheet| cell(sheet, OUTCOMES, self.row, column).parse().ok();
        (of(self.old), of(self.new))
    }

    /// What became of the seeds that hold.
    fn outcome(&self) -> Kind {
        let (was, is) = self.numbers("held");
        match is.cmp(&was) {
            Ordering::Less => Kind::Worse,
            Ordering::Equal => Kind::Oracles,
            Ordering::Greater => Kind::Better,
        }
    }

    /// By how much the time to connect changed: the median, or the 95th percentile where the median did not.
    fn connect(&self) -> Kind {
        for column in ["median", "95th"] {
            match self.numbers(column) {
                (Some(was), Some(is)) if was != is => {
                    return Kind::Connect {
                        later: is > was,
                        ms: about(was.abs_diff(is)),
                    };
                }
                (Some(_), Some(_)) => {}
                (was, is) => return Kind::Connected { more: is > was },
            }
        }
        Kind::Layout
    }

    /// How many in each run, where the runs are as many as before and `difference` can be shared out among them.
    fn each(&self, difference: u64) -> Option<u64> {
        match self.numbers("runs") {
            (Some(was), Some(is)) if was == is && is > 0 && difference % is == 0 => Some(difference / is),
            _ => None,
        }
    }

    fn states(&self, table: &str) -> Kind {
        let machine = table.strip_suffix(STATES).unwrap_or(table).to_owned();
        let sequences = |sheet| {
            let cells = sheet_cells(sheet, table, self.row);
            let counts = cells.and_then(crate::sheet::read_counted).unwrap_or_default();
            counts.into_keys().collect::<Vec<_>>()
        };
        match sequences(self.old) == sequences(self.new) {
            true => Kind::SequenceCounts(machine),
            false => Kind::Sequences(machine),
        }
    }
}

/// The only cell of a row.
fn sheet_cells<'a>(sheet: &'a Sheet, table: &str, row: &str) -> Option<&'a str> {
    let row = sheet.table(table)?.rows.iter().find(|r| r.key == row)?;
    row.cells.first().map(String::as_str)
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

/// The nearest step, by ratio.
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

/// What differs between two tellings of a story.
fn story(old: &str, new: &str) -> Kind {
    if numberless(old) == numberless(new) {
        return Kind::StoryNumbers;
    }
    let (was, is) = (sections(old), sections(new));
    let titles: BTreeSet<&str> = was.keys().chain(is.keys()).copied().collect();
    let differs = |title: &&str| was.get(title) != is.get(title);
    let differing: Vec<&str> = titles.into_iter().filter(differs).collect();
    match differing.contains(&"oracles") {
        true => Kind::Verdict,
        false => Kind::Story(differing.join(", ")),
    }
}

/// The sections of a story by title; what is before the first one is its `heading`.
fn sections(story: &str) -> BTreeMap<&str, &str> {
    let mut blocks = story.split("\n\n");
    let heading = ("heading", blocks.next().unwrap_or_default());
    let titled = blocks.map(|block| block.split_once('\n').unwrap_or((block, "")));
    std::iter::once(heading)
        .chain(titled)
        .map(|(title, text)| (title, text.trim_end()))
        .collect()
}

/// The text with every number as one digit, and every run of spaces or dashes as one: how wide a number is moves what
/// stands beside it.
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

impl Kind {
    /// What it is called on a command line.
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
            Self::Sequences(machine) => format!("states-{machine}"),
            Self::SequenceCounts(machine) => format!("states-{machine}-counts"),
            Self::Pairs { types, more } => format!("pair-{types}-{}", way(more)),
            Self::Messages { message, more, each } => {
                let each = each.map_or_else(|| "some".to_owned(), |n| n.to_string());
                format!("message-{message}-{each}-{}", way(more))
            }
            Self::Packets(Packets::Doubled) => "packets-doubled".into(),
            Self::Packets(Packets::Halved) => "packets-halved".into(),
            Self::Packets(Packets::More) => "packets-more".into(),
            Self::Packets(Packets::Fewer) => "packets-fewer".into(),
            Self::Packets(Packets::About) => "packets-about".into(),
            Self::Story(sections) => format!("story-{}", sections.replace(", ", "+").replace(' ', "-")),
            Self::StoryNumbers => "story-numbers".into(),
            Self::NewSnapshot => "snapshot-new".into(),
            Self::Runs => "runs".into(),
            Self::Head => "head".into(),
            Self::Layout => "layout".into(),
        }
    }

    /// What happened to `n` scenarios or stories.
    pub fn title(&self, n: usize) -> String {
        let noun = match self {
            Self::Verdict | Self::Story(_) | Self::StoryNumbers => ["story", "stories"],
            Self::NewSnapshot | Self::Head | Self::Layout => ["snapshot", "snapshots"],
            _ => ["scenario", "scenarios"],
        };
        format!("{n} {}: {}", noun[usize::from(n != 1)], self.words())
    }

    fn words(&self) -> String {
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
                let about = if *ms < 10 {
                    "less than 10".to_owned()
                } else {
                    format!("about {ms}")
                };
                format!("connect {about} ms {way}")
            }
            Self::Orders => "orders of free steps change".into(),
            Self::Sequences(machine) => format!("{} goes through other states", machine_words(machine)),
            Self::SequenceCounts(machine) => {
                format!(
                    "{} goes through the same states, in other numbers",
                    machine_words(machine)
                )
            }
            Self::Pairs { types, more } => {
                format!(
                    "{types} is selected {} often",
                    if *more { "more" } else { "less" }
                )
            }
            Self::Messages { message, more, each } => {
                let way = if *more { "more" } else { "fewer" };
                match each {
                    Some(1) => format!("one {way} *{message}* in each run"),
                    Some(n) => format!("{n} {way} *{message}* in each run"),
                    None => format!("{way} *{message}*, not alike in every run"),
                }
            }
            Self::Packets(Packets::Doubled) => "twice as many packets or more".into(),
            Self::Packets(Packets::Halved) => "half as many packets or fewer".into(),
            Self::Packets(Packets::More) => "more packets".into(),
            Self::Packets(Packets::Fewer) => "fewer packets".into(),
            Self::Packets(Packets::About) => format!("about as many packets, within {ABOUT_PERCENT} %"),
            Self::Story(sections) => format!("told differently: {sections}"),
            Self::StoryNumbers => "only times and numbers change".into(),
            Self::NewSnapshot => "new".into(),
            Self::Runs => "other seeds ran".into(),
            Self::Head => "the heading changes".into(),
            Self::Layout => "laid out anew, nothing else".into(),
        }
    }
}

fn machine_words(machine: &str) -> String {
    let known = [
        Machine::Ice,
        Machine::Connection,
        Machine::Signaling,
        Machine::Gathering,
    ];
    let is_known = known.iter().any(|m| m.to_string() == machine);
    if is_known {
        format!("the {machine} state")
    } else {
        machine.to_owned()
    }
}

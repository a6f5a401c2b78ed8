//! The committed counts: `xtask/bench/counts.json`, and the table of them in docs/performance.md.

use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use sleet::scenario::{Kind, Scenario};

use super::{Count, Part};
use crate::cargo::root;

/// Families that are not counted: they test the harness, or go through orders, which takes too long under valgrind.
const LEFT_OUT: [&str; 2] = ["selftest", "exhaustive"];
/// Scenarios that are counted beside the first promise of each family: what the budgets are about.
const ALSO: [&str; 2] = ["candidates/buffer-receiver-bare", "nat/full-peers"];
/// Counts below so many thousand instructions are not compared: a handful of them is a large share.
const TOO_SMALL: u64 = 200;
/// Where the table of the page begins and ends.
const BEGIN: &str = "<!-- counts, written by `cargo xtask counts --write` -->";
const END: &str = "<!-- end of counts -->";

/// What one run costs, in thousands of instructions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// All of them.
    pub total: u64,
    /// Those of the project's own parts, with what they ask of the standard library and the allocator, if that was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<u64>,
    /// By part.
    pub parts: BTreeMap<String, u64>,
}

impl Kept {
    /// What is kept of `count`.
    pub fn of(count: &Count) -> Self {
        let thousands = |instructions: f64| (instructions / 1_000.0).round() as u64;
        let part = |part: Part| (part.to_string(), thousands(count.of(part)));
        Self {
            total: thousands(count.total()),
            ours: count.ours().map(thousands),
            parts: Part::ALL.map(part).into(),
        }
    }

    fn part(&self, part: Part) -> u64 {
        self.parts.get(&part.to_string()).copied().unwrap_or_default()
    }

    /// The share of the project's own parts with what they call, in percent.
    fn own_share(&self) -> Option<f64> {
        self.ours
            .map(|ours| 100.0 * ours as f64 / self.total.max(1) as f64)
    }
}

/// The scenarios that `families` names, or those of the table.
///
/// # Errors
/// If a name names nothing.
pub fn scenarios(families: &[String]) -> anyhow::Result<Vec<String>> {
    let all = sleet_scenarios::catalogue();
    let first = |family: &str| {
        let mut of_family = all.iter().filter(|s| s.family() == family);
        let promise = of_family.clone().find(|s| s.kind == Kind::Promise);
        promise.or_else(|| of_family.next())
    };
    let mut names: Vec<String> = Vec::new();
    let mut add = |scenario: &Scenario| {
        if !names.contains(&scenario.name) {
            names.push(scenario.name.clone());
        }
    };
    if families.is_empty() {
        for scenario in &all {
            if LEFT_OUT.contains(&scenario.family()) {
                continue;
            }
            if ALSO.contains(&scenario.name.as_str())
                || first(scenario.family()).is_some_and(|s| s.name == scenario.name)
            {
                add(scenario);
            }
        }
        return Ok(names);
    }
    for family in families {
        match all.iter().find(|s| s.name == *family).or_else(|| first(family)) {
            Some(scenario) => add(scenario),
            None => bail!("no family and no scenario is called '{family}'"),
        }
    }
    Ok(names)
}

/// A count in a line.
pub fn line(scenario: &str, kept: &Kept) -> String {
    let part = |part: &Part| {
        format!(
            "{part} {:.1} %",
            100.0 * kept.part(*part) as f64 / kept.total.max(1) as f64
        )
    };
    let parts: Vec<String> = Part::ALL.iter().map(part).collect();
    let own = kept
        .own_share()
        .map_or(String::new(), |own| format!(", ours {own:.1} %"));
    format!(
        "{scenario}: {} thousand instructions a run{own} ({})",
        kept.total,
        parts.join(", ")
    )
}

fn file() -> anyhow::Result<PathBuf> {
    Ok(root()?.join("xtask/bench/counts.json"))
}

/// The committed counts.
///
/// # Errors
/// If the file cannot be read.
pub fn read() -> anyhow::Result<BTreeMap<String, Kept>> {
    let path = file()?;
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read '{}'", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("'{}' are not counts", path.display()))
}

/// Writes `counted` to the committed file, in place of all or of what it names, and the table of the page.
///
/// # Errors
/// If a file cannot be read or written.
pub fn write(counted: &BTreeMap<String, Kept>, all: bool) -> anyhow::Result<()> {
    let mut kept = if all { BTreeMap::new() } else { read()? };
    kept.extend(counted.clone());
    let path = file()?;
    let text = serde_json::to_string_pretty(&kept)? + "\n";
    fs::write(&path, text).with_context(|| format!("cannot write '{}'", path.display()))?;

    let page = root()?.join("docs/performance.md");
    let text = fs::read_to_string(&page).with_context(|| format!("cannot read '{}'", page.display()))?;
    let begin = text.find(BEGIN).context("the page has no block for counts")? + BEGIN.len();
    let end = text.find(END).context("the block for counts has no end")?;
    let text = format!("{}\n\n{}\n\n{}", &text[..begin], table(&kept), &text[end..]);
    fs::write(&page, text).with_context(|| format!("cannot write '{}'", page.display()))
}

/// The counts as a table of Markdown.
fn table(kept: &BTreeMap<String, Kept>) -> String {
    let mut lines = vec!["| scenario, seed 0 | thousand instructions | ours |".to_owned()];
    for part in Part::ALL {
        lines[0] += &format!(" {part} |");
    }
    lines.push("|---|---:|---:|".to_owned() + &"---:|".repeat(Part::ALL.len()));
    for (scenario, count) in kept {
        let own = count
            .own_share()
            .map_or("–".to_owned(), |own| format!("{own:.1} %"));
        let mut line = format!("| `{scenario}` | {} | {own} |", count.total);
        for part in Part::ALL {
            line += &format!(" {} |", count.part(part));
        }
        lines.push(line);
    }
    lines.join("\n")
}

/// What differs between the committed counts and `now` by more than `tolerance` percent, in words.
pub fn moved(kept: &BTreeMap<String, Kept>, now: &BTreeMap<String, Kept>, tolerance: f64) -> Vec<String> {
    let mut lines = Vec::new();
    for (scenario, now) in now {
        let Some(kept) = kept.get(scenario) else {
            lines.push(format!("{scenario}: not among the committed counts"));
            continue;
        };
        let mut compare = |what: &str, was: u64, is: u64| {
            let moved = 100.0 * (is as f64 - was as f64) / was.max(1) as f64;
            if was.max(is) >= TOO_SMALL && moved.abs() > tolerance {
                lines.push(format!(
                    "{scenario}: {what}: {was} to {is} thousand ({moved:+.1} %)"
                ));
            }
        };
        compare("all", kept.total, now.total);
        for part in Part::ALL {
            compare(&part.to_string(), kept.part(part), now.part(part));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(total: u64, engine: u64) -> Kept {
        Kept {
            total,
            ours: None,
            parts: [(Part::Engine.to_string(), engine)].into(),
        }
    }

    #[test]
    fn a_count_that_moves_is_named_with_its_part() {
        let of = |count: Kept| BTreeMap::from([("a/b".to_owned(), count)]);
        let was = of(kept(10_000, 1_000));
        assert_eq!(moved(&was, &of(kept(10_200, 1_020)), 3.0), Vec::<String>::new());
        assert_eq!(
            moved(&was, &of(kept(10_050, 1_050)), 3.0),
            ["a/b: engine: 1000 to 1050 thousand (+5.0 %)"]
        );
        assert_eq!(moved(&BTreeMap::new(), &was, 3.0).len(), 1);
        // A small part may move as it likes.
        assert_eq!(
            moved(&of(kept(10_000, 10)), &of(kept(10_000, 20)), 3.0),
            Vec::<String>::new()
        );
    }

    #[test]
    fn every_family_is_counted_once_or_left_out() {
        let names = scenarios(&[]).expect("names");
        for scenario in sleet_scenarios::catalogue() {
            let family = scenario.family();
            let counted = names.iter().any(|name| name.starts_with(&format!("{family}/")));
            assert_ne!(counted, LEFT_OUT.contains(&family), "{family}");
        }
        assert!(scenarios(&["nonsense".into()]).is_err());
    }
}

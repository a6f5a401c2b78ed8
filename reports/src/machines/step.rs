//! The Markdown summary that a CI system shows beside a job: what held, and what broke by oracle.
//!
//! GitHub refuses more than 1 MiB per step; this stays below [`LIMIT`] whatever broke, and says what it leaves out.

use sleet::run::summary::{Judgement, Summary};

use super::{clipped, not_as_meant, plural};
use crate::{
    gather::{Gathered, Group},
    summary,
};

/// The largest size, in bytes.
pub const LIMIT: usize = 900_000;
/// The number of bytes reserved for the text after the failures.
const RESERVE: usize = 100_000;
/// The number of failures of one scenario and oracle that are listed with their replay lines.
const LISTED: usize = 20;
/// The number of characters of a reason.
const WHY: usize = 300;

/// Returns the summary of a suite.
pub fn markdown(summary: &Summary, gathered: &Gathered<'_>) -> String {
    let mut out = headline(summary, gathered);
    failures(&mut out, gathered);
    let others: Vec<_> = not_as_meant(summary).collect();
    if !others.is_empty() {
        out.push_str("\n### Checked nothing, or slower\n\n");
        for (what, scenario, why) in others {
            push(
                &mut out,
                LIMIT - RESERVE / 2,
                &format!("- `{scenario}` ({what}): {}\n", text(why)),
            );
        }
    }
    if !summary.remedies.is_empty() {
        let table = summary::remedies(&summary.remedies);
        push(&mut out, LIMIT - 2_000, &folded("Remedies", &table));
    }
    if !summary.mistakes.is_empty() {
        let table = summary::mistakes(&summary.mistakes);
        push(
            &mut out,
            LIMIT - 2_000,
            &folded("Mistakes of clients, and what catches them", &table),
        );
    }
    for matrix in &summary.matrices {
        let table = summary::matrix(matrix);
        push(&mut out, LIMIT - 2_000, &folded(&matrix.scenario, &table));
    }
    out.push_str(&format!("\nDigest over all runs: `{}`\n", summary.digest));
    out
}

fn headline(summary: &Summary, gathered: &Gathered<'_>) -> String {
    let scenarios = summary.scenarios.len() as u64;
    let of = |held: fn(&Judgement) -> bool| summary.scenarios.iter().filter(|s| held(&s.judgement)).count();
    let broken = of(|j| {
        matches!(
            j,
            Judgement::Slower(_) | Judgement::Broken(_) | Judgement::Nondeterministic(_)
        )
    });
    let vacuous = of(|j| matches!(j, Judgement::Vacuous(_)));
    let not_judged = of(|j| matches!(j, Judgement::NotJudged));
    let held = of(|j| matches!(j, Judgement::Held));
    let verdict = match (broken, vacuous) {
        (0, 0) => format!("✅ Sleet: nothing broke in {}", plural(summary.runs(), "run")),
        (0, n) => format!("⚠️ Sleet: {} checked nothing", plural(n as u64, "scenario")),
        (n, _) => format!(
            "❌ Sleet: {n} of {} broke, {}",
            plural(scenarios, "scenario"),
            plural(gathered.count(), "failure")
        ),
    };
    format!(
        "## {verdict}\n\n| runs | scenarios | held | broken | checked nothing | not judged |\n|-:|-:|-:|-:|-:|-:|\n\
         | {} | {scenarios} | {held} | {broken} | {vacuous} | {not_judged} |\n",
        summary.runs()
    )
}

/// Adds every broken oracle, as far as there is room.
fn failures(out: &mut String, gathered: &Gathered<'_>) {
    let groups = gathered.groups();
    for (n, group) in groups.iter().enumerate() {
        if !push(out, LIMIT - RESERVE, &of_group(group)) {
            let more = plural((groups.len() - n) as u64, "more kind");
            out.push_str(&format!(
                "\n{more} of failure are left out here: `results.jsonl` has them.\n"
            ));
            return;
        }
    }
}

fn of_group(group: &Group<'_>) -> String {
    let mut out = format!(
        "\n### {}: {}\n\n{}\n",
        group.broke,
        plural(group.count, "failure"),
        group.meaning
    );
    out.push_str("\n| scenario | failures | first | why |\n|-|-:|-:|-|\n");
    for (scenario, count, runs) in &group.scenarios {
        let first = runs.first();
        let seed = first.map_or_else(|| "-".to_owned(), |run| run.seed.to_string());
        let why = first
            .and_then(|run| run.why.as_deref())
            .unwrap_or("no reason was recorded");
        out.push_str(&format!("| `{scenario}` | {count} | {seed} | {} |\n", text(why)));
    }
    let listed: u64 = group
        .scenarios
        .iter()
        .map(|(_, _, runs)| runs.len().min(LISTED) as u64)
        .sum();
    out.push_str("\n<details><summary>Replay lines</summary>\n\n```\n");
    for (_, _, runs) in &group.scenarios {
        for run in runs.iter().take(LISTED) {
            out.push_str(&format!("{}\n", run.replay));
        }
    }
    out.push_str("```\n\n");
    if listed < group.count {
        out.push_str(&format!(
            "{} more are in `results.jsonl`.\n\n",
            group.count - listed
        ));
    }
    out.push_str("</details>\n");
    out
}

fn folded(title: &str, table: &str) -> String {
    format!("\n<details><summary>{title}</summary>\n\n{table}\n</details>\n")
}

/// Adds `text` if `out` stays within `limit`; returns whether it did.
fn push(out: &mut String, limit: usize, text: &str) -> bool {
    let fits = out.len() + text.len() <= limit;
    if fits {
        out.push_str(text);
    }
    fits
}

/// Escapes a reason for a cell of a table, in which no character is Markdown or HTML.
fn text(why: &str) -> String {
    let mut out = String::new();
    for c in clipped(why, WHY).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' | '`' | '*' | '_' | '\\' | '[' | ']' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use sleet::{run::result::RunOutcome, scenario::Kind};

    use super::*;
    use crate::gather::tests::{gathered, result, scenario, very_broken};

    #[test]
    fn five_thousand_failures_are_grouped_and_fit() {
        let (scenarios, results) = very_broken();
        let made = markdown(
            &Summary::of(&scenarios, &results),
            &gathered(&scenarios, &results),
        );
        assert!(
            made.starts_with("## ❌ Sleet: 2 of 3 scenarios broke, 5000 failures\n"),
            "{made}"
        );
        for group in ["### CONN-01: 3000 failures", "### CAND-01: 995", "### hang: 10"] {
            assert!(made.contains(group), "{group}");
        }
        assert!(made.contains("2980 more are in `results.jsonl`"));
        assert!(made.contains("cargo xtask replay calls/rapid@19\n"));
        assert!(made.len() < LIMIT);
        assert!(
            !made.contains("<a>") && !made.contains('\u{1b}'),
            "reasons are text"
        );
    }

    #[test]
    fn it_fits_where_every_failure_is_another_and_long() {
        let scenarios: Vec<_> = (0..5_000)
            .map(|n| scenario(&format!("calls/{n}"), Kind::Promise))
            .collect();
        let results: Vec<_> = (0..5_000)
            .map(|n| {
                let mut run = result(&format!("calls/{n}"), n, RunOutcome::Fail);
                run.oracle = Some(format!("TEST-{n:04}"));
                run.why = Some("<&|>".repeat(1_000));
                run
            })
            .collect();
        let made = markdown(
            &Summary::of(&scenarios, &results),
            &gathered(&scenarios, &results),
        );
        assert!(made.len() < LIMIT, "{} bytes", made.len());
        assert!(made.contains("more kinds of failure are left out"), "it says so");
        assert!(made.contains("Digest over all runs"), "the end is there");
    }

    #[test]
    fn a_suite_that_holds_says_so_first() {
        let scenarios = vec![scenario("calls/rapid", Kind::Promise)];
        let results = vec![result("calls/rapid", 1, RunOutcome::Pass)];
        let made = markdown(
            &Summary::of(&scenarios, &results),
            &gathered(&scenarios, &results),
        );
        assert!(
            made.starts_with("## ✅ Sleet: nothing broke in 1 run\n"),
            "{made}"
        );
    }
}

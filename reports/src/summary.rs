//! A suite as Markdown, which also reads as text on a terminal.

use sleet::{
    run::{
        matrix::Matrix,
        result::RunOutcome,
        summary::{Judgement, MistakeRow, RemedyRow, ScenarioSummary, Summary},
    },
    scenario::Kind,
};

use crate::table::Table;

/// Returns the whole summary, for `summary.md`.
pub fn to_markdown(summary: &Summary) -> String {
    let mut out = format!(
        "# Sleet: {} runs of {} scenarios\n\n",
        summary.runs(),
        summary.scenarios.len()
    );
    out.push_str(&scenarios(summary));
    if let Some(times) = times(summary) {
        out.push_str(&format!("\n## Times of promises\n\n{times}"));
    }
    if !summary.remedies.is_empty() {
        out.push_str("\n## Remedies\n\n");
        out.push_str(&remedies(&summary.remedies));
    }
    if !summary.mistakes.is_empty() {
        out.push_str("\n## Mistakes\n\n");
        out.push_str(&mistakes(&summary.mistakes));
    }
    for matrix in &summary.matrices {
        out.push_str(&format!("\n## {}\n\n{}", matrix.scenario, self::matrix(matrix)));
    }
    if let Some(orders) = orders(summary) {
        out.push_str(&format!("\n## Orders\n\n{orders}"));
    }
    out.push_str("\n## Marks\n\n");
    out.push_str(&marks(summary));
    let findings: Vec<&ScenarioSummary> = summary
        .scenarios
        .iter()
        .filter(|s| s.kind == Kind::Finding)
        .collect();
    if !findings.is_empty() {
        out.push_str("\n## Known findings\n\n");
        for finding in findings {
            out.push_str(&format!("- {}: {}\n", finding.name, shown(finding)));
        }
    }
    let failures = failures(summary);
    if !failures.is_empty() {
        out.push_str("\n## Failures\n\n");
        out.push_str(&failures);
    }
    out.push_str(&format!("\nDigest over all runs: {}\n", summary.digest));
    out
}

/// Formats the result of each scenario.
pub fn scenarios(summary: &Summary) -> String {
    let mut table = Table::new(&["scenario", "kind", ">seeds", ">pass", ">fail", "judgement"]);
    for s in &summary.scenarios {
        let count = |outcome| s.outcomes.get(&outcome).copied().unwrap_or(0);
        let pass = count(RunOutcome::Pass);
        table.row([
            s.name.clone(),
            s.kind.to_string(),
            s.seeds.to_string(),
            pass.to_string(),
            (s.seeds - pass).to_string(),
            judgement(s),
        ]);
    }
    table.to_markdown()
}

/// Formats the distributions of the times of each promise, in simulated milliseconds; none if no promise has any.
fn times(summary: &Summary) -> Option<String> {
    let mut table = Table::new(&[
        "scenario", "time", ">runs", ">median", ">95 %", ">99 %", ">longest",
    ]);
    let promises = summary.scenarios.iter().filter(|s| s.kind == Kind::Promise);
    let mut rows = promises
        .flat_map(|s| s.stats.iter().map(move |(stat, times)| (s, stat, times)))
        .peekable();
    rows.peek()?;
    for (s, stat, times) in rows {
        let ms = [times.runs, times.p50, times.p95, times.p99, times.max].map(|n| n.to_string());
        let [runs, p50, p95, p99, max] = ms;
        table.row([s.name.clone(), stat.clone(), runs, p50, p95, p99, max]);
    }
    Some(table.to_markdown())
}

fn judgement(s: &ScenarioSummary) -> String {
    match &s.judgement {
        Judgement::Held => match s.kind {
            Kind::Demonstration | Kind::Finding => shown(s),
            Kind::Promise | Kind::Selftest if s.known > 0 => {
                format!("held; {} showed a known defect", s.known)
            }
            Kind::Promise | Kind::Selftest => "held".into(),
        },
        Judgement::NotJudged => "not judged: too few seeds".into(),
        Judgement::Vacuous(why) => format!("VACUOUS: {why}"),
        Judgement::Slower(why) => format!("SLOWER: {why}"),
        Judgement::Broken(why) => format!("BROKEN: {why}"),
        Judgement::Nondeterministic(why) => format!("NONDETERMINISTIC: {why}"),
    }
}

fn shown(s: &ScenarioSummary) -> String {
    match s.shown_by {
        Some(seed) => format!("shown, first by seed {seed}"),
        None => "not shown".into(),
    }
}

/// Formats the success rate by remedy.
pub fn remedies(rows: &[RemedyRow]) -> String {
    let mut table = Table::new(&[
        "policy",
        ">connected",
        ">rate",
        "95 % interval",
        ">median ms",
        ">95th pct ms",
    ]);
    let ms = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |ms| ms.to_string());
    for row in rows {
        table.row([
            row.policy.clone(),
            format!("{}/{}", row.connected, row.seeds),
            percent(row.connected as f64 / row.seeds as f64),
            format!("{} to {}", percent(row.rate_low), percent(row.rate_high)),
            ms(row.median_ms),
            ms(row.p95_ms),
        ]);
    }
    table.to_markdown()
}

/// Formats the mistakes of clients, the oracle that catches each, and how often it does.
pub fn mistakes(rows: &[MistakeRow]) -> String {
    let mut table = Table::new(&[
        "mistake",
        "oracle",
        ">first seed",
        ">shown",
        ">share",
        "95 % interval",
    ]);
    for row in rows {
        table.row([
            row.mistake.clone(),
            row.oracle.clone(),
            row.first.map_or_else(|| "-".to_owned(), |seed| seed.to_string()),
            format!("{}/{}", row.shown, row.seeds),
            percent(row.shown as f64 / row.seeds as f64),
            format!("{} to {}", percent(row.share_low), percent(row.share_high)),
        ]);
    }
    table.to_markdown()
}

/// Formats how calls were carried: the caller's NAT down the side, the callee's across.
pub fn matrix(matrix: &Matrix) -> String {
    let heading: Vec<&str> = std::iter::once("")
        .chain(matrix.columns.iter().map(String::as_str))
        .collect();
    let mut table = Table::new(&heading);
    for (row, cells) in matrix.rows.iter().zip(&matrix.cells) {
        let cells = cells.iter().map(|cell| match cell {
            None => "not run".to_owned(),
            Some(cell) if cell.seen != cell.expected => format!("{} NOT {}", cell.seen, cell.expected),
            Some(cell) if cell.known => format!("{} (known defect)", cell.seen),
            Some(cell) if cell.pair.is_empty() => cell.seen.to_string(),
            Some(cell) => cell.pair.clone(),
        });
        table.row(std::iter::once(row.clone()).chain(cells));
    }
    table.to_markdown()
}

/// Formats the numbers of explored orders, if any scenario explores orders.
pub fn orders(summary: &Summary) -> Option<String> {
    let mut table = Table::new(&[
        "scenario",
        ">orders",
        ">failed",
        ">cut short",
        ">most steps",
        "covered",
        "what is free",
    ]);
    for s in &summary.scenarios {
        let Some(orders) = &s.orders else { continue };
        table.row([
            s.name.clone(),
            orders.orders.to_string(),
            orders.failed.to_string(),
            orders.repeats.to_string(),
            orders.steps.to_string(),
            match orders.times {
                0 => "NOT ALL".to_owned(),
                1 => "all".to_owned(),
                n => format!("all, {n} times"),
            },
            orders.bound.clone(),
        ]);
    }
    (!table.is_empty()).then(|| table.to_markdown())
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn marks(summary: &Summary) -> String {
    let mut table = Table::new(&["scenario", "mark", ">times"]);
    for s in &summary.scenarios {
        for (mark, times) in &s.marks {
            table.row([s.name.clone(), mark.clone(), times.to_string()]);
        }
    }
    table.to_markdown()
}

/// Lists the failures with their replay lines.
pub fn failures(summary: &Summary) -> String {
    let mut out = String::new();
    for failure in &summary.failures {
        let broken = failure.oracle.as_deref().unwrap_or(match failure.outcome {
            RunOutcome::Pass | RunOutcome::Fail => "no oracle",
            RunOutcome::Nondeterministic => "nondeterministic",
            RunOutcome::Crash => "crash",
            RunOutcome::Hang => "hang",
            RunOutcome::Error => "error",
        });
        out.push_str(&format!(
            "- {}@{} ({broken}): {}\n  `{}`\n",
            failure.scenario,
            failure.seed,
            failure.why.as_deref().unwrap_or("no reason was recorded"),
            failure.replay
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use sleet::seed::Seed;

    use super::*;

    #[test]
    fn a_mistake_that_no_seed_showed_has_no_first_seed() {
        let row = |mistake: &str, shown| MistakeRow {
            mistake: mistake.into(),
            scenario: format!("calls/{mistake}"),
            oracle: "TEAR-03".into(),
            first: (shown > 0).then_some(Seed(7)),
            shown,
            seeds: 200,
            share_low: 0.0,
            share_high: 0.5,
        };
        let table = mistakes(&[row("double-close", 50), row("late-close", 0)]);
        let cells = |line: &str| -> Vec<String> { line.split('|').map(|c| c.trim().to_owned()).collect() };
        let rows: Vec<Vec<String>> = table.lines().skip(2).map(cells).collect();
        assert_eq!(
            rows[0][1..7],
            [
                "double-close",
                "TEAR-03",
                "7",
                "50/200",
                "25.0 %",
                "0.0 % to 50.0 %"
            ]
        );
        assert_eq!(rows[1][3..5], ["-", "0/200"]);
    }
}

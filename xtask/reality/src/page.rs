//! The page of results, docs/reality.md: its table is written from the rows, the rest by hand.

use std::{fmt::Write as _, io, path::Path};

use crate::{
    compare::{Row, Sample},
    matrix,
    suite::EXECUTED,
};

/// Where the table begins and ends on the page.
const BEGIN: &str = "<!-- measured -->";
const END: &str = "<!-- end of measured -->";

/// The table of `rows` as Markdown.
pub fn table(rows: &[Row]) -> String {
    let mut out = "| case | real | simulated | real p50 / p95 ms | simulated p50 / p95 ms | |\n\
                   |---|---:|---:|---:|---:|---|\n"
        .to_owned();
    for row in rows {
        let verdict = match row.disagreements() {
            none if none.is_empty() => "agree".to_owned(),
            some => format!("**{}**", some.join("; ")),
        };
        let _ = writeln!(
            out,
            "| `{}`: {} | {} | {} | {} | {} | {verdict} |",
            row.case,
            row.about,
            rate(&row.real),
            rate(&row.simulated),
            times(&row.real),
            times(&row.simulated),
        );
    }
    out
}

/// How often which pair was selected, for the page.
pub fn pairs(rows: &[Row]) -> String {
    let listed = |sample: &Sample| {
        let pairs = sample.pairs.iter().map(|(pair, n)| format!("{pair} {n}"));
        pairs.collect::<Vec<_>>().join(", ")
    };
    let mut out = "| case | real pairs | simulated pairs |\n|---|---|---|\n".to_owned();
    for row in rows.iter().filter(|row| !row.real.pairs.is_empty()) {
        let _ = writeln!(
            out,
            "| `{}` | {} | {} |",
            row.case,
            listed(&row.real),
            listed(&row.simulated)
        );
    }
    out
}

/// What was left after rounds of hangups, for the page.
pub fn left(rows: &[Row]) -> String {
    let listed = |sample: &Sample| {
        let left = sample.left.iter().map(|(what, n)| format!("{what} {n}"));
        let left: Vec<String> = left.collect();
        if left.is_empty() {
            "nothing".to_owned()
        } else {
            left.join(", ")
        }
    };
    let mut out = "| case | left after real rounds | after simulated rounds |\n|---|---|---|\n".to_owned();
    for row in rows
        .iter()
        .filter(|row| !row.real.left.is_empty() || !row.simulated.left.is_empty())
    {
        let _ = writeln!(
            out,
            "| `{}` | {} of {}: {} | {} of {}: {} |",
            row.case,
            row.real.calls - row.real.share().hits,
            row.real.calls,
            listed(&row.real),
            row.simulated.calls - row.simulated.share().hits,
            row.simulated.calls,
            listed(&row.simulated)
        );
    }
    out
}

/// What does not fit into the line of a row: what was left, by which tasks of the stack, and captures to look at.
///
/// # Errors
/// When `out` takes nothing.
pub fn details(row: &Row, executed: &Path, out: &mut impl io::Write) -> io::Result<()> {
    for (whose, sample) in [("real", &row.real), ("simulated", &row.simulated)] {
        for (what, rounds) in sample.left.iter().chain(&sample.places) {
            writeln!(out, "  {whose}: {what} left after {rounds} of {}", sample.calls)?;
        }
    }
    for capture in &row.captures {
        writeln!(out, "  capture: {}", executed.join(capture).display())?;
    }
    Ok(())
}

/// The page `text` with the tables of `rows` in it.
pub fn written(text: &str, rows: &[Row]) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    let cells = matrix::grid(rows);
    let rows: Vec<Row> = rows
        .iter()
        .filter(|row| !row.case.starts_with(matrix::FAMILY))
        .cloned()
        .collect();
    let rows = &rows[..];
    let agree = rows.iter().filter(|row| row.disagreements().is_empty()).count();
    let mut tables = format!(
        "{agree} of {} cases agree.\n\n{}\nWhich kinds of candidates the caller's pair had, its own first:\n\n{}",
        rows.len(),
        table(rows),
        pairs(rows)
    );
    if rows
        .iter()
        .any(|row| !row.real.left.is_empty() || !row.simulated.left.is_empty())
    {
        let _ = write!(
            tables,
            "\nWhat was left after hangups, in how many rounds:\n\n{}",
            left(rows)
        );
    }
    if let Some(cells) = cells {
        let _ = write!(
            tables,
            "\nThe NAT matrix, caller by callee, mapping and filtering each: how many real calls of how many connected.\n\n{cells}"
        );
    }
    let captures = rows.iter().flat_map(|row| &row.captures);
    let captures: Vec<String> = captures.map(|path| format!("`{}`", path.display())).collect();
    if !captures.is_empty() {
        let _ = writeln!(
            tables,
            "\nCaptures that were kept, in `{EXECUTED}` of the folder of results: {}",
            captures.join(", ")
        );
    }
    Some(format!("{before}{BEGIN}\n\n{tables}\n{END}{after}"))
}

fn rate(sample: &Sample) -> String {
    let share = sample.share();
    format!(
        "{}/{}, {:.1} % ({:.1} to {:.1})",
        share.hits,
        share.of,
        100.0 * share.rate(),
        100.0 * share.low,
        100.0 * share.high
    )
}

fn times(sample: &Sample) -> String {
    match sample.percentile(50).zip(sample.percentile(95)) {
        Some((median, p95)) => format!("{median} / {p95}"),
        None => "–".to_owned(),
    }
}

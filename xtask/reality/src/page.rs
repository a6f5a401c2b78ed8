//! The page of results, docs/reality.md: its table is written from the rows, the rest by hand.

use std::fmt::Write;

use crate::compare::{Row, Sample};

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

/// The page `text` with the tables of `rows` in it.
pub fn written(text: &str, rows: &[Row]) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    let agree = rows.iter().filter(|row| row.disagreements().is_empty()).count();
    Some(format!(
        "{before}{BEGIN}\n\n{agree} of {} cases agree.\n\n{}\nWhich kinds of candidates the caller's pair had, its own first:\n\n{}\n{END}{after}",
        rows.len(),
        table(rows),
        pairs(rows)
    ))
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

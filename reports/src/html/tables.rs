//! The tables of a suite: remedies, mistakes, matrices of NATs, coverage of marks and faults, findings.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use sleet::{
    run::{
        matrix::{Matrix, MatrixCell},
        summary::{Judgement, ScenarioSummary},
    },
    scenario::Kind,
};

use super::{
    percent, pill,
    plot::{self, Distribution},
    suite::{Suite, grouped},
    text,
};

/// The suffix of marks for faults that took effect.
const HIT: &str = "-hit";

/// The prefix of marks for filled cells of a matrix.
const CELL: &str = "cell ";

pub(super) fn remedies(suite: &Suite<'_>) -> String {
    let rows = &suite.summary.remedies;
    if rows.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "<h2>Remedies</h2><p class=\"lead\">The same network, one policy a row: how many calls connect within their budget, with the \
         95 % Wilson interval, and how long it takes them.</p><div class=\"scroll\"><table data-sort><thead><tr><th scope=\"col\">policy</th>\
         <th scope=\"col\" class=\"n\">connected</th><th scope=\"col\" class=\"n\">rate</th><th scope=\"col\">95 % interval</th>\
         <th scope=\"col\" class=\"n\">median ms</th><th scope=\"col\" class=\"n\">95th pct ms</th></tr></thead><tbody>",
    );
    let ms = |value: Option<u64>| value.map_or_else(|| "–".to_owned(), |ms| ms.to_string());
    for row in rows {
        let rate = row.connected as f64 / row.seeds.max(1) as f64;
        let _ = write!(
            out,
            "<tr><td>{}</td><td class=\"n\" data-n=\"{}\">{}/{}</td><td class=\"n\" data-n=\"{rate:.6}\">{}</td><td>{} to {}</td>\
             <td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            text(&row.policy),
            row.connected,
            row.connected,
            row.seeds,
            percent(rate),
            percent(row.rate_low),
            percent(row.rate_high),
            ms(row.median_ms),
            ms(row.p95_ms)
        );
    }
    out.push_str("</tbody></table></div>");
    let empty = BTreeMap::new();
    let distributions: Vec<Distribution<'_>> = rows
        .iter()
        .map(|row| Distribution {
            name: &row.policy,
            rate: row.connected as f64 / row.seeds.max(1) as f64,
            low: row.rate_low,
            high: row.rate_high,
            bins: suite.gathered.connect_ms(&row.scenario).unwrap_or(&empty),
            median_ms: row.median_ms,
            p95_ms: row.p95_ms,
        })
        .collect();
    let _ = write!(
        out,
        "<h3>Success rates and times to connect</h3>{}",
        plot::remedies(&distributions)
    );
    out
}

pub(super) fn mistakes(suite: &Suite<'_>) -> String {
    let rows = &suite.summary.mistakes;
    if rows.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "<h2>Mistakes</h2><p class=\"lead\">What clients get wrong, the oracle that names it, and on how many seeds it shows.</p>\
         <div class=\"scroll\"><table data-sort><thead><tr><th scope=\"col\">mistake</th><th scope=\"col\">oracle</th>\
         <th scope=\"col\" class=\"n\">first seed</th><th scope=\"col\" class=\"n\">shown</th><th scope=\"col\">share</th>\
         <th scope=\"col\">95 % interval</th></tr></thead><tbody>",
    );
    for row in rows {
        let share = row.shown as f64 / row.seeds.max(1) as f64;
        let first = row.first.map_or_else(|| "–".to_owned(), |seed| seed.to_string());
        let _ = write!(
            out,
            "<tr><td>{}</td><td>{}</td><td class=\"n\">{first}</td><td class=\"n\" data-n=\"{}\">{}/{}</td>\
             <td data-n=\"{share:.6}\"><span class=\"meter\"><i style=\"width:{:.1}%\"></i></span> {}</td><td>{} to {}</td></tr>",
            text(&row.mistake),
            pill(if row.shown > 0 { "good" } else { "bad" }, &row.oracle),
            row.shown,
            row.shown,
            row.seeds,
            share * 100.0,
            percent(share),
            percent(row.share_low),
            percent(row.share_high)
        );
    }
    out.push_str("</tbody></table></div>");
    out
}

pub(super) fn matrices(suite: &Suite<'_>) -> String {
    if suite.summary.matrices.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "<h2>NATs</h2><p class=\"lead\">How calls were carried: what the caller is behind down the side, the callee across. Each cell \
         is the pair that the caller selected.</p>",
    );
    suite
        .summary
        .matrices
        .iter()
        .for_each(|m| out.push_str(&one_matrix(m)));
    out
}

fn one_matrix(matrix: &Matrix) -> String {
    let mut out = format!(
        "<h3>{}</h3><div class=\"scroll\"><table class=\"matrix\"><thead><tr><th></th>",
        text(&matrix.scenario)
    );
    for column in &matrix.columns {
        let _ = write!(out, "<th scope=\"col\">{}</th>", text(column));
    }
    out.push_str("</tr></thead><tbody>");
    for (row, cells) in matrix.rows.iter().zip(&matrix.cells) {
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", text(row));
        for cell in cells {
            let (class, words) = cell.as_ref().map_or(("soft", "not run".to_owned()), carried);
            let _ = write!(out, "<td class=\"{class}\">{}</td>", text(&words));
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div>");
    out
}

fn carried(cell: &MatrixCell) -> (&'static str, String) {
    if cell.seen != cell.expected {
        return ("bad", format!("{} not {}", cell.seen, cell.expected));
    }
    if cell.known {
        return ("warn", format!("{} (known defect)", cell.seen));
    }
    let class = match () {
        () if cell.pair.contains("relay") => "relay",
        () if cell.pair.is_empty() => "",
        () => "good",
    };
    let words = if cell.pair.is_empty() {
        cell.seen.to_string()
    } else {
        cell.pair.clone()
    };
    (class, words)
}

pub(super) fn coverage(suite: &Suite<'_>) -> String {
    let mut faults = BTreeMap::<&str, (u64, BTreeSet<&str>)>::new();
    let mut marks = BTreeMap::<&str, (u64, BTreeSet<&str>)>::new();
    for s in &suite.summary.scenarios {
        for (mark, times) in &s.marks {
            let (name, of) = match mark.strip_suffix(HIT) {
                Some(fault) => (fault, &mut faults),
                // The matrices show which cells were filled.
                None if mark.starts_with(CELL) => ("cells of matrices", &mut marks),
                None => (mark.as_str(), &mut marks),
            };
            let (sum, scenarios) = of.entry(name).or_default();
            *sum += times;
            scenarios.insert(s.name.as_str());
        }
    }
    if faults.is_empty() && marks.is_empty() {
        return String::new();
    }
    let mut out = String::from("<h2>Coverage</h2>");
    let missing: Vec<String> = suite
        .summary
        .scenarios
        .iter()
        .filter_map(|s| not_reached(suite, s))
        .collect();
    if !missing.is_empty() {
        let _ = write!(
            out,
            "<h3>Required and not reached</h3><ul>{}</ul>",
            missing.concat()
        );
    }
    for (title, lead, of) in [
        (
            "Faults that hit something",
            "How often each kind of fault did, over all runs, and in how many scenarios.",
            &faults,
        ),
        ("Marks", "Interesting paths that were reached.", &marks),
    ] {
        if of.is_empty() {
            continue;
        }
        let most = of.values().map(|(sum, _)| *sum).max().unwrap_or(1).max(1) as f64;
        let _ = write!(
            out,
            "<h3>{title}</h3><p class=\"lead\">{lead}</p><div class=\"cov\">"
        );
        for (name, (sum, scenarios)) in of {
            // Counts differ by powers of ten: a bar in their logarithm still distinguishes them.
            let width = ((*sum as f64).ln_1p() / most.ln_1p() * 100.0).clamp(1.0, 100.0);
            let _ = write!(
                out,
                "<div><span class=\"k\">{}</span><span class=\"meter\"><i style=\"width:{width:.0}%\"></i></span><span class=\"v\">{} in {}</span></div>",
                text(name),
                grouped(*sum),
                scenarios.len()
            );
        }
        out.push_str("</div>");
    }
    out
}

/// Lists the required marks that a scenario did not reach.
fn not_reached(suite: &Suite<'_>, s: &ScenarioSummary) -> Option<String> {
    let scenario = suite.gathered.scenario(&s.name)?;
    let missing: Vec<&str> = scenario
        .marks_required
        .iter()
        .filter(|mark| !s.marks.contains_key(*mark))
        .map(String::as_str)
        .collect();
    let judged = if s.judgement == Judgement::NotJudged {
        " (too few seeds to be judged)"
    } else {
        ""
    };
    (!missing.is_empty()).then(|| {
        format!(
            "<li>{}{judged}: {}</li>",
            text(&s.name),
            text(&missing.join(", "))
        )
    })
}

pub(super) fn findings(suite: &Suite<'_>) -> String {
    let findings: Vec<&ScenarioSummary> = suite
        .summary
        .scenarios
        .iter()
        .filter(|s| s.kind == Kind::Finding)
        .collect();
    let known: Vec<&ScenarioSummary> = suite.summary.scenarios.iter().filter(|s| s.known > 0).collect();
    if findings.is_empty() && known.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "<h2>Findings</h2><p class=\"lead\">Known defects of the stack. Each must show: where one does not, the stack has changed.</p>\
         <div class=\"scroll\"><table><thead><tr><th scope=\"col\">scenario</th><th scope=\"col\">breaks</th><th scope=\"col\">shown</th>\
         <th scope=\"col\">where it is told</th></tr></thead><tbody>",
    );
    for s in findings.into_iter().chain(known) {
        let scenario = suite.gathered.scenario(&s.name);
        let shown = match s.kind {
            Kind::Finding => s
                .shown_by
                .map_or_else(|| "not shown".to_owned(), |seed| format!("first by seed {seed}")),
            _ => format!("in {} of {} runs", s.known, s.seeds),
        };
        let sources = scenario.map(|s| s.sources.join("; ")).unwrap_or_default();
        let _ = write!(
            out,
            "<tr><td>{}<span class=\"sub\">{}</span></td><td>{}</td><td>{}</td><td class=\"soft\">{}</td></tr>",
            text(&s.name),
            text(scenario.map_or("", |s| s.summary.as_str())),
            scenario
                .and_then(|s| s.trips())
                .map(|id| pill("note", id))
                .unwrap_or_default(),
            text(&shown),
            text(&sources)
        );
    }
    out.push_str("</tbody></table></div>");
    out
}

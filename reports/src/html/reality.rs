//! The section on reality: the same plans, simulated and executed on kernel networks, case by case.
//!
//! What is compared, and whether it agrees, was decided by whoever made the table; nothing here judges.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::{percent, pill, text};

/// A case of `cargo xtask reality`, as it leaves it in `table.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// Its name, `family/name`.
    pub case: String,
    /// What it is, in a few words.
    pub about: String,
    /// What happened on kernel networks.
    pub real: Outcome,
    /// What was simulated.
    pub simulated: Outcome,
    /// What the two disagree in; nothing, if they agree.
    pub apart: Vec<String>,
    /// The captures of real calls that are kept, as paths.
    pub captures: Vec<String>,
}

/// What came of the calls of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// How many calls.
    pub calls: u64,
    /// How many of them came out well: most cases want them to connect in time.
    pub well: u64,
    /// The 95 % Wilson interval of that share, 0 to 1.
    pub interval: (f64, f64),
    /// The median and the 95th percentile of what the case measures, in milliseconds: mostly the time to connect.
    pub times_ms: Option<(u64, u64)>,
    /// After how many of them which kinds of things were left.
    pub left: Vec<(String, u64)>,
}

impl Outcome {
    fn cells(&self) -> String {
        let rate = self.well as f64 / self.calls.max(1) as f64;
        let times = self
            .times_ms
            .map_or_else(|| "–".to_owned(), |(median, p95)| format!("{median} / {p95}"));
        format!(
            "<td class=\"n\" data-n=\"{rate:.6}\">{}/{}<span class=\"sub\">{} to {}</span></td><td class=\"n\" data-n=\"{}\">{times}</td>",
            self.well,
            self.calls,
            percent(self.interval.0),
            percent(self.interval.1),
            self.times_ms.map_or(0, |(median, _)| median),
        )
    }
}

/// Returns the section; nothing, if nothing was compared.
pub(super) fn section(compared: &[Compared]) -> String {
    if compared.is_empty() {
        return String::new();
    }
    let agree = compared.iter().filter(|row| row.apart.is_empty()).count();
    let mut out = format!(
        "<h2>Reality</h2><p class=\"lead\">The same plans, simulated and executed by the app on kernel networks: {agree} of {} cases agree. \
         Intervals are 95 % Wilson; times are the median and the 95th percentile, in milliseconds.</p>\
         <div class=\"scroll\"><table data-sort><thead><tr><th scope=\"col\">case</th><th scope=\"col\" class=\"n\">real</th>\
         <th scope=\"col\" class=\"n\">ms</th><th scope=\"col\" class=\"n\">simulated</th><th scope=\"col\" class=\"n\">ms</th>\
         <th scope=\"col\">verdict</th></tr></thead><tbody>",
        compared.len()
    );
    for row in compared {
        let _ = write!(
            out,
            "<tr><td>{}<span class=\"sub\">{}</span>{}</td>{}{}<td>{}</td></tr>",
            text(&row.case),
            text(&row.about),
            details(row),
            row.real.cells(),
            row.simulated.cells(),
            match row.apart.is_empty() {
                true => pill("good", "agree"),
                false => pill("bad", "apart"),
            }
        );
    }
    out.push_str("</tbody></table></div>");
    out
}

/// What the two disagree in, what was left, and where the captures are, a line each: cells of figures do not break theirs.
fn details(row: &Compared) -> String {
    let left = |outcome: &Outcome| {
        let left = outcome.left.iter().map(|(what, n)| format!("{what} {n}"));
        left.collect::<Vec<_>>().join(", ")
    };
    let captures = match row.captures.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first, more @ ..] => format!("{first} and {} more", more.len()),
    };
    let lines = [
        ("apart in", row.apart.join("; ")),
        ("left for real", left(&row.real)),
        ("left in the simulation", left(&row.simulated)),
        ("captures", captures),
    ];
    let mut out = String::new();
    for (what, said) in lines.iter().filter(|(_, said)| !said.is_empty()) {
        let _ = write!(out, "<span class=\"sub\">{what}: {}</span>", text(said));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(well: u64) -> Outcome {
        Outcome {
            calls: 20,
            well,
            interval: (0.1, 0.9),
            times_ms: Some((1_120, 1_300)),
            left: vec![("tasks of <the> caller".to_owned(), 3)],
        }
    }

    fn row(apart: &[&str]) -> Compared {
        Compared {
            case: "late/1700".to_owned(),
            about: "candidates come late".to_owned(),
            real: outcome(17),
            simulated: outcome(20),
            apart: apart.iter().map(|&what| what.to_owned()).collect(),
            captures: vec!["executed/captures/late/1700/3.pcapng".to_owned()],
        }
    }

    #[test]
    fn a_case_that_disagrees_says_in_what_and_names_its_captures() {
        let html = section(&[row(&[]), row(&["rates: 85.0 % real, 100.0 % simulated"])]);
        for expected in [
            "1 of 2 cases agree",
            "17/20",
            "rates: 85.0 % real, 100.0 % simulated",
            "captures/late/1700/3.pcapng",
            "tasks of &lt;the&gt; caller 3",
        ] {
            assert!(html.contains(expected), "{expected}: {html}");
        }
    }

    #[test]
    fn without_rows_there_is_no_section() {
        assert_eq!(section(&[]), "");
    }
}

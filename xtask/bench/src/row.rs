//! A row: what was measured, beside what, and whether the budget is met.

use serde::Serialize;

use crate::stats::Spread;

/// What a row must come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Budget {
    /// Ours is at most so much, in the row's unit.
    AtMost(f64),
    /// The baseline is at least so many times ours.
    TimesFaster(f64),
    /// Ours is at most so many times the baseline.
    Within(f64),
    /// It is there to be compared with.
    None,
}

/// A row that was measured.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it is called.
    pub name: &'static str,
    /// What both columns are in.
    pub unit: &'static str,
    /// Ours.
    pub ours: Spread,
    /// What it is compared with, and what that costs.
    pub baseline: Option<(String, Spread)>,
    /// The baseline divided by ours, round by round.
    pub ratio: Option<Spread>,
    /// What it must come to.
    pub budget: Budget,
}

/// A row as `--json` writes it.
#[derive(Serialize)]
struct Written<'a> {
    name: &'a str,
    unit: &'a str,
    ours: f64,
    ours_range: [f64; 2],
    baseline: Option<f64>,
    baseline_is: Option<&'a str>,
    ratio: Option<f64>,
    budget: Option<String>,
    met: Option<bool>,
}

impl Row {
    /// A row of ours alone.
    pub fn alone(name: &'static str, unit: &'static str, ours: &[f64], budget: Budget) -> Option<Self> {
        Some(Self {
            name,
            unit,
            ours: Spread::of(ours)?,
            baseline: None,
            ratio: None,
            budget,
        })
    }

    /// A row beside the baseline `what`, whose rounds are those of ours.
    pub fn beside(
        name: &'static str,
        unit: &'static str,
        ours: &[f64],
        (what, baseline): (&str, &[f64]),
        budget: Budget,
    ) -> Option<Self> {
        let ratios: Vec<f64> = ours.iter().zip(baseline).map(|(o, b)| b / o).collect();
        Some(Self {
            baseline: Some((what.to_owned(), Spread::of(baseline)?)),
            ratio: Spread::of(&ratios),
            ..Self::alone(name, unit, ours, budget)?
        })
    }

    /// Whether its budget is met, if it has one.
    pub fn met(&self) -> Option<bool> {
        let ratio = self.ratio.map(|r| r.median);
        match self.budget {
            Budget::None => None,
            Budget::AtMost(most) => Some(self.ours.median <= most),
            Budget::TimesFaster(least) => ratio.map(|r| r >= least),
            Budget::Within(most) => ratio.map(|r| 1.0 / r <= most),
        }
    }

    fn budget_in_words(&self) -> Option<String> {
        match self.budget {
            Budget::None => None,
            Budget::AtMost(most) => Some(format!("<= {} {}", short(most), self.unit)),
            Budget::TimesFaster(least) => Some(format!(">= {}x faster", short(least))),
            Budget::Within(most) => Some(format!("<= {}x baseline", short(most))),
        }
    }

    /// Its cells: name, ours, its range, baseline, what that is, ratio, budget, met.
    fn cells(&self) -> [String; 7] {
        let value = |s: Spread| format!("{} {}", short(s.median), self.unit);
        let (baseline, what) = match &self.baseline {
            Some((what, spread)) => (value(*spread), what.clone()),
            None => ("-".to_owned(), "-".to_owned()),
        };
        [
            self.name.to_owned(),
            format!(
                "{} [{}..{}]",
                value(self.ours),
                short(self.ours.least),
                short(self.ours.most)
            ),
            baseline,
            what,
            self.ratio
                .map_or("-".to_owned(), |r| format!("{}x", short(r.median))),
            self.budget_in_words().unwrap_or_else(|| "-".to_owned()),
            match self.met() {
                None => "-",
                Some(true) => "yes",
                Some(false) => "NO",
            }
            .to_owned(),
        ]
    }
}

/// The rows as a table of Markdown, which is read as it is in a terminal too.
pub fn table(rows: &[Row]) -> String {
    let head = [
        "row",
        "ours, median [range]",
        "baseline",
        "which is",
        "ratio",
        "budget",
        "met",
    ];
    let mut lines = vec![head.map(str::to_owned)];
    lines.extend(rows.iter().map(Row::cells));
    let width = |column: usize| lines.iter().map(|l| l[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &[String; 7]| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(c, w)| format!("{c:w$}"))
            .collect();
        format!("| {} |", padded.join(" | "))
    };
    let rule: Vec<String> = widths.iter().map(|w| "-".repeat(*w)).collect();
    let mut text = vec![line(&lines[0]), format!("| {} |", rule.join(" | "))];
    text.extend(lines[1..].iter().map(line));
    text.join("\n")
}

/// The rows as `--json` writes them.
///
/// # Errors
/// None that data like this can have.
pub fn json(rows: &[Row]) -> serde_json::Result<String> {
    let written: Vec<Written<'_>> = rows.iter().map(Written::of).collect();
    serde_json::to_string_pretty(&serde_json::json!({ "rows": written }))
}

impl<'a> Written<'a> {
    fn of(row: &'a Row) -> Self {
        Self {
            name: row.name,
            unit: row.unit,
            ours: row.ours.median,
            ours_range: [row.ours.least, row.ours.most],
            baseline: row.baseline.as_ref().map(|(_, spread)| spread.median),
            baseline_is: row.baseline.as_ref().map(|(what, _)| what.as_str()),
            ratio: row.ratio.map(|r| r.median),
            budget: row.budget_in_words(),
            met: row.met(),
        }
    }
}

/// Three digits, as far as they say anything.
fn short(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 1.0 && value.fract() == 0.0 => format!("{value:.0}"),
        v if v >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_judged_by_the_median_of_what_it_names() {
        let row = |budget| Row::beside("x", "ms", &[1.0, 2.0, 3.0], ("y", &[60.0, 100.0, 90.0]), budget);
        let met = |budget| row(budget).and_then(|row| row.met());
        assert_eq!(met(Budget::AtMost(2.0)), Some(true));
        assert_eq!(met(Budget::AtMost(1.9)), Some(false));
        // Ratios round by round: 60, 50, 30.
        assert_eq!(met(Budget::TimesFaster(50.0)), Some(true));
        assert_eq!(met(Budget::TimesFaster(51.0)), Some(false));
        assert_eq!(met(Budget::Within(0.02)), Some(true));
        assert_eq!(met(Budget::None), None);
    }

    #[test]
    fn json_has_the_promised_keys() {
        let row = Row::alone("x", "ms", &[1.0], Budget::AtMost(2.0)).expect("a sample");
        let text = json(&[row]).expect("plain data");
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let row = &value["rows"][0];
        assert_eq!(
            (row["ours"].as_f64(), row["met"].as_bool()),
            (Some(1.0), Some(true))
        );
        for key in ["name", "baseline", "ratio", "budget"] {
            assert!(row.get(key).is_some(), "{key}");
        }
    }
}

//! The data of a suite for its file, and the result in one line.

use sleet::run::summary::{Judgement, ScenarioSummary, Summary};

use super::reality::Compared;
use crate::gather::Gathered;

/// The data of a suite for its file.
#[derive(Clone, Copy, Debug)]
pub struct Suite<'a> {
    /// The summary.
    pub summary: &'a Summary,
    /// The data collected from its results.
    pub gathered: &'a Gathered<'a>,
    /// Further properties, such as its profile and its build, as pairs of a name and a value.
    pub about: &'a [(String, String)],
    /// The command that users type to call the program.
    pub program: &'a str,
    /// The comparison with real networks, if there is one.
    pub reality: &'a [Compared],
}

impl Suite<'_> {
    pub(super) fn title(&self) -> String {
        let (_, verdict) = self.verdict();
        format!("Sleet: {verdict}")
    }

    pub(super) fn count(&self, which: impl Fn(&ScenarioSummary) -> bool) -> usize {
        self.summary.scenarios.iter().filter(|s| which(s)).count()
    }

    pub(super) fn verdict(&self) -> (&'static str, String) {
        let broken = self.count(|s| state(s) == "broken");
        let vacuous = self.count(|s| state(s) == "vacuous");
        let scenarios = self.summary.scenarios.len();
        match (broken, vacuous) {
            (0, 0) => (
                "good",
                format!("nothing broke in {} runs", grouped(self.summary.runs())),
            ),
            (0, n) => ("warn", format!("{n} of {scenarios} scenarios checked nothing")),
            (n, _) => (
                "bad",
                format!(
                    "{n} of {scenarios} scenarios broke, {} failures",
                    grouped(self.gathered.count())
                ),
            ),
        }
    }
}

/// Returns the state that a reader can filter by.
pub(super) fn state(s: &ScenarioSummary) -> &'static str {
    match &s.judgement {
        Judgement::Held => "held",
        Judgement::NotJudged => "not judged",
        Judgement::Vacuous(_) => "vacuous",
        Judgement::Slower(_) => "broken",
        Judgement::Broken(_) | Judgement::Nondeterministic(_) => "broken",
    }
}

/// Formats a number with thin spaces: 12 345.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

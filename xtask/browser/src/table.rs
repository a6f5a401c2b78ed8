//! What came of the cases, for the terminal and for the page docs/chromium.md: its table is written from the rows, the rest by hand.

use std::{collections::BTreeMap, fmt::Write, fs, io, path::Path};

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// Where the table begins and ends on the page.
const BEGIN: &str = "<!-- chromium, written by cargo xtask chromium --write -->";
const END: &str = "<!-- end of chromium -->";

/// What came of a case: what was seen, and what was not as expected.
#[derive(Clone, Debug, Default)]
pub struct Came {
    /// What was seen, a phrase each.
    pub seen: Vec<String>,
    /// What was not as expected, a phrase each.
    pub wrong: Vec<String>,
}

impl Came {
    /// Says what was seen.
    pub fn saw(&mut self, what: impl Into<String>) {
        self.seen.push(what.into());
    }

    /// Expects that `holds`; `otherwise` says what is wrong where it does not.
    pub fn must(&mut self, holds: bool, otherwise: impl Into<String>) {
        if !holds {
            self.wrong.push(otherwise.into());
        }
    }
}

/// A case and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The case.
    pub case: String,
    /// What was expected.
    pub expected: String,
    /// What was seen.
    pub seen: Vec<String>,
    /// What was not as expected.
    pub wrong: Vec<String>,
}

/// Rows by case, and which browser they are of.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// What the browser calls itself.
    pub browser: String,
    /// The rows.
    pub rows: BTreeMap<String, Row>,
}

/// The rows that `folder` keeps.
///
/// # Errors
/// When there is a file that cannot be read.
pub fn kept(folder: &Path) -> anyhow::Result<Rows> {
    let file = folder.join("rows.json");
    match fs::read_to_string(&file) {
        Ok(text) => serde_json::from_str(&text).with_context(|| file.display().to_string()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Rows::default()),
        Err(error) => Err(error).with_context(|| file.display().to_string()),
    }
}

/// Keeps `rows` in `folder`.
///
/// # Errors
/// When it cannot be written.
pub fn keep(folder: &Path, rows: &Rows) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let file = folder.join("rows.json");
    fs::write(&file, serde_json::to_string_pretty(rows)?).with_context(|| file.display().to_string())
}

/// The table of the rows in the order of `cases`, as Markdown.
pub fn table(rows: &Rows, cases: &[String]) -> String {
    let mut out = "| case | expected | what came of it |\n|---|---|---|\n".to_owned();
    for row in cases.iter().filter_map(|case| rows.rows.get(case)) {
        let verdict = match row.wrong.is_empty() {
            true => String::new(),
            false => format!("**not as expected: {}**; ", row.wrong.join("; ")),
        };
        let _ = writeln!(
            out,
            "| `{}` | {} | {verdict}{} |",
            row.case,
            cell(&row.expected),
            cell(&row.seen.join("; "))
        );
    }
    out
}

/// `text` without what would end a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// The page `text` with the table in it; none if it has no place for that.
pub fn written(text: &str, rows: &Rows, cases: &[String]) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    let shown = cases.iter().filter_map(|case| rows.rows.get(case));
    let (well, all) = shown.fold((0, 0), |(well, all), row| {
        (well + usize::from(row.wrong.is_empty()), all + 1)
    });
    Some(format!(
        "{before}{BEGIN}\n\n{}. {well} of {all} cases as expected.\n\n{}\n{END}{after}",
        rows.browser,
        table(rows, cases)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Rows {
        let row = |case: &str, wrong: &[&str]| Row {
            case: case.to_owned(),
            expected: "it connects".to_owned(),
            seen: vec!["12 ms".to_owned(), "a | b".to_owned()],
            wrong: wrong.iter().map(|&w| w.to_owned()).collect(),
        };
        let rows = [row("b/well", &[]), row("a/ill", &["no sound"])];
        Rows {
            browser: "Chromium 1".to_owned(),
            rows: rows.map(|row| (row.case.clone(), row)).into(),
        }
    }

    #[test]
    fn the_table_has_the_cases_in_their_order_and_says_what_is_wrong() {
        let cases = ["b/well", "a/ill", "c/not-run"].map(str::to_owned);
        let page = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
        let page = written(&page, &rows(), &cases).expect("it has a place");
        let lines: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(
            lines,
            [
                "| `b/well` | it connects | 12 ms; a \\| b |",
                "| `a/ill` | it connects | **not as expected: no sound**; 12 ms; a \\| b |",
            ]
        );
        assert!(page.contains("Chromium 1. 1 of 2 cases as expected."), "{page}");
        assert!(page.starts_with("before\n") && page.ends_with("after\n") && !page.contains("old"));
    }

    #[test]
    fn a_page_without_a_place_is_refused() {
        assert_eq!(written("no comment", &rows(), &[]), None);
    }

    #[test]
    fn rows_are_kept_beside_those_of_before() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(kept(folder.path()).expect("none yet"), Rows::default());
        keep(folder.path(), &rows()).expect("it can be written");
        assert_eq!(kept(folder.path()).expect("it is there"), rows());
        fs::write(folder.path().join("rows.json"), "{").expect("it can be written");
        assert!(kept(folder.path()).is_err(), "half a file is an error");
    }
}

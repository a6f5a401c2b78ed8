//! A matrix of what callers and callees are behind, and how each call was carried.

use serde::{Deserialize, Serialize};

use super::result::{FilledCell, RunResult};
use crate::reach::Reach;

/// The matrix of one scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matrix {
    /// The scenario.
    pub scenario: String,
    /// What callers are behind, in the order of the seeds.
    pub rows: Vec<String>,
    /// What callees are behind.
    pub columns: Vec<String>,
    /// By row and column: `None` where no seed came.
    pub cells: Vec<Vec<Option<MatrixCell>>>,
}

/// What was seen in a cell; of several runs, in the first that was not as expected, else in the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatrixCell {
    /// What was expected.
    pub expected: Reach,
    /// What was seen.
    pub seen: Reach,
    /// The types of the pair that the caller selected; empty without one.
    pub pair: String,
    /// Whether a known defect of the stack shows here.
    pub known: bool,
}

impl Matrix {
    /// The matrix that `runs` fill, if they fill one. They are in the order of their seeds.
    pub fn of(scenario: &str, runs: &[&RunResult]) -> Option<Self> {
        let filled: Vec<&FilledCell> = runs.iter().filter_map(|r| r.cell.as_ref()).collect();
        let is_known = |cell: &FilledCell| {
            runs.iter()
                .any(|r| r.known.is_some() && r.cell.as_ref() == Some(cell))
        };
        let names = |name: fn(&FilledCell) -> &String| {
            let mut names: Vec<String> = Vec::new();
            for cell in &filled {
                if !names.contains(name(cell)) {
                    names.push(name(cell).clone());
                }
            }
            names
        };
        let (rows, columns) = (names(|c| &c.cell.row), names(|c| &c.cell.column));
        if rows.is_empty() {
            return None;
        }
        let at = |row: &String, column: &String| {
            let mut here = filled
                .iter()
                .filter(|c| c.cell.row == *row && c.cell.column == *column);
            let odd = here.clone().find(|c| c.seen != c.cell.expected);
            odd.or_else(|| here.next()).map(|c| MatrixCell {
                expected: c.cell.expected,
                seen: c.seen,
                pair: c.pair.clone(),
                known: is_known(c),
            })
        };
        let cells = rows
            .iter()
            .map(|row| columns.iter().map(|column| at(row, column)).collect())
            .collect();
        Some(Self {
            scenario: scenario.to_owned(),
            rows,
            columns,
            cells,
        })
    }
}

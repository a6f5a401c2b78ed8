//! A matrix of what callers and callees are behind, and how each call was carried.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::result::{FilledCell, RunResult};
use crate::{reach::Reach, seed::Seed};

/// The matrix of one scenario.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
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

/// A matrix under way: its size is that of the matrix, however many runs fill it.
#[derive(Clone, Debug, Default)]
pub(super) struct MatrixTally {
    /// What callers and callees are behind, each with the first seed that came there.
    rows: BTreeMap<String, Seed>,
    columns: BTreeMap<String, Seed>,
    cells: BTreeMap<(String, String), CellTally>,
    /// What showed a known defect.
    known: Vec<FilledCell>,
}

/// The first run of a cell, and the first that was not as expected.
#[derive(Clone, Debug, Default)]
struct CellTally {
    first: Option<(Seed, FilledCell)>,
    odd: Option<(Seed, FilledCell)>,
}

impl MatrixTally {
    /// Adds a run, in whatever order they come.
    pub(super) fn add(&mut self, run: &RunResult) {
        let Some(filled) = &run.cell else { return };
        let (row, column) = (&filled.cell.row, &filled.cell.column);
        for (names, name) in [(&mut self.rows, row), (&mut self.columns, column)] {
            let first = names.entry(name.clone()).or_insert(run.seed);
            *first = run.seed.min(*first);
        }
        let cell = self.cells.entry((row.clone(), column.clone())).or_default();
        keep_first(&mut cell.first, run.seed, filled);
        if filled.seen != filled.cell.expected {
            keep_first(&mut cell.odd, run.seed, filled);
        }
        if run.known.is_some() && !self.known.contains(filled) {
            self.known.push(filled.clone());
        }
    }

    /// The matrix of `scenario`, if any run filled a cell.
    pub(super) fn matrix(&self, scenario: &str) -> Option<Matrix> {
        let in_order = |names: &BTreeMap<String, Seed>| {
            let mut names: Vec<(Seed, String)> =
                names.iter().map(|(name, seed)| (*seed, name.clone())).collect();
            names.sort();
            names.into_iter().map(|(_, name)| name).collect::<Vec<String>>()
        };
        let (rows, columns) = (in_order(&self.rows), in_order(&self.columns));
        let at = |row: &String, column: &String| {
            let cell = self.cells.get(&(row.clone(), column.clone()))?;
            let (_, shown) = cell.odd.as_ref().or(cell.first.as_ref())?;
            Some(MatrixCell {
                expected: shown.cell.expected,
                seen: shown.seen,
                pair: shown.pair.clone(),
                known: self.known.contains(shown),
            })
        };
        let cells = rows
            .iter()
            .map(|row| columns.iter().map(|column| at(row, column)).collect())
            .collect();
        (!rows.is_empty()).then(|| Matrix {
            scenario: scenario.to_owned(),
            rows: rows.clone(),
            columns: columns.clone(),
            cells,
        })
    }
}

fn keep_first(kept: &mut Option<(Seed, FilledCell)>, seed: Seed, filled: &FilledCell) {
    if kept.as_ref().is_none_or(|(first, _)| seed < *first) {
        *kept = Some((seed, filled.clone()));
    }
}

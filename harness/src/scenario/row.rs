//! Rows of the tables that a suite makes: a scenario says which it fills. Plain data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{fault::Plan, reach::Reach};

/// A row, or a cell, of one of the tables of a suite's summary.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Row {
    /// Remedies: the share of runs that connect, and the time that they take.
    Remedy(String),
    /// Mistakes of clients: which oracle catches each, and in which share of the runs.
    Mistake(String),
    /// A matrix: how calls are carried, by what their ends are behind.
    Matrix(fn(&Plan) -> Cell),
}

impl Row {
    /// The name of a row of the table of remedies.
    pub fn remedy(&self) -> Option<&str> {
        match self {
            Self::Remedy(name) => Some(name),
            _ => None,
        }
    }

    /// The name of a row of the table of mistakes.
    pub fn mistake(&self) -> Option<&str> {
        match self {
            Self::Mistake(name) => Some(name),
            _ => None,
        }
    }
}

/// A cell of a matrix.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Cell {
    /// What the caller is behind.
    pub row: String,
    /// What the callee is behind.
    pub column: String,
    /// What must happen.
    pub expected: Reach,
}

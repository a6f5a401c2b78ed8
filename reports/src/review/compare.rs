//! The differences of one snapshot, each with its place: of a sheet cell by cell, of any other text as a whole.

use std::collections::{BTreeMap, BTreeSet};

use super::Pending;
use crate::{
    behaviour::OUTCOMES,
    sheet::{Sheet, read_counted},
};

/// The place of a difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The text as a whole: it is not a sheet, or it is new, or only its layout differs.
    Whole,
    /// The title or the notes of a sheet.
    Head,
    /// A scenario that is new or gone, with all its cells.
    Scenario(String),
    /// A cell.
    Cell {
        /// The name of the table.
        table: String,
        /// The scenario, without its family.
        row: String,
        /// The heading of the column.
        column: String,
        /// The item, in a cell of counted items.
        item: Option<String>,
    },
}

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The name of the snapshot.
    pub snapshot: String,
    /// The place in the snapshot.
    pub place: Place,
    /// The old text; empty for nothing.
    pub old: String,
    /// The new text.
    pub new: String,
}

impl Change {
    /// Returns the scenario or the snapshot that changes.
    pub fn subject(&self) -> String {
        let family = self.snapshot.rsplit("__").next().unwrap_or(&self.snapshot);
        match &self.place {
            Place::Whole | Place::Head => family.to_owned(),
            Place::Scenario(row) | Place::Cell { row, .. } => format!("{family}/{row}"),
        }
    }
}

/// Returns the differences of `pending`.
pub fn changes(pending: &Pending) -> Vec<Change> {
    let old = pending.old.as_deref().unwrap_or_default();
    let parsed = (Sheet::parse(old), Sheet::parse(&pending.new));
    let mut changes = match &parsed {
        (Some(old), Some(new)) => sheet_changes(&pending.name, old, new),
        _ => Vec::new(),
    };
    if changes.is_empty() && pending.old.as_ref() != Some(&pending.new) {
        changes.push(Change {
            snapshot: pending.name.clone(),
            place: Place::Whole,
            old: old.to_owned(),
            new: pending.new.clone(),
        });
    }
    changes
}

fn sheet_changes(snapshot: &str, old: &Sheet, new: &Sheet) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut add = |place, old: String, new: String| {
        if old != new {
            changes.push(Change {
                snapshot: snapshot.to_owned(),
                place,
                old,
                new,
            });
        }
    };
    add(Place::Head, head(old), head(new));
    for row in union(&scenarios(old), &scenarios(new)) {
        let (was, is) = (scenarios(old).contains(&row), scenarios(new).contains(&row));
        if was != is {
            let shown = |there| if there { row.clone() } else { String::new() };
            add(Place::Scenario(row.clone()), shown(was), shown(is));
        }
    }
    let both: BTreeSet<String> = scenarios(old)
        .into_iter()
        .filter(|row| scenarios(new).contains(row))
        .collect();
    for (table, row, column) in cells(old, new) {
        if !both.contains(&row) {
            continue;
        }
        let (was, is) = (cell(old, &table, &row, &column), cell(new, &table, &row, &column));
        let place = |item| Place::Cell {
            table: table.clone(),
            row: row.clone(),
            column: column.clone(),
            item,
        };
        match (read_counted(was), read_counted(is)) {
            (Some(was), Some(is)) => {
                let items: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
                for item in items {
                    let shown = |counts: &BTreeMap<String, u64>| {
                        counts.get(item).map_or_else(String::new, ToString::to_string)
                    };
                    add(place(Some(item.clone())), shown(&was), shown(&is));
                }
            }
            _ => add(place(None), was.to_owned(), is.to_owned()),
        }
    }
    changes
}

fn head(sheet: &Sheet) -> String {
    let mut lines = vec![sheet.title.clone()];
    lines.extend(sheet.notes.iter().cloned());
    lines.join("\n")
}

/// Returns the scenarios of a sheet: each has a row in the table of outcomes.
pub fn scenarios(sheet: &Sheet) -> Vec<String> {
    let rows = sheet.table(OUTCOMES).into_iter().flat_map(|t| &t.rows);
    rows.map(|row| row.key.clone()).collect()
}

/// Returns a cell of a sheet; empty if there is none.
pub fn cell<'a>(sheet: &'a Sheet, table: &str, row: &str, column: &str) -> &'a str {
    sheet.table(table).map_or("", |t| t.cell(row, column))
}

/// Returns table, row and column of every cell in either sheet.
fn cells(old: &Sheet, new: &Sheet) -> Vec<(String, String, String)> {
    let mut cells = Vec::new();
    let names = |sheet: &Sheet| sheet.tables.iter().map(|t| t.name.clone()).collect::<Vec<_>>();
    for table in union(&names(old), &names(new)) {
        for row in union(&keys(old, &table), &keys(new, &table)) {
            for column in union(&columns(old, &table), &columns(new, &table)) {
                cells.push((table.clone(), row.clone(), column));
            }
        }
    }
    cells
}

/// Returns the keys of a table; none if the sheet does not have it.
pub fn keys(sheet: &Sheet, table: &str) -> Vec<String> {
    let rows = sheet.table(table).into_iter().flat_map(|t| &t.rows);
    rows.map(|row| row.key.clone()).collect()
}

fn columns(sheet: &Sheet, table: &str) -> Vec<String> {
    let columns = sheet.table(table).into_iter().flat_map(|t| &t.columns);
    columns.map(|column| column.name.clone()).collect()
}

/// Returns all names of `new` in their order; a name that only `old` has comes after the one that it follows there.
pub fn union(old: &[String], new: &[String]) -> Vec<String> {
    let mut all = new.to_vec();
    for (i, name) in old.iter().enumerate().filter(|(_, name)| !new.contains(name)) {
        let before = i
            .checked_sub(1)
            .and_then(|i| all.iter().position(|n| *n == old[i]));
        all.insert(before.map_or(0, |at| at + 1), name.clone());
    }
    all
}

//! Merges two sheets: new in some places and old in the others, with the layout of a new one.

use std::collections::BTreeMap;

use super::compare::{Place, cell, keys, scenarios, union};
use crate::sheet::{Column, Grid, Row, Sheet, counted, read_counted};

/// Returns the cells of `new` where `is_new` says so, those of `old` elsewhere.
pub fn merged(old: &Sheet, new: &Sheet, is_new: &dyn Fn(&Place) -> bool) -> Sheet {
    let merge = Merge { old, new, is_new };
    let head = if is_new(&Place::Head) { new } else { old };
    let names = |sheet: &Sheet| sheet.tables.iter().map(|t| t.name.clone()).collect::<Vec<_>>();
    let tables = union(&names(old), &names(new));
    Sheet {
        title: head.title.clone(),
        notes: head.notes.clone(),
        tables: tables
            .iter()
            .map(|name| merge.table(name))
            .filter(|table| !table.rows.is_empty())
            .collect(),
    }
}

struct Merge<'a> {
    old: &'a Sheet,
    new: &'a Sheet,
    is_new: &'a dyn Fn(&Place) -> bool,
}

impl Merge<'_> {
    fn table(&self, name: &str) -> Grid {
        let (old, new) = (self.old.table(name), self.new.table(name));
        let columns = self.columns(name, old, new);
        let rows = union(&keys(self.old, name), &keys(self.new, name));
        let row = |key: &String| {
            let cells: Vec<String> = columns.iter().map(|c| self.cell(name, key, &c.name)).collect();
            cells.iter().any(|cell| !cell.is_empty()).then(|| Row {
                key: key.clone(),
                cells,
            })
        };
        Grid {
            name: name.to_owned(),
            keys: new.or(old).map_or_else(String::new, |t| t.keys.clone()),
            rows: rows.iter().filter_map(row).collect(),
            columns,
        }
    }

    /// Returns the columns that are not empty; those of the new sheet first.
    fn columns(&self, table: &str, old: Option<&Grid>, new: Option<&Grid>) -> Vec<Column> {
        let of = |grid: Option<&Grid>| grid.map(|g| g.columns.clone()).unwrap_or_default();
        let names = |columns: &[Column]| columns.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
        let (was, is) = (of(old), of(new));
        let all: BTreeMap<&String, &Column> = was.iter().chain(&is).map(|c| (&c.name, c)).collect();
        let in_both = |name: &String| names(&was).contains(name) && names(&is).contains(name);
        let rows = union(&keys(self.old, table), &keys(self.new, table));
        union(&names(&was), &names(&is))
            .iter()
            .filter(|name| {
                old.is_none()
                    || new.is_none()
                    || in_both(name)
                    || rows.iter().any(|r| !self.cell(table, r, name).is_empty())
            })
            .map(|name| all[name].clone())
            .collect()
    }

    fn cell(&self, table: &str, row: &str, column: &str) -> String {
        let (was, is) = (
            cell(self.old, table, row, column),
            cell(self.new, table, row, column),
        );
        let has = |sheet: &Sheet| scenarios(sheet).iter().any(|s| s == row);
        if has(self.old) != has(self.new) {
            let is_new = (self.is_new)(&Place::Scenario(row.to_owned()));
            return if is_new { is } else { was }.to_owned();
        }
        let is_new = |item: Option<&String>| {
            (self.is_new)(&Place::Cell {
                table: table.to_owned(),
                row: row.to_owned(),
                column: column.to_owned(),
                item: item.cloned(),
            })
        };
        match (read_counted(was), read_counted(is)) {
            (Some(was), Some(is)) => {
                let items = was.keys().chain(is.keys());
                let chosen = items.filter_map(|item| {
                    let from = if is_new(Some(item)) { &is } else { &was };
                    Some((item.clone(), *from.get(item)?))
                });
                counted(&chosen.collect())
            }
            _ if is_new(None) => is.to_owned(),
            _ => was.to_owned(),
        }
    }
}

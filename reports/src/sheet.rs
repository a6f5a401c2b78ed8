//! Text tables that can be parsed again: the format of behaviour tables.
//!
//! A cell never moves another row: widths come from headings and names, never from measured values, so that a change of
//! one cell is a change of one line. Knows nothing of runs or scenarios.

/// The line width at which a last column is broken, in characters.
const WIDEST: usize = 132;
/// The separator of cells.
const BAR: &str = " | ";

/// Tables under one title.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// The title, one line.
    pub title: String,
    /// Notes for the reader, any number of lines, none of them empty.
    pub notes: Vec<String>,
    /// The tables, each with a unique name.
    pub tables: Vec<Grid>,
}

/// A table whose rows are found by their key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    /// The name, one line.
    pub name: String,
    /// The heading of the keys, such as `scenario`.
    pub keys: String,
    /// The columns after the key.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The heading.
    pub name: String,
    /// The least width, in characters.
    pub width: usize,
    /// Whether it is aligned to the right, as numbers are.
    pub right: bool,
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The key.
    pub key: String,
    /// One text for each column. Words in the last are separated by single spaces.
    pub cells: Vec<String>,
}

impl Column {
    /// Creates a column of numbers.
    pub fn number(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            width: name.chars().count().max(5),
            right: true,
        }
    }

    /// Creates a column of text, at least `width` characters wide.
    pub fn text(name: &str, width: usize) -> Self {
        Self {
            name: name.to_owned(),
            width: name.chars().count().max(width).max(3),
            right: false,
        }
    }

    fn pad(&self, cell: &str) -> String {
        let width = self.width;
        match self.right {
            true => format!("{cell:>width$}"),
            false => format!("{cell:<width$}"),
        }
    }

    fn rule(&self) -> String {
        match self.right {
            true => format!("{}:", "-".repeat(self.width - 1)),
            false => "-".repeat(self.width),
        }
    }
}

impl Sheet {
    /// Returns the table called `name`.
    pub fn table(&self, name: &str) -> Option<&Grid> {
        self.tables.iter().find(|t| t.name == name)
    }

    /// Formats the sheet as text; tables without rows are left out.
    pub fn to_text(&self) -> String {
        let mut out = format!("{}\n", self.title);
        for note in &self.notes {
            out.push_str(&format!("{note}\n"));
        }
        for table in self.tables.iter().filter(|t| !t.rows.is_empty()) {
            out.push_str(&format!("\n{}", table.to_text()));
        }
        out
    }

    /// Parses the output of [`Sheet::to_text`]; `None` if `text` is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut blocks = text.trim_end().split("\n\n");
        let mut head = blocks.next()?.lines().map(str::to_owned);
        let sheet = Self {
            title: head.next()?,
            notes: head.collect(),
            tables: blocks.map(Grid::parse).collect::<Option<_>>()?,
        };
        (!sheet.tables.is_empty()).then_some(sheet)
    }
}

impl Grid {
    /// Returns the cell of `column` in the row `key`; empty if there is no such row or column.
    pub fn cell(&self, key: &str, column: &str) -> &str {
        let column = self.columns.iter().position(|c| c.name == column);
        let row = self.rows.iter().find(|r| r.key == key);
        match (row, column) {
            (Some(row), Some(column)) => row.cells.get(column).map_or("", String::as_str),
            _ => "",
        }
    }

    fn to_text(&self) -> String {
        let names = self.rows.iter().map(|r| r.key.chars().count());
        let keys = Column::text(&self.keys, names.max().unwrap_or(0));
        let mut out = format!("{}\n", self.name);
        let all = || std::iter::once(&keys).chain(&self.columns);
        line(&mut out, all().map(|c| c.pad(&c.name)));
        line(&mut out, all().map(Column::rule));
        for row in &self.rows {
            let mut cells = vec![keys.pad(&row.key)];
            cells.extend(row.cells.iter().zip(&self.columns).map(|(cell, c)| c.pad(cell)));
            if self.columns.last().is_none_or(|c| c.right) {
                line(&mut out, cells.into_iter());
                continue;
            }
            let last = cells.pop().unwrap_or_default();
            let before = cells.join(BAR);
            let room = WIDEST.saturating_sub(before.chars().count() + BAR.len());
            let mut parts = wrap(&last, room.max(20)).into_iter();
            line(&mut out, [before, parts.next().unwrap_or_default()].into_iter());
            for part in parts {
                let blank: Vec<String> = all().take(cells.len()).map(|c| c.pad("")).collect();
                line(&mut out, blank.into_iter().chain([part]));
            }
        }
        out
    }

    fn parse(block: &str) -> Option<Self> {
        let mut lines = block.lines();
        let name = lines.next()?.to_owned();
        let heading = split(lines.next()?);
        let rules = split(lines.next()?);
        let ruled = rules
            .iter()
            .all(|r| r.len() > 2 && r.trim_end_matches(':').chars().all(|c| c == '-'));
        if heading.len() != rules.len() || !ruled {
            return None;
        }
        let column = |(name, rule): (&String, &String)| Column {
            name: name.clone(),
            width: rule.len(),
            right: rule.ends_with(':'),
        };
        let mut grid = Self {
            name,
            keys: heading.first()?.clone(),
            columns: heading.iter().zip(&rules).skip(1).map(column).collect(),
            rows: Vec::new(),
        };
        for cells in lines.map(split) {
            grid.add(cells)?;
        }
        Some(grid)
    }

    /// Adds a line of cells: a row, or the continuation of the last column of the previous row.
    fn add(&mut self, mut cells: Vec<String>) -> Option<()> {
        cells.resize(self.columns.len() + 1, String::new());
        let key = cells.remove(0);
        if key.is_empty() {
            let last = self.rows.last_mut()?.cells.last_mut()?;
            last.push_str(&format!(" {}", cells.last()?));
        } else {
            self.rows.push(Row { key, cells });
        }
        Some(())
    }
}

fn line(out: &mut String, cells: impl Iterator<Item = String>) {
    let cells: Vec<String> = cells.collect();
    out.push_str(cells.join(BAR).trim_end());
    out.push('\n');
}

fn split(line: &str) -> Vec<String> {
    line.split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// Breaks `text` at spaces into parts of at most `width` characters; a longer word stays whole.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut parts = vec![String::new()];
    for word in text.split_whitespace() {
        let last = parts.last_mut().expect("never empty");
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() > width {
            parts.push(word.to_owned());
        } else {
            last.push_str(&format!(" {word}"));
        }
    }
    parts
}

/// Formats counted items as a cell: `host-host 3, relay-relay 1`.
pub fn counted(counts: &std::collections::BTreeMap<String, u64>) -> String {
    let items: Vec<String> = counts.iter().map(|(what, n)| format!("{what} {n}")).collect();
    items.join(", ")
}

/// Parses the output of [`counted`]; `None` if `cell` is anything else.
pub fn read_counted(cell: &str) -> Option<std::collections::BTreeMap<String, u64>> {
    let item = |item: &str| {
        let (what, n) = item.rsplit_once(' ')?;
        Some((what.to_owned(), n.parse().ok()?))
    };
    cell.split(", ").filter(|i| !i.is_empty()).map(item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        let row = |key: &str, cells: &[&str]| Row {
            key: key.into(),
            cells: cells.iter().map(|c| (*c).to_owned()).collect(),
        };
        let long = "checking>connected>closed 14, ".repeat(9);
        Sheet {
            title: "candidates".into(),
            notes: vec!["seeds 0 to 7".into()],
            tables: vec![
                Grid {
                    name: "outcomes".into(),
                    keys: "scenario".into(),
                    columns: vec![Column::number("held"), Column::text("oracles", 3)],
                    rows: vec![row("naive", &["3", "CONN-01 5"]), row("buffer-both", &["8", ""])],
                },
                Grid {
                    name: "orders".into(),
                    keys: "scenario".into(),
                    columns: vec![Column::number("orders")],
                    rows: vec![row("naive", &["12"])],
                },
                Grid {
                    name: "ice".into(),
                    keys: "scenario".into(),
                    columns: vec![Column::text("states", 3)],
                    rows: vec![row("naive", &[long.trim_end()])],
                },
            ],
        }
    }

    #[test]
    fn a_sheet_is_read_as_it_is_written_and_fits() {
        let text = sheet().to_text();
        assert_eq!(Sheet::parse(&text).as_ref(), Some(&sheet()), "{text}");
        assert!(text.lines().all(|l| l.chars().count() <= WIDEST), "{text}");
        assert!(text.contains("naive    |     12\n"), "{text}");
        assert!(
            text.contains("naive       |     3 | CONN-01 5\nbuffer-both |     8 |\n"),
            "{text}"
        );
    }

    #[test]
    fn a_wider_cell_moves_no_other_row() {
        let before = sheet().to_text();
        let mut changed = sheet();
        changed.tables[0].rows[0].cells[0] = "123456789".into();
        let after = changed.to_text();
        let moved = before.lines().zip(after.lines()).filter(|(a, b)| a != b).count();
        assert_eq!(moved, 1, "{after}");
    }

    #[test]
    fn what_is_no_sheet_is_not_read_as_one() {
        for text in [
            "",
            "title",
            "title\n\ntopology\n  alice: eth0\n  bob | x\n",
            "t\n\nname\na | b\n- | -\n",
        ] {
            assert_eq!(Sheet::parse(text), None, "{text}");
        }
    }

    #[test]
    fn counts_are_read_as_they_are_written() {
        let counts = [("host-host".to_owned(), 3), ("relay-relay".to_owned(), 1)].into();
        assert_eq!(counted(&counts), "host-host 3, relay-relay 1");
        assert_eq!(read_counted(&counted(&counts)), Some(counts));
        assert_eq!(read_counted(""), Some([].into()));
        assert_eq!(read_counted("12"), None);
    }
}

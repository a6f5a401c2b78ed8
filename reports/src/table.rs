//! Aligned columns of text, which are also Markdown tables.

/// A table with a heading.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
    right: Vec<bool>,
}

impl Table {
    /// Creates a table with `heading`; a column whose heading begins with `>` is aligned to the right.
    pub fn new(heading: &[&str]) -> Self {
        Self {
            rows: vec![
                heading
                    .iter()
                    .map(|h| h.trim_start_matches('>').to_owned())
                    .collect(),
            ],
            right: heading.iter().map(|h| h.starts_with('>')).collect(),
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Reports whether there are no rows below the heading.
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }

    /// Formats the table as Markdown, which reads as plain text too.
    pub fn to_markdown(&self) -> String {
        let widths: Vec<usize> = (0..self.right.len())
            .map(|c| {
                self.rows
                    .iter()
                    .map(|row| row[c].chars().count())
                    .max()
                    .unwrap_or(0)
                    .max(3)
            })
            .collect();
        let mut out = String::new();
        for (r, row) in self.rows.iter().enumerate() {
            let cells = row
                .iter()
                .zip(&widths)
                .zip(&self.right)
                .map(|((cell, width), right)| {
                    let pad = " ".repeat(width - cell.chars().count());
                    if *right {
                        format!("{pad}{cell}")
                    } else {
                        format!("{cell}{pad}")
                    }
                });
            out.push_str(&format!("| {} |\n", cells.collect::<Vec<_>>().join(" | ")));
            if r == 0 {
                let rule = widths.iter().zip(&self.right).map(|(width, right)| {
                    if *right {
                        format!("{}:", "-".repeat(width - 1))
                    } else {
                        "-".repeat(*width)
                    }
                });
                out.push_str(&format!("| {} |\n", rule.collect::<Vec<_>>().join(" | ")));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(&["name", ">n"]);
        table.row(["a".to_owned(), "5".to_owned()]);
        table.row(["longer".to_owned(), "1000".to_owned()]);
        let lines = [
            "| name   |    n |",
            "| ------ | ---: |",
            "| a      |    5 |",
            "| longer | 1000 |",
            "",
        ];
        assert_eq!(table.to_markdown(), lines.join("\n"));
    }
}

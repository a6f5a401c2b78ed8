//! Old and new side by side, for a reviewer.

use similar::{DiffOp, TextDiff};

use super::{Change, Group, Place};

/// The number of lines around a difference of a text.
const AROUND: usize = 1;

/// Shows the changes of `group`: a line with old and new for each cell, the differing lines of each text side by side
/// as far as `width` columns allow; at most `most` lines in all.
pub fn pairs(group: &Group, width: usize, most: usize) -> Vec<String> {
    let is_text = |c: &&Change| matches!(c.place, Place::Whole | Place::Head);
    let (texts, cells): (Vec<&Change>, Vec<&Change>) = group.changes.iter().partition(is_text);
    let rows: Vec<[String; 4]> = cells.iter().map(|c| cell(c)).collect();
    let widest = |i: usize| rows.iter().map(|r| r[i].chars().count()).max().unwrap_or(0);
    let (first, second, third) = (widest(0), widest(1), widest(2));
    let mut lines: Vec<String> = rows
        .iter()
        .map(|[subject, what, old, new]| {
            format!("{subject:<first$}  {what:<second$}  {old:>third$} -> {new}")
        })
        .collect();
    for change in texts {
        lines.push(format!("{}:", change.subject()));
        lines.extend(text(&change.old, &change.new, width));
    }
    if lines.len() > most {
        let more = lines.split_off(most).len();
        lines.push(format!("... and {more} lines more"));
    }
    lines
}

/// Returns the scenario, the changed item, old and new.
fn cell(change: &Change) -> [String; 4] {
    let what = match &change.place {
        Place::Cell { column, item, .. } => item.as_ref().unwrap_or(column).clone(),
        _ => "scenario".to_owned(),
    };
    [change.subject(), what, shown(&change.old), shown(&change.new)]
}

fn shown(cell: &str) -> String {
    if cell.is_empty() {
        "none".to_owned()
    } else {
        cell.to_owned()
    }
}

/// Shows the differing lines of two texts, side by side if they fit, else one above the other.
fn text(old: &str, new: &str, width: usize) -> Vec<String> {
    let diff = TextDiff::from_lines(old, new);
    let mut rows: Vec<Option<[Option<&str>; 2]>> = Vec::new();
    for (i, hunk) in diff.grouped_ops(AROUND).iter().enumerate() {
        if i > 0 {
            rows.push(None);
        }
        rows.extend(hunk.iter().flat_map(|op| paired(&diff, op)).map(Some));
    }
    let half = width.saturating_sub(3) / 2;
    let fits = rows
        .iter()
        .flatten()
        .flatten()
        .flatten()
        .all(|line| line.chars().count() <= half);
    let mut lines = Vec::new();
    for row in rows {
        match row {
            None => lines.push("  ...".to_owned()),
            Some([left, right]) if fits => lines.push(beside(left, right, half)),
            Some([Some(left), Some(right)]) if left == right => lines.push(format!("  {left}")),
            Some([left, right]) => {
                lines.extend(left.map(|l| format!("- {l}")));
                lines.extend(right.map(|r| format!("+ {r}")));
            }
        }
    }
    lines
}

/// Returns the lines of an operation, old and new in pairs.
fn paired<'a>(diff: &TextDiff<'a, 'a, 'a, str>, op: &DiffOp) -> Vec<[Option<&'a str>; 2]> {
    let line = |lines: &[&'a str], at: usize, end: usize| {
        let line = (at < end).then(|| lines.get(at)).flatten();
        line.map(|l| l.trim_end_matches('\n'))
    };
    let (old, new) = (op.old_range(), op.new_range());
    (0..old.len().max(new.len()))
        .map(|i| {
            [
                line(diff.old_slices(), old.start + i, old.end),
                line(diff.new_slices(), new.start + i, new.end),
            ]
        })
        .collect()
}

fn beside(left: Option<&str>, right: Option<&str>, half: usize) -> String {
    let mark = match (left, right) {
        (Some(left), Some(right)) if left == right => ' ',
        (Some(_), Some(_)) => '|',
        (Some(_), None) => '<',
        _ => '>',
    };
    let (left, right) = (left.unwrap_or_default(), right.unwrap_or_default());
    format!("{left:<half$} {mark} {right}").trim_end().to_owned()
}

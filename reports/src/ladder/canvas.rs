//! Rows of a ladder as text: lifelines, arrows and notes at their places.

use super::{Row, What};

/// The number of columns between the first lifeline and the last.
const WIDTH: usize = 104;
/// The number of columns for a time at either side.
pub(super) const MARGIN: usize = 9;

/// The positions on a line.
pub(super) struct Canvas {
    lanes: usize,
    gap: usize,
}

impl Canvas {
    pub(super) fn new(lanes: usize) -> Self {
        Self {
            lanes,
            gap: WIDTH / (lanes - 1),
        }
    }

    fn place(&self, lane: usize) -> usize {
        lane * self.gap
    }

    pub(super) fn heading(&self, lanes: &[String]) -> String {
        let mut line = vec![' '; self.place(self.lanes - 1) + 1];
        for (i, name) in lanes.iter().enumerate() {
            // The last name ends at its lifeline, the others begin there.
            let at = match i + 1 == lanes.len() {
                true => (self.place(i) + 1).saturating_sub(name.chars().count()),
                false => self.place(i),
            };
            write(&mut line, at, name);
        }
        let (sent, arrived) = ("sent", "arrived");
        finish(sent, &line, arrived)
    }

    pub(super) fn row(&self, row: &Row) -> String {
        let mut line = vec![' '; self.place(self.lanes - 1) + 1];
        for lane in 0..self.lanes {
            line[self.place(lane)] = '|';
        }
        let at = row.at.to_string();
        match &row.what {
            What::Arrow {
                from,
                to,
                sent,
                arrives,
                label,
                ..
            } => {
                self.arrow(&mut line, *from, *to, *arrives, label);
                let right = if *arrives { at.as_str() } else { "never" };
                finish(&sent.to_string(), &line, right)
            }
            What::Note {
                lane: Some(lane),
                text,
            } => {
                self.note(&mut line, *lane, text);
                finish("", &line, &at)
            }
            What::Note { lane: None, text } => {
                write(&mut line, 2, &format!("-- {text} --"));
                finish("", &line, &at)
            }
        }
    }

    fn arrow(&self, line: &mut [char], from: usize, to: usize, arrives: bool, label: &str) {
        let (left, right) = (self.place(from.min(to)) + 1, self.place(from.max(to)));
        line[left..right].fill('-');
        let label = format!(" {} ", shortened(label, (right - left).saturating_sub(6)));
        let head = match (arrives, from < to) {
            (false, _) => 'x',
            (true, true) => '>',
            (true, false) => '<',
        };
        if from < to {
            line[right - 1] = head;
            write(line, left + 2, &label);
        } else {
            line[left] = head;
            write(line, (right - 2).saturating_sub(label.chars().count()), &label);
        }
    }

    /// Writes a note beside a lifeline, on the side where there is room.
    fn note(&self, line: &mut [char], lane: usize, text: &str) {
        let place = self.place(lane);
        line[place] = '*';
        if lane + 1 == self.lanes {
            let text = shortened(text, place - 2);
            write(line, place - 1 - text.chars().count(), &text);
        } else {
            write(line, place + 2, &shortened(text, line.len() - place - 3));
        }
    }
}

/// Writes `text` over `line`, as far as the line goes.
fn write(line: &mut [char], at: usize, text: &str) {
    for (place, letter) in line.iter_mut().skip(at).zip(text.chars()) {
        *place = letter;
    }
}

fn shortened(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let begin: String = text.chars().take(room.saturating_sub(3)).collect();
    format!("{begin}...")
}

fn finish(left: &str, line: &[char], right: &str) -> String {
    let line: String = line.iter().collect();
    let margin = MARGIN - 1;
    format!("{left:>margin$} {line} {right:>margin$}")
        .trim_end()
        .to_owned()
}

//! A run as a timeline: one column per host, with the network between them.

use sleet::{
    fault::Plan,
    time::SimTime,
    trace::{Event, EventKind, Trace},
};

use crate::words::Names;

/// What to show of a run.
#[derive(Clone, Debug)]
pub struct View {
    /// Nothing before.
    pub from: SimTime,
    /// Nothing after.
    pub until: Option<SimTime>,
    /// Only this host and the network.
    pub host: Option<String>,
    /// Columns of the terminal.
    pub width: usize,
}

impl Default for View {
    fn default() -> Self {
        Self {
            from: SimTime::ZERO,
            until: None,
            host: None,
            width: 160,
        }
    }
}

/// Narrowest column in which a line can still be read.
const NARROWEST: usize = 24;

/// Draws `trace`, of a run of `plan`, as `view` asks. Segments of signaling's TCP connections are left out where nothing happened
/// to them: the messages that they carry are shown.
pub fn draw(trace: &Trace, plan: &Plan, view: &View) -> String {
    let names = Names::of(trace, plan);
    let columns = columns(plan, view);
    let width = (view.width.saturating_sub(9) / columns.len()).max(NARROWEST + 3) - 3;
    let mut out = row(
        "time",
        &columns.iter().map(|c| vec![c.clone()]).collect::<Vec<_>>(),
        width,
    );
    out.push_str(&format!("{}\n", "-".repeat(9 + columns.len() * (width + 3))));
    let mut last_time = String::new();
    for event in trace.events.iter().filter(|e| shown(e, &names, view)) {
        let column = event.host.as_deref().unwrap_or("network");
        let Some(place) = columns.iter().position(|c| c == column) else {
            continue;
        };
        let mut cells = vec![Vec::new(); columns.len()];
        cells[place] = wrap(&names.line(event), width);
        let time = event.at.to_string();
        out.push_str(&row(if time == last_time { "" } else { &time }, &cells, width));
        last_time = time;
    }
    out
}

/// The hosts with the network between the first and the others.
fn columns(plan: &Plan, view: &View) -> Vec<String> {
    let mut columns: Vec<String> = match &view.host {
        Some(host) => vec![host.clone()],
        None => plan.topology.hosts.iter().map(|h| h.name.clone()).collect(),
    };
    columns.insert(1.min(columns.len()), "network".to_owned());
    columns
}

fn shown(event: &Event, names: &Names<'_>, view: &View) -> bool {
    let in_time = event.at >= view.from && view.until.is_none_or(|until| event.at <= until);
    let routine = match &event.kind {
        EventKind::PacketSent { packet, .. } | EventKind::PacketDelivered { packet } => names.is_tcp(*packet),
        _ => false,
    };
    in_time && !routine
}

fn row(time: &str, cells: &[Vec<String>], width: usize) -> String {
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    let mut out = String::new();
    for line in 0..height {
        let mut text = format!("{:>8} ", if line == 0 { time } else { "" });
        for cell in cells {
            let part = cell.get(line).map_or("", String::as_str);
            text.push_str(&format!("| {part:<width$} "));
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}

/// Breaks `text` into lines of at most `width` characters, at spaces where it can.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        let used = lines.last().map_or(0, |l| l.chars().count());
        if used > 0 && used + 1 + word.len() > width {
            lines.push("  ".to_owned());
        } else if used > 0 {
            lines.last_mut().expect("never empty").push(' ');
        }
        while !word.is_empty() {
            let line = lines.last_mut().expect("never empty");
            let room = width - line.chars().count().min(width);
            let rest = word.split_off(room.min(word.len()));
            line.extend(word);
            if !rest.is_empty() {
                lines.push("  ".to_owned());
            }
            word = rest;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_long_words_anywhere() {
        assert_eq!(wrap("one two three", 9), ["one two", "  three"]);
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "  ef", "  gh", "  ij"]);
        assert_eq!(wrap("", 9), [""]);
    }
}

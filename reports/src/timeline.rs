//! A run as a timeline: one column per host, with the network between them.

use sleet::{
    fault::Plan,
    time::SimTime,
    trace::{Event, EventKind, Trace},
};

use crate::descriptions::Names;

/// The part of a run to show.
#[derive(Clone, Debug)]
pub struct View {
    /// The start of the shown time.
    pub from: SimTime,
    /// The end of the shown time.
    pub until: Option<SimTime>,
    /// Only this host and the network.
    pub host: Option<String>,
    /// The width of the terminal, in columns.
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

/// Draws `trace`, of a run of `plan`, as `view` asks. Segments of signaling's TCP connections are left out unless
/// something happened to them: the messages that they carry are shown.
///
/// Each host has a column if all words fit into such columns; else there is one column, and each line begins with its
/// host. No line is wider than the view, unless a single word is.
pub fn draw(trace: &Trace, plan: &Plan, view: &View) -> String {
    let names = Names::of(trace, plan);
    let columns = columns(plan, view);
    let lines: Vec<Line> = trace
        .events
        .iter()
        .filter(|event| shown(event, &names, view))
        .filter_map(|event| {
            let host = event.host.as_deref().unwrap_or("network");
            Some(Line {
                time: event.at.to_string(),
                column: columns.iter().position(|c| c == host)?,
                text: names.line(event),
            })
        })
        .collect();
    let width = (view.width.saturating_sub(9) / columns.len()).saturating_sub(3);
    let description = lines.iter().flat_map(|line| line.text.split(' '));
    let widest = description.map(|word| word.chars().count()).max().unwrap_or(0);
    if widest + INDENT.len() <= width {
        side_by_side(&columns, &lines, width)
    } else {
        one_below_the_other(&columns, &lines, view.width)
    }
}

/// An event that is shown.
struct Line {
    time: String,
    column: usize,
    text: String,
}

fn side_by_side(columns: &[String], lines: &[Line], width: usize) -> String {
    let heading: Vec<_> = columns.iter().map(|c| vec![c.clone()]).collect();
    let mut out = row("time", &heading, width);
    out.push_str(&format!("{}\n", "-".repeat(9 + columns.len() * (width + 3) - 1)));
    let mut last_time = "";
    for line in lines {
        let mut cells = vec![Vec::new(); columns.len()];
        cells[line.column] = wrap(&line.text, width);
        let time = if line.time == last_time { "" } else { &line.time };
        out.push_str(&row(time, &cells, width));
        last_time = &line.time;
    }
    out
}

fn one_below_the_other(columns: &[String], lines: &[Line], width: usize) -> String {
    let hosts = columns
        .iter()
        .map(|c| c.chars().count())
        .max()
        .unwrap_or(0)
        .max(4);
    let room = width.saturating_sub(9 + 2 + hosts + 3);
    let mut out = format!(
        "{:>8} | {:<hosts$} | what happens\n{}\n",
        "time",
        "host",
        "-".repeat(width)
    );
    let mut last = ("", usize::MAX);
    for line in lines {
        let time = if line.time == last.0 { "" } else { &line.time };
        let is_same = (line.time.as_str(), line.column) == last;
        let mut host = if is_same {
            ""
        } else {
            columns[line.column].as_str()
        };
        let mut time = time;
        for part in wrap(&line.text, room) {
            out.push_str(format!("{time:>8} | {host:<hosts$} | {part}").trim_end());
            out.push('\n');
            (time, host) = ("", "");
        }
        last = (&line.time, line.column);
    }
    out
}

/// Returns the hosts, with the network between the first and the others.
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

/// The indentation of a continued line.
const INDENT: &str = "  ";

/// Breaks `text` into lines of at most `width` characters, at spaces only: a word that is wider has a line of its own.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("never empty");
        let (used, more) = (line.chars().count(), word.chars().count());
        if line.trim().is_empty() {
            line.push_str(word);
        } else if used + 1 + more > width {
            lines.push(format!("{INDENT}{word}"));
        } else {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use sleet::net::{
        link::LinkProfile,
        topology::{HostSpec, Topology},
    };

    use super::*;

    #[test]
    fn lines_break_at_spaces_and_words_nowhere() {
        assert_eq!(wrap("one two three", 9), ["one two", "  three"]);
        assert_eq!(wrap("ab cdefghijkl mn", 6), ["ab", "  cdefghijkl", "  mn"]);
        assert_eq!(wrap("", 9), [""]);
    }

    /// Draws a trace of three hosts whose longest word is `word`.
    fn drawn(word: &str, width: usize) -> String {
        let host = |name: &str, address: &str| HostSpec::new(name, address, LinkProfile::default());
        let plan = Plan::new(Topology::new([
            host("alice", "10.0.0.1"),
            host("bob", "10.0.0.2"),
            host("server", "10.0.0.3"),
        ]));
        let events = ["alice", "bob", "bob", "server"]
            .iter()
            .enumerate()
            .map(|(i, name)| Event {
                seq: i as u64,
                at: SimTime::from_millis(i as u64 / 2),
                host: Some((*name).to_owned()),
                kind: EventKind::Step {
                    step: word.to_owned(),
                    detail:
                        "with several more words that have to be broken somewhere between them, as lines are"
                            .into(),
                },
            });
        let view = View {
            width,
            ..View::default()
        };
        draw(&Trace::from_events(events.collect()), &plan, &view)
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_no_word_is_broken() {
        for width in [60, 80, 100, 137, 200] {
            for word in [
                "short",
                "a-word-of-twenty-eight-chars",
                "10.2.0.1:50005/udp/srflx/generation=A:B",
            ] {
                let text = drawn(word, width);
                for line in text.lines() {
                    assert!(line.chars().count() <= width, "{width}: '{line}'");
                }
                assert_eq!(text.matches(word).count(), 4, "{text}");
            }
        }
        assert!(drawn("short", 200).contains("| network"), "a column for each");
        assert!(drawn("a-word-of-twenty-eight-chars", 100).contains("| what happens"));
    }
}

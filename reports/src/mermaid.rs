//! One run as a Mermaid sequence diagram, which GitHub and GitLab render from a code block in a ticket.
//!
//! It shows messages, acts of users, and important events beside them; of packets only the results of the pairs. It
//! stays within the size that GitHub renders: a long run is cut in the middle and says so. Meant for a failure after
//! shrinking.

use sleet::{run::RunRecord, time::SimTime};

use crate::tracks::{Tracks, life::is_milestone, pairs::Pair};

/// The number of lines kept from the beginning and from the end, if not all are drawn.
const KEPT: (usize, usize) = (50, 30);
/// The number of pairs that are shown.
const PAIRS: usize = 6;
/// The number of characters of a text.
const TEXT: usize = 90;

/// A line, with its time.
struct Line {
    at_ns: u64,
    event: u64,
    text: String,
}

/// Returns the diagram, without the fence around it.
pub fn diagram(record: &RunRecord, tracks: &Tracks) -> String {
    let mut out = String::from("sequenceDiagram\n");
    for (i, host) in tracks.hosts.iter().enumerate() {
        out.push_str(&format!("  participant h{i} as {}\n", text(&host.name)));
    }
    let mut lines = messages(tracks);
    lines.extend(notes(record, tracks));
    lines.extend(faults(tracks));
    lines.sort_by_key(|line| (line.at_ns, line.event));
    let kept = KEPT.0 + KEPT.1;
    let cut = if lines.len() > kept + 1 {
        KEPT.0..lines.len() - KEPT.1
    } else {
        0..0
    };
    for (i, line) in lines.iter().enumerate() {
        if i == cut.start && !cut.is_empty() {
            out.push_str(&over_all(tracks, &format!("{} lines are left out", cut.len())));
        }
        if !cut.contains(&i) {
            out.push_str(&line.text);
        }
    }
    for pair in tracks.pairs.iter().take(PAIRS) {
        out.push_str(&format!("  Note over h{}: {}\n", pair.host, text(&told(pair))));
    }
    if tracks.pairs.len() > PAIRS {
        let more = tracks.pairs.len() - PAIRS;
        out.push_str(&over_all(tracks, &format!("{more} more candidate pairs")));
    }
    if let Some((oracle, violation)) = record.failure() {
        out.push_str(&over_all(tracks, &format!("{oracle} broken: {}", violation.why)));
    }
    out
}

fn messages(tracks: &Tracks) -> Vec<Line> {
    let line = |m: &crate::tracks::Message| {
        let (arrow, at) = match m.arrived_ns {
            Some(_) => ("->>", String::new()),
            None => ("-x", " (lost)".to_owned()),
        };
        Line {
            at_ns: m.sent_ns,
            event: m.event,
            text: format!(
                "  h{}{arrow}h{}: {} {}{at}\n",
                m.from,
                m.to,
                seconds(m.sent_ns),
                text(&m.text)
            ),
        }
    };
    tracks.messages.iter().map(line).collect()
}

fn notes(record: &RunRecord, tracks: &Tracks) -> Vec<Line> {
    let matters = |event: u64| {
        record
            .trace
            .events
            .get(event as usize)
            .is_some_and(|e| is_milestone(&e.kind))
    };
    let line = |note: &crate::tracks::life::Note| {
        let description = format!("{} {}", seconds(note.at_ns), note.text);
        let text = match note.host {
            Some(host) => format!("  Note over h{host}: {}\n", text(&description)),
            None => over_all(tracks, &description),
        };
        Line {
            at_ns: note.at_ns,
            event: note.event,
            text,
        }
    };
    tracks
        .notes
        .iter()
        .filter(|n| matters(n.event))
        .map(line)
        .collect()
}

fn faults(tracks: &Tracks) -> Vec<Line> {
    let line = |fault: &crate::cause::Span| {
        let until = seconds(fault.until_ns);
        let description = format!("{} fault {}, until {until}", seconds(fault.from_ns), fault.name);
        Line {
            at_ns: fault.from_ns,
            event: 0,
            text: over_all(tracks, &description),
        }
    };
    tracks.faults.iter().map(line).collect()
}

fn told(pair: &Pair) -> String {
    let selected = if pair.selected_ns.is_some() {
        ", selected"
    } else {
        ""
    };
    format!(
        "{} {} to {}: {} checks, {} arrived, {} answered{selected}",
        pair.peer, pair.local, pair.remote, pair.checks, pair.arrived, pair.answered
    )
}

fn over_all(tracks: &Tracks, description: &str) -> String {
    let last = tracks.hosts.len().saturating_sub(1);
    match last {
        0 => format!("  Note over h0: {}\n", text(description)),
        _ => format!("  Note over h0,h{last}: {}\n", text(description)),
    }
}

fn seconds(ns: u64) -> String {
    SimTime::from_nanos(ns).to_string()
}

/// Escapes text for Mermaid and HTML.
fn text(description: &str) -> String {
    let mut out = String::new();
    for (i, c) in description.chars().enumerate() {
        if i == TEXT {
            out.push('…');
            break;
        }
        match c {
            '#' | ';' | '<' | '>' | '&' | '"' | '%' | '{' | '}' => {
                out.push_str(&format!("#{};", u32::from(c)))
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

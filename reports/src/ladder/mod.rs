//! The signaling messages of a run as arrows between its hosts, with acts of users and events of peers beside them.
//!
//! A message is one arrow from the sending to the receiving client, in the order of arrival, so that overtaking shows:
//! the time on the left is when it was sent, the time on the right when it arrived. Messages are matched by content;
//! packets play no part.

mod canvas;
pub(crate) mod flights;

use std::collections::BTreeMap;

use canvas::{Canvas, MARGIN};
use sleet::{
    net::topology::Topology,
    time::SimTime,
    trace::{Event, EventKind, Machine, Trace},
};

use crate::{acts, descriptions::Names};

/// The name of the server at the client end of a signaling connection.
pub(crate) const SERVER: &str = "server";
/// The number of rows kept from the beginning and from the end, if not all are drawn.
const KEPT: (usize, usize) = (22, 10);

/// Draws the ladder of `trace`: a heading with the hosts, then a line for each message and each important event.
pub fn draw(trace: &Trace, topology: &Topology, names: &Names) -> Vec<String> {
    let lanes = lanes(trace, topology);
    if lanes.len() < 2 {
        return Vec::new();
    }
    let canvas = Canvas::new(lanes.len());
    let lane = |host: &str| lanes.iter().position(|l| l == host);
    let mut rows = flights::arrows(trace, names, &lane);
    rows.extend(trace.events.iter().filter_map(|e| note(e, names, &lane)));
    rows.sort_by_key(|row| (row.at, row.order));

    let mut lines = vec![canvas.heading(&lanes)];
    let kept = KEPT.0 + KEPT.1;
    let cut = if rows.len() > kept + 1 {
        KEPT.0..rows.len() - KEPT.1
    } else {
        0..0
    };
    for (i, row) in rows.iter().enumerate() {
        if i == cut.start && !cut.is_empty() {
            lines.push(left_out(&rows[cut.clone()]));
        }
        if !cut.contains(&i) {
            lines.push(canvas.row(row));
        }
    }
    lines
}

/// Returns the clients that take part, with the server after the first.
fn lanes(trace: &Trace, topology: &Topology) -> Vec<String> {
    let is_client = |host: &str| {
        trace
            .of(host)
            .any(|e| matches!(&e.kind, EventKind::Signal { with, .. } if with == SERVER))
    };
    let hosts = topology.hosts.iter().map(|h| h.name.clone());
    let mut lanes: Vec<String> = hosts.filter(|h| is_client(h)).collect();
    lanes.insert(1.min(lanes.len()), SERVER.to_owned());
    lanes
}

/// A line of the ladder.
struct Row {
    at: SimTime,
    /// The index of its event in the trace.
    order: u64,
    what: What,
}

enum What {
    Arrow {
        from: usize,
        to: usize,
        sent: SimTime,
        arrives: bool,
        label: String,
        /// The type of the message, by which omitted arrows are counted.
        message: String,
    },
    Note {
        lane: Option<usize>,
        text: String,
    },
}

/// Returns the row for an important event beside the messages.
fn note(event: &Event, names: &Names, lane: &impl Fn(&str) -> Option<usize>) -> Option<Row> {
    // In a run without a chaos phase, the healing says nothing.
    if event.kind == EventKind::Healed && event.at == SimTime::ZERO {
        return None;
    }
    let text = acts::intent(&event.kind).or_else(|| acts::turning_point(&event.kind));
    let text = text.or_else(|| matters(&event.kind).then(|| names.line(event)))?;
    Some(Row {
        at: event.at,
        order: event.seq,
        what: What::Note {
            lane: event.host.as_deref().and_then(lane),
            text,
        },
    })
}

fn matters(kind: &EventKind) -> bool {
    match kind {
        EventKind::State { machine, state, .. } => {
            *machine == Machine::Ice && matches!(state.as_str(), "connected" | "disconnected" | "failed")
        }
        EventKind::FaultStarted { .. }
        | EventKind::SignalImpaired { .. }
        | EventKind::SignalUndeliverable { .. }
        | EventKind::Crashed
        | EventKind::Started
        | EventKind::CandidateRefused { .. }
        | EventKind::Described { remote: true, .. }
        | EventKind::Failed { .. }
        | EventKind::Panicked { .. }
        | EventKind::Stopped { .. }
        | EventKind::Healed => true,
        _ => false,
    }
}

fn left_out(rows: &[Row]) -> String {
    let mut counts = BTreeMap::<&str, u64>::new();
    for row in rows {
        let what = match &row.what {
            What::Arrow { message, .. } => message.as_str(),
            What::Note { .. } => "notes",
        };
        *counts.entry(what).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(what, n)| format!("{n} {what}")).collect();
    let pad = " ".repeat(MARGIN);
    format!(
        "{pad}... {} lines are left out: {}",
        rows.len(),
        counts.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use sleet::{
        fault::Plan,
        trace::{SignalDirection, Trace},
    };

    use super::*;

    fn signal(seq: u64, ms: u64, host: &str, direction: SignalDirection, with: &str, message: &str) -> Event {
        Event {
            seq,
            at: SimTime::from_millis(ms),
            host: Some(host.into()),
            kind: EventKind::Signal {
                direction,
                with: with.into(),
                message: message.into(),
                call: Some("c1".into()),
                ufrag: None,
                candidate: None,
            },
        }
    }

    fn drawn(events: Vec<Event>) -> Vec<String> {
        let topology: Topology = serde_json::from_value(serde_json::json!({"hosts": [
            {"name": "alice", "interfaces": []}, {"name": "hub", "interfaces": []}, {"name": "bob", "interfaces": []},
        ]}))
        .expect("a topology");
        let trace = Trace::from_events(events);
        let plan = Plan::new(topology);
        draw(&trace, &plan.topology, &Names::of(&trace, &plan))
    }

    #[test]
    fn a_message_is_one_arrow_whatever_the_server_calls_it_and_a_copy_is_another() {
        use SignalDirection::{Received, Sent};
        let lines = drawn(vec![
            signal(0, 10, "alice", Sent, "server", "dial"),
            signal(1, 20, "hub", Received, "alice", "dial"),
            signal(2, 21, "hub", Sent, "bob", "ring"),
            signal(3, 22, "hub", Sent, "bob", "ring"),
            signal(4, 30, "bob", Received, "server", "ring"),
            signal(5, 35, "bob", Received, "server", "ring"),
            signal(6, 40, "bob", Sent, "server", "joined"),
        ]);
        let places = |line: &str| (line.find("--"), line.find('>'), line.find('<'), line.find('x'));
        assert_eq!(lines.len(), 4, "{lines:#?}");
        assert!(lines[1].starts_with("   0.010 |-- dial c1 ---"), "{lines:#?}");
        assert!(lines[1].ends_with(">|    0.030"), "{lines:#?}");
        assert!(
            lines[2].starts_with("   0.022 |    ") && lines[2].contains("|-- ring c1 --"),
            "{lines:#?}"
        );
        assert!(
            lines[3].contains("|x--") && lines[3].ends_with("never"),
            "{lines:#?}"
        );
        assert!(
            places(&lines[3]).3 > Some(MARGIN),
            "it came as far as from bob: {lines:#?}"
        );
    }

    #[test]
    fn what_overtakes_comes_first() {
        use SignalDirection::{Received, Sent};
        let lines = drawn(vec![
            signal(0, 10, "alice", Sent, "server", "offer"),
            signal(1, 11, "alice", Sent, "server", "candidate"),
            signal(2, 20, "hub", Received, "alice", "offer"),
            signal(3, 21, "hub", Received, "alice", "candidate"),
            signal(4, 22, "hub", Sent, "bob", "candidate"),
            signal(5, 30, "bob", Received, "server", "candidate"),
            signal(6, 41, "hub", Sent, "bob", "offer"),
            signal(7, 50, "bob", Received, "server", "offer"),
        ]);
        assert!(
            lines[1].contains("candidate") && lines[2].contains("offer"),
            "{lines:#?}"
        );
    }

    #[test]
    fn a_long_ladder_is_cut_in_the_middle_and_says_what_of() {
        let sent = |n| signal(n, n, "alice", SignalDirection::Sent, "server", "offer");
        let lines = drawn((0..50).map(sent).collect());
        assert_eq!(lines.len(), KEPT.0 + KEPT.1 + 2);
        assert!(
            lines[KEPT.0 + 1].ends_with("18 lines are left out: 18 offer"),
            "{lines:#?}"
        );
    }
}

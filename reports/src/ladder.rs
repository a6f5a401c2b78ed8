//! The signaling messages of a run as arrows between its hosts, with what users and peers do beside them.
//!
//! A message is one arrow from the client that sent it to the client that received it, in the order of arrival, so that
//! what overtakes shows: the time on the left is when it was sent, the time on the right when it arrived. Matching is by
//! what messages say; packets play no part.

use std::collections::BTreeMap;

use sleet::{
    net::topology::Topology,
    time::SimTime,
    trace::{Event, EventKind, Machine, SignalDirection, Trace},
};

use crate::{acts, words::Names};

/// The server, as the clients' side of a signaling connection names it.
const SERVER: &str = "server";
/// Messages that the server passes on under another name.
const RENAMED: [(&str, &str); 1] = [("ring", "dial")];
/// Columns between the first lifeline and the last.
const WIDTH: usize = 104;
/// Columns of a time at either side.
const MARGIN: usize = 9;
/// The most rows from the beginning and from the end, if they are not all drawn.
const KEPT: (usize, usize) = (30, 14);

/// Draws the ladder of `trace`: a heading with the hosts, then a line for each message and each thing that matters.
pub fn draw(trace: &Trace, topology: &Topology, names: &Names) -> Vec<String> {
    let lanes = lanes(trace, topology);
    if lanes.len() < 2 {
        return Vec::new();
    }
    let canvas = Canvas::new(lanes.len());
    let lane = |host: &str| lanes.iter().position(|l| l == host);
    let mut rows = arrows(trace, names, &lane);
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

/// The clients that take part, the server behind the first.
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
    /// The place in the trace of what it is about.
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
        /// The type of the message, by which arrows that are left out are counted.
        message: String,
    },
    Note {
        lane: Option<usize>,
        text: String,
    },
}

/// A message on its way.
struct Flight<'a> {
    from: usize,
    sent: &'a Event,
    at_server: Option<&'a Event>,
    to: Option<usize>,
    arrived: Option<&'a Event>,
    key: String,
}

/// The messages of calls, each as far as it came.
fn arrows(trace: &Trace, names: &Names, lane: &impl Fn(&str) -> Option<usize>) -> Vec<Row> {
    let server = lane(SERVER).unwrap_or_default();
    let mut flights: Vec<Flight<'_>> = Vec::new();
    for event in &trace.events {
        let EventKind::Signal {
            direction,
            with,
            call: Some(_),
            ..
        } = &event.kind
        else {
            continue;
        };
        let key = key(&event.kind);
        let at_client = with == SERVER;
        let end = if at_client {
            event.host.as_deref()
        } else {
            Some(with.as_str())
        };
        let Some(end) = end.and_then(lane) else { continue };
        let begins = |from, at_server| Flight {
            from,
            sent: event,
            at_server,
            to: None,
            arrived: None,
            key: key.clone(),
        };
        let alike = flights.iter_mut().filter(|f| f.key == key);
        match (direction, at_client) {
            (SignalDirection::Sent, true) => flights.push(begins(end, None)),
            (SignalDirection::Received, false) => {
                match alike.into_iter().find(|f| f.from == end && f.at_server.is_none()) {
                    Some(flight) => flight.at_server = Some(event),
                    None => flights.push(begins(end, Some(event))),
                }
            }
            (SignalDirection::Sent, false) => {
                match alike
                    .into_iter()
                    .find(|f| f.from != end && f.at_server.is_some() && f.to.is_none())
                {
                    Some(flight) => flight.to = Some(end),
                    None => flights.push(Flight {
                        to: Some(end),
                        ..begins(server, Some(event))
                    }),
                }
            }
            (SignalDirection::Received, true) => {
                match alike
                    .into_iter()
                    .find(|f| f.to == Some(end) && f.arrived.is_none())
                {
                    Some(flight) => flight.arrived = Some(event),
                    None => flights.push(Flight {
                        to: Some(end),
                        arrived: Some(event),
                        ..begins(server, Some(event))
                    }),
                }
            }
        }
    }
    flights.iter().map(|f| f.row(server, names)).collect()
}

impl Flight<'_> {
    fn row(&self, server: usize, names: &Names) -> Row {
        let (last, to) = match (self.arrived, self.at_server) {
            (Some(arrived), _) => (arrived, self.to.unwrap_or(server)),
            (None, Some(at_server)) => (at_server, self.to.unwrap_or(server)),
            (None, None) => (self.sent, server),
        };
        let EventKind::Signal { message, .. } = &self.sent.kind else {
            unreachable!("flights are signaling messages");
        };
        Row {
            at: last.at,
            order: last.seq,
            what: What::Arrow {
                from: self.from,
                to,
                sent: self.sent.at,
                // The server keeps what is for itself, so an arrow to it has arrived.
                arrives: self.arrived.is_some() || self.at_server.is_some() && self.to.is_none(),
                label: names.message(&self.sent.kind),
                message: message.clone(),
            },
        }
    }
}

/// What tells one message of a run from another, whoever passes it on.
fn key(kind: &EventKind) -> String {
    let EventKind::Signal {
        message,
        call,
        ufrag,
        candidate,
        ..
    } = kind
    else {
        return String::new();
    };
    let renamed = RENAMED.iter().find(|(passed_on, _)| passed_on == message);
    let message = renamed.map_or(message.as_str(), |(_, sent)| *sent);
    format!("{message} {call:?} {ufrag:?} {candidate:?}")
}

/// What matters beside the messages.
fn note(event: &Event, names: &Names, lane: &impl Fn(&str) -> Option<usize>) -> Option<Row> {
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
        | EventKind::FaultEnded { .. }
        | EventKind::SignalImpaired { .. }
        | EventKind::SignalUndeliverable { .. }
        | EventKind::Crashed
        | EventKind::Started
        | EventKind::CandidateRefused { .. }
        | EventKind::CandidateDiscarded { .. }
        | EventKind::Described { remote: true, .. }
        | EventKind::Failed { .. }
        | EventKind::Panicked { .. }
        | EventKind::Stopped { .. } => true,
        EventKind::Healed => true,
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

/// Where things are on a line.
struct Canvas {
    lanes: usize,
    gap: usize,
}

impl Canvas {
    fn new(lanes: usize) -> Self {
        Self {
            lanes,
            gap: WIDTH / (lanes - 1),
        }
    }

    fn place(&self, lane: usize) -> usize {
        lane * self.gap
    }

    fn heading(&self, lanes: &[String]) -> String {
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

    fn row(&self, row: &Row) -> String {
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

    /// Writes beside a lifeline, on the side where there is room.
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

//! Which messages reached whom: a message that a client sent, found again at the server and at the client it is for.

use sleet::trace::{Event, EventKind, SignalDirection, Trace};

use super::{Row, SERVER, What};
use crate::words::Names;

/// Messages that the server passes on under another name.
const RENAMED: [(&str, &str); 1] = [("ring", "dial")];

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
pub(super) fn arrows(trace: &Trace, names: &Names, lane: &impl Fn(&str) -> Option<usize>) -> Vec<Row> {
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

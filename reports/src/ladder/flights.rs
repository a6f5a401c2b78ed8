//! Matches messages: one that a client sent, at the server and at the receiving client.
//!
//! Messages with the same content are matched in the order in which they were sent: if the first of two is lost, its
//! arrow gets the arrival of the second.

use sleet::trace::{Event, EventKind, SignalDirection, Trace};

use super::{Row, SERVER, What};
use crate::descriptions::Names;

/// Messages that the server passes on with another type.
const RENAMED: [(&str, &str); 1] = [("ring", "dial")];

/// A message on its way.
pub(crate) struct Flight<'a> {
    /// The lane of the sending client, or of the server.
    pub from: usize,
    /// The event at which it starts.
    pub sent: &'a Event,
    /// The event at which it reaches the server, or starts there.
    pub at_server: Option<&'a Event>,
    /// The event at which the server passes it on.
    pub passed_on: Option<&'a Event>,
    /// The lane of the receiving client.
    pub to: Option<usize>,
    /// The event at which it reaches that client.
    pub arrived: Option<&'a Event>,
    key: String,
}

/// A point on the way of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passage {
    LeavesClient,
    ReachesServer,
    LeavesServer,
    ReachesClient,
}

/// Returns the rows for the messages of calls, each as far as it came.
pub(super) fn arrows(trace: &Trace, names: &Names, lane: &impl Fn(&str) -> Option<usize>) -> Vec<Row> {
    let server = lane(SERVER).unwrap_or_default();
    flights(trace, lane)
        .iter()
        .map(|f| f.row(server, names))
        .collect()
}

/// Returns the messages of calls, each as far as it came.
pub(crate) fn flights<'a>(trace: &'a Trace, lane: &impl Fn(&str) -> Option<usize>) -> Vec<Flight<'a>> {
    let server = lane(SERVER).unwrap_or_default();
    let mut flights: Vec<Flight<'_>> = Vec::new();
    for event in &trace.events {
        let Some((passage, client)) = passage(event, lane) else {
            continue;
        };
        let key = key(&event.kind);
        let known = flights
            .iter_mut()
            .find(|f| f.key == key && f.awaits(passage, client));
        match known {
            Some(flight) => flight.passes(passage, client, event),
            // It starts here: the server's own message, a copy, or one whose start was not recorded.
            None => {
                let of_client = matches!(passage, Passage::LeavesClient | Passage::ReachesServer);
                let mut flight = Flight {
                    from: if of_client { client } else { server },
                    sent: event,
                    at_server: (!of_client).then_some(event),
                    passed_on: None,
                    to: None,
                    arrived: None,
                    key,
                };
                flight.passes(passage, client, event);
                flights.push(flight);
            }
        }
    }
    flights
}

/// Returns the point on the way of a message that `event` shows, and the lane of the client at that end of the
/// connection.
fn passage(event: &Event, lane: &impl Fn(&str) -> Option<usize>) -> Option<(Passage, usize)> {
    let EventKind::Signal {
        direction,
        with,
        call: Some(_),
        ..
    } = &event.kind
    else {
        return None;
    };
    let at_client = with == SERVER;
    let client = if at_client { event.host.as_deref()? } else { with };
    let passage = match (direction, at_client) {
        (SignalDirection::Sent, true) => Passage::LeavesClient,
        (SignalDirection::Received, false) => Passage::ReachesServer,
        (SignalDirection::Sent, false) => Passage::LeavesServer,
        (SignalDirection::Received, true) => Passage::ReachesClient,
    };
    Some((passage, lane(client)?))
}

impl<'a> Flight<'a> {
    /// Reports whether `passage` at the end of `client` can be the next point of this message.
    fn awaits(&self, passage: Passage, client: usize) -> bool {
        match passage {
            Passage::LeavesClient => false,
            Passage::ReachesServer => self.from == client && self.at_server.is_none(),
            Passage::LeavesServer => self.from != client && self.at_server.is_some() && self.to.is_none(),
            Passage::ReachesClient => self.to == Some(client) && self.arrived.is_none(),
        }
    }

    fn passes(&mut self, passage: Passage, client: usize, event: &'a Event) {
        match passage {
            Passage::LeavesClient => {}
            Passage::ReachesServer => self.at_server = Some(event),
            Passage::LeavesServer => (self.to, self.passed_on) = (Some(client), Some(event)),
            Passage::ReachesClient => (self.to, self.arrived) = (Some(client), Some(event)),
        }
    }

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
                // A message for the server itself has arrived there.
                arrives: self.arrived.is_some() || self.at_server.is_some() && self.to.is_none(),
                label: names.message(&self.sent.kind),
                message: message.clone(),
            },
        }
    }
}

/// Returns the key that identifies a message, at every point of its way.
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

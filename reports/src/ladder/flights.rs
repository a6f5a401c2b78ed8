//! Which messages reached whom: a message that a client sent, found again at the server and at the client it is for.
//!
//! Messages that say the same are taken for each other in the order in which they were sent: where the first of two is lost, its
//! arrow gets the arrival of the second.

use sleet::trace::{Event, EventKind, SignalDirection, Trace};

use super::{Row, SERVER, What};
use crate::descriptions::Names;

/// Messages that the server passes on under another name.
const RENAMED: [(&str, &str); 1] = [("ring", "dial")];

/// A message on its way.
pub(crate) struct Flight<'a> {
    /// The lane of the client that sent it, or of the server.
    pub from: usize,
    /// Where it begins.
    pub sent: &'a Event,
    /// Where it reaches the server, or begins there.
    pub at_server: Option<&'a Event>,
    /// Where the server sends it on.
    pub passed_on: Option<&'a Event>,
    /// The lane of the client that it is for.
    pub to: Option<usize>,
    /// Where it reaches that.
    pub arrived: Option<&'a Event>,
    key: String,
}

/// Where a message passes on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passage {
    LeavesClient,
    ReachesServer,
    LeavesServer,
    ReachesClient,
}

/// The messages of calls, each as far as it came.
pub(super) fn arrows(trace: &Trace, names: &Names, lane: &impl Fn(&str) -> Option<usize>) -> Vec<Row> {
    let server = lane(SERVER).unwrap_or_default();
    flights(trace, lane)
        .iter()
        .map(|f| f.row(server, names))
        .collect()
}

/// The messages of calls, each as far as it came.
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
            // It begins here: the server's own message, a copy, or one whose beginning was not recorded.
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

/// Where a message of a call passes with `event`, and the lane of the client at that end of the connection.
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
    /// Whether `passage` at the end of `client` can be what comes next of it.
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

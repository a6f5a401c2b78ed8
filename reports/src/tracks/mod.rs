//! One run as tracks over time, for timelines, sequence diagrams and traces.
//!
//! - [`packets`]: each packet with its fate, by protocol and call
//! - [`pairs`]: the candidate pairs of each peer, with their checks
//! - [`life`]: states of peers, and all other events on a host
//!
//! Plain data, derived from the trace and the plan alone; it serialises into the data that `report.html` draws.

pub mod life;
pub mod packets;
pub mod pairs;

use std::collections::BTreeSet;

use serde::Serialize;
use sleet::{
    run::RunRecord,
    trace::{EventKind, SignalDirection},
};

use self::{
    life::{Band, Note},
    packets::Packet,
    pairs::Pair,
};
use crate::{
    cause::{self, Span},
    descriptions::Names,
    ladder::{SERVER, flights},
};

/// The data of a run for drawings.
#[derive(Clone, Debug, Serialize)]
pub struct Tracks {
    /// The hosts: clients in the order of the topology, the signaling server after the first of them.
    pub hosts: Vec<Lane>,
    /// The calls, in the order in which they appear.
    pub calls: Vec<String>,
    /// The packets.
    pub packets: Vec<Packet>,
    /// The signaling messages.
    pub messages: Vec<Message>,
    /// The states of peers.
    pub bands: Vec<Band>,
    /// Other events.
    pub notes: Vec<Note>,
    /// The candidate pairs.
    pub pairs: Vec<Pair>,
    /// Faults while they were in force.
    pub faults: Vec<Span>,
    /// The time of the healing, if it came before the end, in nanoseconds.
    pub healed_ns: Option<u64>,
    /// The time at which the cleanup began, in nanoseconds.
    pub cleaned_ns: Option<u64>,
    /// The end of the run, in nanoseconds.
    pub ended_ns: u64,
}

/// A host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lane {
    /// The name.
    pub name: String,
    /// The addresses and the NAT of the host, in words.
    pub about: String,
}

/// A signaling message on one of its two legs: from a client to the server, or from there to a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// The index of the sender's lane.
    pub from: usize,
    /// The index of the receiver's lane.
    pub to: usize,
    /// The time at which it leaves, in nanoseconds.
    pub sent_ns: u64,
    /// The time at which it arrives, if it does, in nanoseconds.
    pub arrived_ns: Option<u64>,
    /// The event that shows it leave.
    pub event: u64,
    /// The type.
    pub kind: String,
    /// The description of the message.
    pub text: String,
    /// The index of the call that it belongs to.
    pub call: Option<usize>,
}

impl Tracks {
    /// Creates the tracks of a run.
    pub fn of(record: &RunRecord) -> Self {
        let names = Names::of(&record.trace, &record.plan);
        let hosts = lanes(record);
        let calls = calls(record);
        let faults = cause::spans(&record.trace, &record.plan, record.ended_at);
        let first = |kind: &EventKind| {
            let found = record.trace.events.iter().find(|e| e.kind == *kind);
            found.map(|e| e.at.as_nanos())
        };
        let frame = Frame {
            record,
            names: &names,
            hosts: &hosts,
            calls: &calls,
            faults: &faults,
        };
        let packets = packets::of(&frame);
        Self {
            messages: messages(&frame),
            bands: life::bands(&frame),
            notes: life::notes(&frame),
            pairs: pairs::of(&frame),
            packets,
            healed_ns: first(&EventKind::Healed),
            cleaned_ns: first(&EventKind::CleanUp),
            ended_ns: record.ended_at.as_nanos(),
            hosts,
            calls,
            faults,
        }
    }
}

/// The context of every track.
struct Frame<'a> {
    record: &'a RunRecord,
    names: &'a Names<'a>,
    hosts: &'a [Lane],
    calls: &'a [String],
    faults: &'a [Span],
}

impl Frame<'_> {
    fn lane(&self, host: &str) -> Option<usize> {
        self.hosts.iter().position(|h| h.name == host)
    }

    fn call(&self, name: &str) -> Option<usize> {
        self.calls.iter().position(|c| c == name)
    }

    /// Returns the lane of the host with this address, or of the first behind the NAT that has it.
    fn lane_at(&self, address: std::net::IpAddr) -> Option<usize> {
        let topology = &self.record.plan.topology;
        let host = topology
            .hosts
            .iter()
            .find(|h| h.addresses().any(|a| a == address));
        host.and_then(|h| self.lane(&h.name))
    }
}

/// Returns the lanes: clients in the order of the topology; the signaling server after the first of them, where arrows
/// are short.
fn lanes(record: &RunRecord) -> Vec<Lane> {
    let serves: BTreeSet<&str> = signaling_servers(record);
    let (servers, mut lanes): (Vec<_>, Vec<_>) = record
        .plan
        .topology
        .hosts
        .iter()
        .partition(|h| serves.contains(h.name.as_str()));
    let place = 1.min(lanes.len());
    lanes.splice(place..place, servers);
    let lane = |host: &&sleet::net::topology::HostSpec| {
        let addresses: Vec<String> = host.addresses().map(|a| a.to_string()).collect();
        let nat = host
            .nat
            .as_ref()
            .map(|nat| format!(" behind {nat}"))
            .unwrap_or_default();
        Lane {
            name: host.name.clone(),
            about: format!("{}{nat}", addresses.join(", ")),
        }
    };
    lanes.iter().map(lane).collect()
}

/// Returns the hosts that pass messages on for others.
fn signaling_servers(record: &RunRecord) -> BTreeSet<&str> {
    let passes = |e: &sleet::trace::Event| matches!(&e.kind, EventKind::Signal { with, direction: SignalDirection::Received, .. } if with != SERVER);
    let hosts = record.trace.events.iter().filter(|e| passes(e));
    hosts.filter_map(|e| e.host.as_deref()).collect()
}

fn calls(record: &RunRecord) -> Vec<String> {
    let mut calls: Vec<String> = Vec::new();
    for event in &record.trace.events {
        if let Some(call) = life::call_of(&event.kind)
            && calls.iter().all(|known| *known != call)
        {
            calls.push(call);
        }
    }
    calls
}

/// Returns every message of a call, each of its two legs by itself.
fn messages(frame: &Frame<'_>) -> Vec<Message> {
    let servers = signaling_servers(frame.record);
    let server = servers.iter().next().and_then(|host| frame.lane(host));
    let lane = |host: &str| if host == SERVER { server } else { frame.lane(host) };
    let Some(server) = server else { return Vec::new() };
    let mut messages = Vec::new();
    for flight in flights::flights(&frame.record.trace, &lane) {
        let EventKind::Signal { message, call, .. } = &flight.sent.kind else {
            continue;
        };
        let way = |from, to, sent: &sleet::trace::Event, arrived: Option<&sleet::trace::Event>| Message {
            from,
            to,
            sent_ns: sent.at.as_nanos(),
            arrived_ns: arrived.map(|e| e.at.as_nanos()),
            event: sent.seq,
            kind: message.clone(),
            text: frame.names.message(&sent.kind),
            call: call.as_deref().and_then(|c| frame.call(c)),
        };
        if flight.from != server {
            messages.push(way(flight.from, server, flight.sent, flight.at_server));
        }
        if let (Some(passed_on), Some(to)) = (flight.passed_on, flight.to) {
            messages.push(way(server, to, passed_on, flight.arrived));
        }
    }
    messages.sort_by_key(|m| m.event);
    messages
}

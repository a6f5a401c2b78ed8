//! Descriptions of single events, in the protocol's words.

use std::collections::BTreeMap;

use sleet::{
    explain::descriptions,
    fault::Plan,
    trace::{Candidate, Event, EventKind, Flow, PacketId, Proto, SignalDirection, Stop, Trace},
};

use crate::{acts, printable::printable};

/// The hosts' addresses, and the packets of a run: what is needed to describe a packet event by itself.
pub struct Names<'a> {
    plan: &'a Plan,
    hosts: BTreeMap<std::net::IpAddr, String>,
    packets: BTreeMap<PacketId, (Flow, String)>,
    generations: BTreeMap<String, String>,
}

impl<'a> Names<'a> {
    /// Collects them from a run of `plan`.
    pub fn of(trace: &Trace, plan: &'a Plan) -> Self {
        let hosts = plan
            .topology
            .hosts
            .iter()
            .flat_map(|h| h.addresses().map(|a| (a, h.name.clone())))
            .collect();
        let mut names = Self {
            plan,
            hosts,
            packets: BTreeMap::new(),
            generations: BTreeMap::new(),
        };
        for event in &trace.events {
            match &event.kind {
                EventKind::PacketSent {
                    packet, flow, says, ..
                } => {
                    names.packets.insert(*packet, (*flow, says.clone()));
                }
                EventKind::Described { ufrag, .. } => names.note(ufrag),
                EventKind::Signal {
                    ufrag: Some(ufrag), ..
                } => names.note(ufrag),
                _ => {}
            }
        }
        names
    }

    /// Assigns letters to generations in the order in which they appear: their username fragments are noise.
    fn note(&mut self, ufrag: &str) {
        if !self.generations.contains_key(ufrag) {
            let n = self.generations.len();
            let letter = char::from(b'A' + (n % 26) as u8);
            let name = if n < 26 {
                letter.to_string()
            } else {
                format!("{letter}{}", n / 26)
            };
            self.generations.insert(ufrag.to_owned(), name);
        }
    }

    fn generation(&self, ufrag: &str) -> String {
        self.generations
            .get(ufrag)
            .map_or_else(|| format!("?{ufrag}"), |g| format!("gen {g}"))
    }

    fn host(&self, address: std::net::IpAddr) -> &str {
        self.hosts.get(&address).map_or("nobody", String::as_str)
    }

    /// Returns the decoded text of a packet, with the username of a connectivity check shown as generations.
    pub fn says(&self, packet: PacketId) -> String {
        let Some((_, says)) = self.packets.get(&packet) else {
            return String::new();
        };
        says.split(' ')
            .map(|word| match word.split_once(':') {
                Some((to, from))
                    if self.generations.contains_key(to) && self.generations.contains_key(from) =>
                {
                    format!("{}:{}", self.generations[to], self.generations[from])
                }
                _ => word.to_owned(),
            })
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Reports whether the packet is a TCP segment: signaling, whose messages are events of their own.
    pub fn is_tcp(&self, packet: PacketId) -> bool {
        self.packets
            .get(&packet)
            .is_some_and(|(flow, _)| flow.proto == Proto::Tcp)
    }

    /// Describes `event`, without its time and host.
    pub fn line(&self, event: &Event) -> String {
        let line = self
            .packet_line(&event.kind)
            .or_else(|| acts::intent(&event.kind))
            .unwrap_or_else(|| self.other_line(&event.kind));
        printable(&line)
    }

    fn packet_line(&self, kind: &EventKind) -> Option<String> {
        let between = |packet: &PacketId| {
            self.packets
                .get(packet)
                .map(|(flow, _)| format!("{} to {}", self.host(flow.src.ip()), self.host(flow.dst.ip())))
                .unwrap_or_default()
        };
        let cause = |by| descriptions::cause(self.plan, by);
        Some(match kind {
            EventKind::PacketSent { packet, flow, .. } => {
                let (port, to) = (flow.src.port(), self.host(flow.dst.ip()));
                format!(
                    "-> #{packet} :{port} to {to}:{}  {}",
                    flow.dst.port(),
                    self.says(*packet)
                )
            }
            EventKind::PacketDelivered { packet } => {
                let from = self
                    .packets
                    .get(packet)
                    .map_or("nobody", |(flow, _)| self.host(flow.src.ip()));
                format!("<- #{packet} from {from}  {}", self.says(*packet))
            }
            EventKind::PacketDropped { packet, by } => {
                format!(
                    "XX #{packet} {} dropped: {}  ({})",
                    between(packet),
                    cause(by),
                    self.says(*packet)
                )
            }
            EventKind::PacketDelayed { packet, by, by_ns } => {
                format!(
                    "~~ #{packet} {} late by {} ms: {}",
                    between(packet),
                    by_ns / 1_000_000,
                    cause(by)
                )
            }
            EventKind::PacketDuplicated { packet, by } => {
                format!("== #{packet} {} {}", between(packet), cause(by))
            }
            EventKind::PacketCorrupted { packet, by, bit } => {
                format!("## #{packet} {} {}, bit {bit}", between(packet), cause(by))
            }
            EventKind::PacketTruncated { packet, by, len } => {
                format!("## #{packet} {} {}, {len} bytes left", between(packet), cause(by))
            }
            _ => return None,
        })
    }

    /// Describes a signaling message, without its direction; empty for any other event.
    pub fn message(&self, kind: &EventKind) -> String {
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
        let call = call.as_ref().map(|c| format!(" {c}")).unwrap_or_default();
        let about = match (candidate, ufrag) {
            (Some(candidate), _) => format!(" {}", self.candidate(candidate)),
            (None, Some(ufrag)) => format!(" ({})", self.generation(ufrag)),
            (None, None) => String::new(),
        };
        format!("{message}{call}{about}")
    }

    fn other_line(&self, kind: &EventKind) -> String {
        match kind {
            EventKind::FaultStarted { fault } => descriptions::begins(self.plan, *fault),
            EventKind::FaultEnded { fault } => descriptions::ends(self.plan, *fault),
            EventKind::FaultHit { fault } => format!("struck by {}", descriptions::fault(self.plan, *fault)),
            EventKind::Crashed => "crash: everything on it is gone".into(),
            EventKind::Started => "starts again".into(),
            EventKind::Healed => "the network heals".into(),
            EventKind::Signal { direction, with, .. } => {
                let arrow = match direction {
                    SignalDirection::Sent => format!("=> {with}"),
                    SignalDirection::Received => format!("<= {with}"),
                };
                format!("{arrow} {}", self.message(kind))
            }
            EventKind::SignalImpaired { fault, message, call } => {
                let call = call.as_ref().map(|c| format!(" {c}")).unwrap_or_default();
                format!("!! {message}{call}: {}", descriptions::fault(self.plan, *fault))
            }
            EventKind::SignalUndeliverable { to, message, .. } => {
                format!("{message} lost: {to} is not connected")
            }
            EventKind::LeakCheck {
                tasks,
                sockets,
                allocations,
            } if tasks.is_empty() && sockets.is_empty() && *allocations == 0 => {
                "leak check: nothing is left".into()
            }
            EventKind::LeakCheck {
                tasks,
                sockets,
                allocations,
            } => format!(
                "leak check: {allocations} allocations, tasks {}, sockets {}",
                tasks.join("; "),
                sockets.join("; ")
            ),
            EventKind::Call { call, what } => format!("{call} {what}"),
            EventKind::Factory { alive: true } => "the factory is created".into(),
            EventKind::Factory { alive: false } => "the factory is released".into(),
            EventKind::Closing { peer } => format!("{peer} closes"),
            EventKind::Closed { peer } => format!("{peer} closed"),
            EventKind::PushDelivered { call, from } => format!("push: {from} dials, {call}"),
            EventKind::State { peer, machine, state } => format!("{peer} {machine}: {state}"),
            EventKind::Gathered {
                peer,
                candidate: Some(c),
            } => format!("{peer} gathered {}", self.candidate(c)),
            EventKind::Gathered {
                peer,
                candidate: None,
            } => format!("{peer} gathered everything"),
            EventKind::PeerCreated { peer, offers } => {
                format!("{peer} is made to {}", if *offers { "offer" } else { "answer" })
            }
            EventKind::DescriptionCreated { peer, kind, .. } => format!("{peer} creates its {kind}"),
            EventKind::Heard { peer } => format!("{peer} hears the other end"),
            EventKind::HeardAudio { peer, packets } => format!("{peer} hears {packets} packets of audio"),
            EventKind::Usable { peer } => format!("{peer} is usable: a message went both ways"),
            EventKind::Obeyed { id } => format!("the app says that act {id} is done"),
            EventKind::NotUnderstood { id } => format!("!! the app has no such act as {id}"),
            EventKind::NotStarted { error } => format!("!! did not start: {error}"),
            EventKind::NotCounted { error } => format!("!! allocations not counted: {error}"),
            EventKind::CleanUp => "the run is cleaned up".into(),
            EventKind::CandidateApplied {
                peer,
                candidate,
                into,
            } if candidate.ufrag == *into => {
                format!("{peer} adds {}", self.candidate(candidate))
            }
            EventKind::CandidateApplied {
                peer,
                candidate,
                into,
            } => {
                format!(
                    "{peer} adds {} to {}",
                    self.candidate(candidate),
                    self.generation(into)
                )
            }
            EventKind::CandidateRefused {
                peer,
                candidate,
                error,
            } => {
                format!("{peer} LOST {}: {error}", self.candidate(candidate))
            }
            EventKind::Described {
                peer,
                remote,
                kind,
                ufrag,
            } => {
                let whose = if *remote { "remote" } else { "local" };
                format!("{peer} sets {whose} {kind} ({})", self.generation(ufrag))
            }
            EventKind::PairSelected { peer, local, remote } => {
                format!("{peer} selected {local} <-> {remote}")
            }
            EventKind::Data {
                peer,
                received: true,
                text,
            } => format!("{peer} heard '{text}'"),
            EventKind::Data {
                peer,
                received: false,
                text,
            } => format!("{peer} said '{text}'"),
            EventKind::Step { step, detail } => format!("{step} {detail}").trim_end().to_owned(),
            EventKind::Failed { step, error } => format!("FAILED {step}: {error}"),
            EventKind::Decision { taken: None, .. } => "from here on this order repeats another".into(),
            EventKind::Decision {
                taken: Some(taken),
                awake,
                ..
            } if awake.is_empty() => format!("turn of {taken}, as in another order"),
            EventKind::Decision {
                taken: Some(taken),
                awake,
                asleep,
            } => {
                let others = awake.iter().chain(asleep).filter(|step| *step != taken);
                let others: Vec<&str> = others.map(String::as_str).collect();
                match others[..] {
                    [] => format!("turn of {taken}"),
                    _ => format!("turn of {taken}, before {}", others.join(" and ")),
                }
            }
            EventKind::Mark { mark } => format!("* {mark}"),
            EventKind::Line {
                level,
                target,
                message,
            } => format!("{level} {target}: {message}"),
            EventKind::Violated { invariant, detail } => match detail.as_str() {
                "" => format!("!! invariant '{invariant}' broken"),
                detail => format!("!! invariant '{invariant}' broken: {detail}"),
            },
            EventKind::PointImpaired { fault, point, detail } => format!("{point}: {fault}, {detail}")
                .trim_end_matches(", ")
                .to_owned(),
            EventKind::Panicked { message, place } => format!("PANIC at {place}: {message}"),
            EventKind::Stopped {
                bound: Stop::Horizon,
                pending,
            } => {
                format!("STOPPED at the horizon; pending: {}", pending.join("; "))
            }
            EventKind::Stopped {
                bound: Stop::Work,
                pending,
            } => {
                format!("STOPPED at the cap on work; pending: {}", pending.join("; "))
            }
            EventKind::Ended => "the story ends".into(),
            // Packets and users' acts are described above.
            _ => String::new(),
        }
    }

    fn candidate(&self, candidate: &Candidate) -> String {
        format!("{candidate} ({})", self.generation(&candidate.ufrag))
    }
}

//! The data kept of a run, and its comparison with the good run.
//!
//! A verdict comes from the oracles. Everything else here is measured: it says what a loss cost, and breaks nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::terms::{self, Packet};
use crate::{
    oracle::{calls, reach},
    run::RunRecord,
    time::SimTime,
    trace::{Crossing, Digest, EventKind, Machine, PeerId, SignalDirection, Trace},
};

/// The failure of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// The id of the first broken oracle.
    pub oracle: String,
    /// The reason, in protocol terms.
    pub why: String,
}

/// A message as it reached the signaling server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The client that sent it.
    pub client: String,
    /// The number of the client's messages that had reached the server before.
    pub message: u64,
    /// The type.
    pub name: String,
    /// The number among the messages of that type, from 1.
    pub nth: u64,
    /// The time of arrival, in milliseconds.
    pub at_ms: u64,
}

/// The data kept of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The failure, if there is one that no known defect of the stack explains.
    pub broken: Option<Broken>,
    /// The time at which the last peer was usable, or connected again, in milliseconds.
    pub ready_ms: Option<u64>,
    /// The longest time that closing a peer took, in milliseconds.
    pub closing_ms: u64,
    /// The pair that each call's caller selected last, by candidate types.
    pub pairs: BTreeMap<String, String>,
    /// The number of peers and ICE restarts.
    pub attempts: u64,
    /// The digest of the trace.
    pub digest: Digest,
    /// The datagrams that entered links; empty unless requested.
    pub packets: Vec<Packet>,
    /// The signaling messages; empty unless requested.
    pub messages: Vec<Message>,
}

/// The outcome of a loss.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrialOutcome {
    /// The same as without the loss.
    Held,
    /// Every oracle holds, but something was different.
    Differs {
        /// How much later the calls were usable, in milliseconds, if significant.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        later_ms: Option<u64>,
        /// How much longer closing took, in milliseconds, if significant.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        closes_later_ms: Option<u64>,
        /// The pair that a call selected instead.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pair: Option<String>,
        /// The number of further attempts: the app made up for the loss, not the stack.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        attempts: Option<u64>,
    },
    /// An oracle was broken.
    Breaks(Broken),
    /// The run took its process down, or could not be run to its end.
    Died(String),
}

/// A difference below this is jitter: one packet more or less moves the link's draws for those that follow.
const WORTH_A_WORD_MS: u64 = 50;

impl Seen {
    /// Collects the data of `record`; with `crossings`, packets and messages too.
    pub(super) fn of(record: &RunRecord, crossings: Option<&[Crossing]>) -> Self {
        let trace = &record.trace;
        let failure = record.failure().filter(|(id, _)| Some(*id) != record.known);
        let broken = failure.map(|(id, violation)| Broken {
            oracle: id.to_owned(),
            why: violation.why.clone(),
        });
        let calls = calls::calls(trace);
        let pairs = calls
            .iter()
            .map(|call| (call.name.to_owned(), reach::carried(trace, call).pair));
        Self {
            broken,
            ready_ms: ready(trace),
            closing_ms: closing(trace),
            pairs: pairs.collect(),
            attempts: attempts(trace),
            digest: trace.digest,
            packets: crossings.map_or_else(Vec::new, |c| terms::packets(&record.plan, trace, c)),
            messages: crossings.map_or_else(Vec::new, |_| messages(record)),
        }
    }

    /// Compares with the run `good`.
    pub(super) fn beside(&self, good: &Self) -> TrialOutcome {
        if let Some(broken) = &self.broken {
            return TrialOutcome::Breaks(broken.clone());
        }
        let later = match (self.ready_ms, good.ready_ms) {
            (Some(now), Some(then)) => now.saturating_sub(then),
            _ => 0,
        };
        let closes_later = self.closing_ms.saturating_sub(good.closing_ms);
        let worth = |ms: u64| Some(ms).filter(|ms| *ms > WORTH_A_WORD_MS);
        let differing = self
            .pairs
            .iter()
            .find(|(call, pair)| good.pairs.get(*call) != Some(pair));
        let (later_ms, closes_later_ms) = (worth(later), worth(closes_later));
        let pair = differing.map(|(_, pair)| match pair.as_str() {
            "" => "none".to_owned(),
            pair => pair.to_owned(),
        });
        let attempts = self.attempts.checked_sub(good.attempts).filter(|more| *more > 0);
        match (&later_ms, &closes_later_ms, &pair, &attempts) {
            (None, None, None, None) => TrialOutcome::Held,
            _ => TrialOutcome::Differs {
                later_ms,
                closes_later_ms,
                pair,
                attempts,
            },
        }
    }
}

impl TrialOutcome {
    /// Reports whether an oracle was broken, or the run did not end.
    pub fn is_broken(&self) -> bool {
        matches!(self, Self::Breaks(_) | Self::Died(_))
    }
}

/// Returns the last time at which a peer became usable, or ICE connected.
fn ready(trace: &Trace) -> Option<u64> {
    let ready = trace.events.iter().rev().find(|e| match &e.kind {
        EventKind::Usable { .. } => true,
        EventKind::State { machine, state, .. } => *machine == Machine::Ice && state == "connected",
        _ => false,
    });
    ready.map(|e| e.at.as_millis())
}

/// Returns the longest time that closing a peer took.
fn closing(trace: &Trace) -> u64 {
    let mut began: BTreeMap<(&str, &PeerId), SimTime> = BTreeMap::new();
    let mut longest = 0;
    for event in &trace.events {
        let Some(host) = event.host.as_deref() else {
            continue;
        };
        match &event.kind {
            EventKind::Closing { peer } => {
                began.entry((host, peer)).or_insert(event.at);
            }
            EventKind::Closed { peer } => {
                if let Some(from) = began.get(&(host, peer)) {
                    longest = longest.max((event.at - *from).as_millis() as u64);
                }
            }
            _ => {}
        }
    }
    longest
}

/// Returns the number of peers and ICE restarts of a run: one offer for each generation.
fn attempts(trace: &Trace) -> u64 {
    let made =
        |kind: &EventKind| matches!(kind, EventKind::DescriptionCreated { kind, .. } if kind == "offer");
    trace.events.iter().filter(|e| made(&e.kind)).count() as u64
}

/// Returns the messages that reached the signaling server, numbered as the faults on messages count.
fn messages(record: &RunRecord) -> Vec<Message> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut of_type: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let mut messages = Vec::new();
    for event in &record.trace.events {
        let EventKind::Signal {
            direction: SignalDirection::Received,
            with,
            message,
            ..
        } = &event.kind
        else {
            continue;
        };
        if event
            .host
            .as_deref()
            .is_none_or(|host| record.plan.is_client(host))
        {
            continue;
        }
        let count = counts.entry(with).or_default();
        let nth = of_type.entry((with, message)).or_default();
        *nth += 1;
        messages.push(Message {
            client: with.clone(),
            message: *count,
            name: message.clone(),
            nth: *nth,
            at_ms: event.at.as_millis(),
        });
        *count += 1;
    }
    messages
}

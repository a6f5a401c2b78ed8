//! What is kept of a run, and how it compares with the good one.
//!
//! A verdict is the oracles'. Everything else here is measured: it says what a loss cost, and breaks nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::terms::{self, Packet};
use crate::{
    oracle::{calls, reach},
    run::RunRecord,
    time::SimTime,
    trace::{Crossing, Digest, EventKind, Machine, PeerId, SignalDirection, Trace},
};

/// What a run broke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// The id of the first oracle that was broken.
    pub oracle: String,
    /// How, in protocol terms.
    pub why: String,
}

/// A message as it reached the signaling server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The client that sent it.
    pub client: String,
    /// How many of the client's messages had reached the server before.
    pub message: u64,
    /// Its type.
    pub name: String,
    /// Which of that type, from 1.
    pub nth: u64,
    /// When it came, in milliseconds.
    pub at_ms: u64,
}

/// What is kept of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// What it broke.
    pub broken: Option<Broken>,
    /// The oracle that a known defect of the stack breaks with this plan.
    pub known: Option<String>,
    /// When the last peer was usable, or connected again, in milliseconds.
    pub ready_ms: Option<u64>,
    /// The longest that closing a peer took, in milliseconds.
    pub closing_ms: u64,
    /// The pair that each call's caller selected last, by types.
    pub pairs: BTreeMap<String, String>,
    /// How many peers and ICE restarts it took.
    pub attempts: u64,
    /// The hash over its trace.
    pub digest: Digest,
    /// Its datagrams, where they enter links; none unless they were asked for.
    pub packets: Vec<Packet>,
    /// Its signaling messages; none unless they were asked for.
    pub messages: Vec<Message>,
}

/// What a loss came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrialOutcome {
    /// As without it.
    Held,
    /// Every oracle holds, and something was different.
    Differs {
        /// How much later the calls were usable, in milliseconds, if that is worth a word.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        later_ms: Option<u64>,
        /// How much longer closing took, in milliseconds, if that is worth a word.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        closes_later_ms: Option<u64>,
        /// The pair that a call selected instead.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        pair: Option<String>,
        /// How many further attempts it took: the app made up for it, not the stack.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        attempts: Option<u64>,
    },
    /// It broke an oracle.
    Breaks(Broken),
    /// It took the process down that ran it, or could not be run to its end.
    Died(String),
}

/// Less than this is jitter: a packet more or less moves what the link draws for those that follow.
const WORTH_A_WORD_MS: u64 = 50;

impl Seen {
    /// What is kept of `record`; with `crossings`, packets and messages too.
    pub(super) fn of(record: &RunRecord, crossings: Option<&[Crossing]>) -> Self {
        let trace = &record.trace;
        let broken = record.failure().map(|(id, violation)| Broken {
            oracle: id.to_owned(),
            why: violation.why.clone(),
        });
        let calls = calls::calls(trace);
        let pairs = calls
            .iter()
            .map(|call| (call.name.to_owned(), reach::carried(trace, call).pair));
        Self {
            broken,
            known: record.known.map(str::to_owned),
            ready_ms: ready(trace),
            closing_ms: closing(trace),
            pairs: pairs.collect(),
            attempts: attempts(trace),
            digest: trace.digest,
            packets: crossings.map_or_else(Vec::new, |c| terms::packets(&record.plan, trace, c)),
            messages: crossings.map_or_else(Vec::new, |_| messages(record)),
        }
    }

    /// How it compares with the run `good`.
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
    /// Whether an oracle was broken, or the run did not come to its end.
    pub fn is_broken(&self) -> bool {
        matches!(self, Self::Breaks(_) | Self::Died(_))
    }
}

/// When the last peer was usable, or ICE connected, for the last time.
fn ready(trace: &Trace) -> Option<u64> {
    let ready = trace.events.iter().rev().find(|e| match &e.kind {
        EventKind::Usable { .. } => true,
        EventKind::State { machine, state, .. } => *machine == Machine::Ice && state == "connected",
        _ => false,
    });
    ready.map(|e| e.at.as_millis())
}

/// The longest that closing a peer took.
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

/// How many peers and ICE restarts a run took: one offer for each generation.
fn attempts(trace: &Trace) -> u64 {
    let made =
        |kind: &EventKind| matches!(kind, EventKind::DescriptionCreated { kind, .. } if kind == "offer");
    trace.events.iter().filter(|e| made(&e.kind)).count() as u64
}

/// The messages that reached the signaling server, numbered as the faults count that fall on them.
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

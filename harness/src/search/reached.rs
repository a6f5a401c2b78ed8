//! What a run reached, as an ordered set of small features.
//!
//! Read from the record of a run alone: nothing here knows how its plan came about, and nothing judges. Names of hosts and calls
//! stay out of features, so that the same thing done by another user is the same feature.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{
    run::RunRecord,
    time::SimTime,
    trace::{CallEvent, Event, EventKind, Machine, SignalDirection, Trace},
};

/// Something that a run reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Feature {
    /// A mark, or a kind of fault that took effect.
    Mark(String),
    /// One end of a call came to a state while the other end was in one.
    States {
        /// The machine that changed.
        machine: Machine,
        /// Its new state.
        here: String,
        /// The state of the same machine at the other end; empty if it has none yet.
        there: String,
    },
    /// Two events followed each other in a host's life, packets aside.
    Then {
        /// The first.
        first: String,
        /// The second.
        then: String,
        /// Whether they were about the same call, or about two; `None` if one of them is about none.
        same_call: Option<bool>,
    },
    /// A statistic of the run, or the time that an app took to obey: the power of two of quarters of a second.
    Near {
        /// The statistic, or the act.
        of: String,
        /// 0 is less than a quarter of a second; each step more is twice as long.
        size: u32,
    },
}

impl Feature {
    /// Returns the name of the kind of feature.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Mark(_) => "marks",
            Self::States { .. } => "pairs of states",
            Self::Then { .. } => "events in order",
            Self::Near { .. } => "near misses",
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mark(mark) => f.write_str(mark),
            Self::States { machine, here, there } => write!(f, "{machine}: {here} while {there}"),
            Self::Then {
                first,
                then,
                same_call,
            } => {
                let whose = match same_call {
                    Some(true) => " of the same call",
                    Some(false) => " of another call",
                    None => "",
                };
                write!(f, "{first}, then {then}{whose}")
            }
            Self::Near { of, size } => write!(f, "{of}: 250 ms doubled {size} times"),
        }
    }
}

/// What a run reached: each feature once, with the time at which it was reached first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(Feature, SimTime)>", into = "Vec<(Feature, SimTime)>")]
pub struct Reached {
    first: BTreeMap<Feature, SimTime>,
}

impl From<Vec<(Feature, SimTime)>> for Reached {
    fn from(list: Vec<(Feature, SimTime)>) -> Self {
        let first = list.into_iter().collect();
        Self { first }
    }
}

impl From<Reached> for Vec<(Feature, SimTime)> {
    fn from(reached: Reached) -> Self {
        reached.first.into_iter().collect()
    }
}

impl Reached {
    /// Reads it from `record`.
    pub fn of(record: &RunRecord) -> Self {
        let mut reached = Self::of_trace(&record.trace);
        let result = record.result();
        for mark in result.marks.into_keys() {
            reached.add(Feature::Mark(mark), SimTime::ZERO);
        }
        for (of, ms) in result.stats {
            let size = doublings(ms);
            reached.add(Feature::Near { of, size }, SimTime::ZERO);
        }
        reached
    }

    pub(super) fn of_trace(trace: &Trace) -> Self {
        let mut reached = Self::default();
        let mut lives = Lives::default();
        for event in &trace.events {
            if matches!(event.kind, EventKind::CleanUp) {
                break;
            }
            lives.tell(event, &mut |feature| reached.add(feature, event.at));
        }
        reached
    }

    fn add(&mut self, feature: Feature, at: SimTime) {
        self.first.entry(feature).or_insert(at);
    }

    /// Returns the features, in order.
    pub fn features(&self) -> impl Iterator<Item = &Feature> {
        self.first.keys()
    }

    /// Returns when `feature` was reached first; `None` if it was not, or is not of one time.
    pub fn when(&self, feature: &Feature) -> Option<SimTime> {
        self.first.get(feature).copied().filter(|at| *at > SimTime::ZERO)
    }
}

/// How often 250 ms are doubled up to `ms`.
fn doublings(ms: u64) -> u32 {
    (ms / 250 + 1).ilog2()
}

/// The last event of a host: its word, and its call.
type Last = (String, Option<String>);

/// The hosts and the ends of calls, as events tell of them.
#[derive(Default)]
struct Lives {
    /// The last event of each host in its life.
    last: BTreeMap<String, Last>,
    /// By call and machine, the state at each host.
    states: BTreeMap<(String, Machine), BTreeMap<String, String>>,
    /// When each intent was had, and what it was.
    intents: BTreeMap<u64, (SimTime, String)>,
}

impl Lives {
    /// Takes `event` in and calls `found` with each feature that it completes.
    fn tell(&mut self, event: &Event, found: &mut dyn FnMut(Feature)) {
        let Some(host) = &event.host else { return };
        match &event.kind {
            EventKind::Crashed => drop(self.last.remove(host)),
            EventKind::State { peer, machine, state } if *machine != Machine::Gathering => {
                let ends = self.states.entry((peer.call.clone(), *machine)).or_default();
                let other = ends.iter().find(|(other, _)| *other != host);
                found(Feature::States {
                    machine: *machine,
                    here: state.clone(),
                    there: other.map_or_else(String::new, |(_, state)| state.clone()),
                });
                ends.insert(host.clone(), state.clone());
            }
            EventKind::Intended { id, intent } => {
                self.intents.insert(*id, (event.at, intent.name().to_owned()));
            }
            EventKind::Obeyed { id } => {
                if let Some((since, act)) = self.intents.remove(id) {
                    let size = doublings((event.at - since).as_millis() as u64);
                    found(Feature::Near { of: act, size });
                }
            }
            _ => {}
        }
        let Some(word) = word(&event.kind) else { return };
        let call = event.kind.call().map(str::to_owned);
        if let Some((first, before)) = self.last.get(host) {
            found(Feature::Then {
                first: first.clone(),
                then: word.clone(),
                same_call: before.as_ref().zip(call.as_ref()).map(|(a, b)| a == b),
            });
        }
        self.last.insert(host.clone(), (word, call));
    }
}

/// Returns the kind of an event in a word or two, with what tells events of one kind apart; `None` of packets, and of what comes
/// again and again.
fn word(kind: &EventKind) -> Option<String> {
    Some(match kind {
        EventKind::Signal {
            direction, message, ..
        } => match direction {
            SignalDirection::Sent => format!("sends {message}"),
            SignalDirection::Received => format!("receives {message}"),
        },
        EventKind::SignalUndeliverable { message, .. } => format!("undeliverable {message}"),
        EventKind::Intended { intent, .. } => intent.name().to_owned(),
        EventKind::Call { what, .. } => match what {
            CallEvent::Rings { .. } => "rings".to_owned(),
            other => other.to_string(),
        },
        EventKind::State { machine, state, .. } => format!("{machine} {state}"),
        EventKind::Described { remote, kind, .. } => match remote {
            true => format!("remote {kind}"),
            false => format!("local {kind}"),
        },
        EventKind::PeerCreated { offers, .. } => {
            format!("peer that {}", if *offers { "offers" } else { "answers" })
        }
        EventKind::Gathered { candidate, .. } => match candidate {
            Some(_) => "gathered".to_owned(),
            None => "gathered all".to_owned(),
        },
        EventKind::Factory { alive } => format!("factory {alive}"),
        EventKind::Failed { step, .. } => format!("failed {step}"),
        EventKind::Obeyed { .. }
        | EventKind::DescriptionCreated { .. }
        | EventKind::CandidateApplied { .. }
        | EventKind::CandidateRefused { .. }
        | EventKind::PairSelected { .. }
        | EventKind::Usable { .. }
        | EventKind::Closing { .. }
        | EventKind::Closed { .. }
        | EventKind::PushDelivered { .. }
        | EventKind::Started
        | EventKind::NotUnderstood { .. }
        | EventKind::Violated { .. }
        | EventKind::Panicked { .. } => kind.name(),
        _ => return None,
    })
}

//! What the oracles of calls share: each end of each call, as its app and its user tell it.
//!
//! Only clients that tell the life of their calls have ends; of others these oracles know nothing.

use std::collections::BTreeMap;

use super::{Evidence, Verdict, Violation};
use crate::{
    oracle::calls::belongs,
    trace::{CallEvent, Event, EventKind, Outcome, Trace},
};

/// One end of a call.
pub(super) struct End<'a> {
    /// The call.
    pub call: &'a str,
    /// The host.
    pub host: &'a str,
    /// What the app and the user did with the call there, in order.
    pub events: Vec<&'a Event>,
}

impl<'a> End<'a> {
    /// Its first event of a call for which `is` holds.
    pub fn first(&self, is: impl Fn(&CallEvent) -> bool) -> Option<&'a Event> {
        self.each(is).next()
    }

    /// Its events of a call for which `is` holds.
    pub fn each(&self, is: impl Fn(&CallEvent) -> bool) -> impl Iterator<Item = &'a Event> {
        self.events
            .iter()
            .copied()
            .filter(move |e| what(e).is_some_and(&is))
    }

    /// How it ended, each time that it did.
    pub fn outcomes(&self) -> Vec<(&'a Event, Outcome)> {
        let outcome = |e: &&'a Event| match what(e) {
            Some(CallEvent::Over { outcome }) => Some((*e, *outcome)),
            _ => None,
        };
        self.events.iter().filter_map(outcome).collect()
    }

    /// The failure that `event` decides.
    pub fn fail(&self, event: Option<&Event>, why: &str) -> Verdict {
        Verdict::Fail(Violation {
            event: event.map(|e| e.seq),
            why: format!("{} at {} {why}", self.call, self.host),
        })
    }
}

/// What an event says of a call.
pub(super) fn what(event: &Event) -> Option<&CallEvent> {
    match &event.kind {
        EventKind::Call { what, .. } => Some(what),
        _ => None,
    }
}

/// Every end of every call, by call and host.
pub(super) fn ends(trace: &Trace) -> Vec<End<'_>> {
    let mut ends: BTreeMap<(&str, &str), Vec<&Event>> = BTreeMap::new();
    for event in &trace.events {
        let call = match &event.kind {
            EventKind::Call { call, .. } | EventKind::Dialed { call, .. } | EventKind::HungUp { call } => {
                call
            }
            _ => continue,
        };
        if let Some(host) = event.host.as_deref() {
            ends.entry((call, host)).or_default().push(event);
        }
    }
    // Without an app that tells the life of its calls there is nothing to judge.
    ends.retain(|_, events| events.iter().any(|e| what(e).is_some()));
    let end = |((call, host), events)| End { call, host, events };
    ends.into_iter().map(end).collect()
}

/// The end of `call` at `host`.
pub(super) fn end_of<'e, 'a>(ends: &'e [End<'a>], call: &str, host: &str) -> Option<&'e End<'a>> {
    ends.iter().find(|e| e.call == call && e.host == host)
}

/// The peer of `call` that an event is about.
pub(super) fn peer_of<'a>(event: &'a Event, call: &str) -> Option<&'a str> {
    let peer = match &event.kind {
        EventKind::Gathered { peer, .. }
        | EventKind::Described { peer, .. }
        | EventKind::CandidateApplied { peer, .. }
        | EventKind::Closing { peer }
        | EventKind::Closed { peer } => peer,
        _ => return None,
    };
    belongs(peer, call).then_some(peer)
}

/// When the run was over.
pub(super) fn ended(evidence: Evidence<'_>) -> crate::time::SimTime {
    let last = evidence.trace.events.last();
    last.map_or(crate::time::SimTime::ZERO, |e| e.at)
}

#[cfg(test)]
pub(super) mod testing {
    //! Small traces of the call `c1` from alice to bob.

    use super::*;
    use crate::trace::Point;

    pub fn dialed() -> EventKind {
        EventKind::Dialed {
            call: "c1".into(),
            to: "bob".into(),
        }
    }

    pub fn hung_up() -> EventKind {
        EventKind::HungUp { call: "c1".into() }
    }

    pub fn happens(what: CallEvent) -> EventKind {
        EventKind::Call {
            call: "c1".into(),
            what,
        }
    }

    pub fn rings() -> EventKind {
        happens(CallEvent::Rings { from: "alice".into() })
    }

    pub fn reached(point: Point) -> EventKind {
        happens(CallEvent::Reached { point })
    }

    pub fn over(outcome: Outcome) -> EventKind {
        happens(CallEvent::Over { outcome })
    }

    pub fn returned() -> EventKind {
        happens(CallEvent::HangupReturned)
    }
}

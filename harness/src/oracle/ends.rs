//! Shared by the oracles of calls: each end of each call, with its user's intents and what its app shows.

use std::collections::BTreeMap;

use super::{
    Evidence, Verdict, Violation,
    wanted::{Want, Wanted, wanted},
};
use crate::{
    time::SimTime,
    trace::{CallEvent, CallOutcome, Event, EventKind, Trace},
};

/// One end of a call.
pub(super) struct End<'a> {
    /// The call.
    pub call: &'a str,
    /// The host.
    pub host: &'a str,
    /// The intents of the user for the call there, in order.
    pub wanted: Vec<Wanted<'a>>,
    /// The call events that the app showed, in order. After a crash of the host, only those of the last life.
    pub shown: Vec<&'a Event>,
    /// The call events of all lives of the host.
    pub ever_shown: Vec<&'a Event>,
    /// The event with which the app made its first peer for the call.
    first_peer: Option<&'a Event>,
    /// The last crash of the host while it took part.
    pub crashed: Option<SimTime>,
}

impl<'a> End<'a> {
    /// Returns the first call event for which `is` holds.
    pub fn first(&self, is: impl Fn(&CallEvent) -> bool) -> Option<&'a Event> {
        self.each(is).next()
    }

    /// Iterates over the call events for which `is` holds.
    pub fn each(&self, is: impl Fn(&CallEvent) -> bool) -> impl Iterator<Item = &'a Event> {
        let shown = self.shown.iter().copied();
        shown.filter(move |e| what(e).is_some_and(&is))
    }

    /// Returns the outcomes of the end, with their events.
    pub fn outcomes(&self) -> Vec<(&'a Event, CallOutcome)> {
        let outcome = |e: &&'a Event| match what(e) {
            Some(CallEvent::Over { outcome }) => Some((*e, *outcome)),
            _ => None,
        };
        self.shown.iter().filter_map(outcome).collect()
    }

    /// Returns the first intent of the user for which `is` holds.
    pub fn wanted(&self, is: impl Fn(&Want<'_>) -> bool) -> Option<&'a Event> {
        self.wanted.iter().find(|w| is(&w.want)).map(|w| w.event)
    }

    /// Reports whether the end took part before `event`.
    fn has_begun(&self, event: &Event) -> bool {
        let wanted = self.wanted.iter().map(|w| w.event);
        wanted
            .chain(self.shown.iter().copied())
            .chain(self.first_peer)
            .any(|e| e.seq < event.seq)
    }

    /// Returns the first event with which the app confirms that it has ended the call for its user.
    pub fn hangup_returned(&self, trace: &'a Trace) -> Option<&'a Event> {
        let ended = self.wanted.iter().filter(|w| w.ends_something(trace));
        let ended: Vec<u64> = ended.map(|w| w.id).collect();
        let obeyed = |e: &&Event| matches!(&e.kind, EventKind::Obeyed { id } if ended.contains(id));
        trace.of(self.host).find(obeyed)
    }

    /// Creates the failure that `event` decides.
    pub fn fail(&self, event: Option<&Event>, why: &str) -> Verdict {
        Verdict::Fail(Violation {
            event: event.map(|e| e.seq),
            call: Some(self.call.to_owned()),
            why: format!("{} at {} {why}", self.call, self.host),
        })
    }
}

/// Returns the call event in an event.
pub(super) fn what(event: &Event) -> Option<&CallEvent> {
    match &event.kind {
        EventKind::Call { what, .. } => Some(what),
        _ => None,
    }
}

/// Returns every end of every call that took part in it, by call and host: its user dialed, or its app showed it.
pub(super) fn ends(trace: &Trace) -> Vec<End<'_>> {
    let mut ends: BTreeMap<(&str, &str), End<'_>> = BTreeMap::new();
    let end = |(call, host)| End {
        call,
        host,
        wanted: Vec::new(),
        shown: Vec::new(),
        ever_shown: Vec::new(),
        first_peer: None,
        crashed: None,
    };
    for wanted in wanted(trace) {
        let key = (wanted.call, wanted.host);
        ends.entry(key).or_insert_with(|| end(key)).wanted.push(wanted);
    }
    for event in &trace.events {
        match (&event.kind, event.host.as_deref()) {
            (EventKind::Call { call, .. }, Some(host)) => {
                let key = (call.as_str(), host);
                let end = ends.entry(key).or_insert_with(|| end(key));
                end.shown.push(event);
                end.ever_shown.push(event);
            }
            // Who picks up a call that meets their own has a peer before anything is shown.
            (EventKind::PeerCreated { peer, .. }, Some(host)) => {
                let key = (peer.call.as_str(), host);
                let end = ends.entry(key).or_insert_with(|| end(key));
                end.first_peer.get_or_insert(event);
            }
            (EventKind::Crashed, Some(host)) => {
                for end in ends.values_mut().filter(|e| e.host == host && e.has_begun(event)) {
                    end.crashed = Some(event.at);
                    end.shown.clear();
                }
            }
            _ => {}
        }
    }
    let took_part = |e: &End<'_>| {
        !e.shown.is_empty()
            || e.crashed.is_some()
            || e.wanted.iter().any(|w| matches!(w.want, Want::Dial { .. }))
    };
    ends.into_values().filter(took_part).collect()
}

/// Returns the end of `call` at `host`.
pub(super) fn end_of<'e, 'a>(ends: &'e [End<'a>], call: &str, host: &str) -> Option<&'e End<'a>> {
    ends.iter().find(|e| e.call == call && e.host == host)
}

/// Returns when the run was over.
pub(super) fn ended(evidence: Evidence<'_>) -> SimTime {
    let last = evidence.trace.events.last();
    last.map_or(SimTime::ZERO, |e| e.at)
}

/// Returns when the run ended, or was cleaned up.
pub(super) fn run_over(evidence: Evidence<'_>) -> SimTime {
    let clean_up = evidence.trace.events.get(cleaned_up(evidence.trace) as usize);
    clean_up.map_or(ended(evidence), |e| e.at.min(ended(evidence)))
}

/// Returns the sequence number of the cleanup: later events are not the users' doing.
pub(super) fn cleaned_up(trace: &Trace) -> u64 {
    let clean_up = trace.events.iter().find(|e| e.kind == EventKind::CleanUp);
    clean_up.map_or(u64::MAX, |e| e.seq)
}

#[cfg(test)]
pub(super) mod testing {
    //! Small traces of the call `c1` from alice to bob.

    use super::*;
    use crate::trace::Intent;

    fn intended(id: u64, intent: Intent) -> EventKind {
        EventKind::Intended { id, intent }
    }

    pub fn dialed() -> EventKind {
        let (call, to) = ("c1".into(), "bob".into());
        intended(0, Intent::Dial { call, to })
    }

    pub fn accepted() -> EventKind {
        intended(1, Intent::Accept { call: "c1".into() })
    }

    pub fn rejected() -> EventKind {
        intended(2, Intent::Reject { call: "c1".into() })
    }

    pub fn hung_up() -> EventKind {
        intended(3, Intent::HangUp { call: "c1".into() })
    }

    pub fn retried() -> EventKind {
        intended(4, Intent::Retry { call: "c1".into() })
    }

    /// The hangup has returned.
    pub fn returned() -> EventKind {
        EventKind::Obeyed { id: 3 }
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

    pub fn over(outcome: CallOutcome) -> EventKind {
        happens(CallEvent::Over { outcome })
    }

    pub fn usable() -> EventKind {
        EventKind::Usable { peer: "c1".into() }
    }

    pub fn creates(kind: &str) -> EventKind {
        EventKind::DescriptionCreated {
            peer: "c1".into(),
            kind: kind.into(),
            ufrag: "u".into(),
        }
    }

    pub fn peer(offers: bool) -> EventKind {
        EventKind::PeerCreated {
            peer: "c1".into(),
            offers,
        }
    }
}

//! What users wanted, as oracles judge it: each intent with what it comes to at that end.
//!
//! Intents are the driver's evidence. What an intent comes to is read from the trace: who dials somebody who rings here
//! picks up, and a name that was dialed before is not dialed again.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    fault::Plan,
    time::SimTime,
    trace::{CallEvent, Event, EventKind, Intent, Trace},
};

/// What an intent about one call comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want<'a> {
    /// Calls that client.
    Dial { to: &'a str },
    /// Picks the call up.
    Accept,
    /// Refuses it.
    Reject,
    /// Ends it.
    HangUp,
    /// Tries again within it.
    Retry,
}

/// An intent about one call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// The event that the driver wrote down.
    pub event: &'a Event,
    /// The number of the intent.
    pub id: u64,
    /// Where the user is.
    pub host: &'a str,
    /// The call.
    pub call: &'a str,
    /// What.
    pub want: Want<'a>,
}

impl Wanted<'_> {
    /// Whether it ends a call, if there is one to end.
    pub fn ends(&self) -> bool {
        matches!(self.want, Want::HangUp | Want::Reject)
    }

    /// Whether it picks up a call that rings.
    pub fn answers_something(&self, trace: &Trace) -> bool {
        self.want == Want::Accept && rings_at(trace, self)
    }

    /// Whether it refuses a call that rings: to hang it up is to refuse it.
    pub fn refuses_something(&self, trace: &Trace) -> bool {
        self.ends() && rings_at(trace, self)
    }

    /// Whether there was a call for it to end.
    pub fn ends_something(&self, trace: &Trace) -> bool {
        match self.want {
            Want::HangUp => is_live_at(trace, self.host, self.call, self.event),
            Want::Reject => rings_at(trace, self),
            _ => false,
        }
    }
}

/// Every intent about a call, in order, until the run was cleaned up.
pub(super) fn wanted(trace: &Trace) -> Vec<Wanted<'_>> {
    let mut all: Vec<Wanted<'_>> = Vec::new();
    let mut dialed = BTreeSet::new();
    for event in trace.intents() {
        let (EventKind::Intended { id, intent }, Some(host)) = (&event.kind, event.host.as_deref()) else {
            continue;
        };
        let (call, want) = match intent {
            Intent::Dial { call, to } => match picked_up(trace, event) {
                Some(rings) => (rings, Want::Accept),
                None => (call.as_str(), Want::Dial { to }),
            },
            Intent::Accept { call } => (call.as_str(), Want::Accept),
            Intent::Reject { call } => (call.as_str(), Want::Reject),
            Intent::HangUp { call } => (call.as_str(), Want::HangUp),
            Intent::Retry { call } => (call.as_str(), Want::Retry),
            // The driver writes the legs of a group down one by one.
            _ => continue,
        };
        if matches!(want, Want::Dial { .. }) && !dialed.insert(call) {
            continue;
        }
        all.push(Wanted {
            event,
            id: *id,
            host,
            call,
            want,
        });
    }
    all
}

/// The call that rings when a user dials who calls, from whatever device, if the app took the dial for picking up: nothing
/// is ever seen of the call that was dialed.
fn picked_up<'a>(trace: &'a Trace, dial: &Event) -> Option<&'a str> {
    let EventKind::Intended {
        id,
        intent: Intent::Dial { call, to },
    } = &dial.kind
    else {
        return None;
    };
    let devices = trace.devices_dialed(*id);
    let host = dial.host.as_deref()?;
    let here = || trace.of(host);
    let rang = here()
        .take_while(|e| e.at <= dial.at)
        .filter_map(|e| match &e.kind {
            EventKind::Call {
                call,
                what: CallEvent::Rings { from },
            } if from == to || devices.contains(from) => Some((e, call.as_str())),
            _ => None,
        });
    let (ring, rings) = rang.last()?;
    let ended = here().filter(|e| e.seq > ring.seq && e.at < dial.at).any(|e| {
        matches!(&e.kind, EventKind::Call { call, what: CallEvent::Silent | CallEvent::Over { .. } } if call == rings)
    });
    let seen = here().any(|e| e.kind.intent().is_none() && e.kind.call() == Some(call.as_str()));
    (!ended && !seen).then_some(rings)
}

/// Whether `host` took part in `call` for sure when `event` came: its user had dialed it, or its app had shown it.
pub(super) fn is_live_at(trace: &Trace, host: &str, call: &str, event: &Event) -> bool {
    let mut live = false;
    for e in trace.of(host).take_while(|e| e.seq < event.seq) {
        match &e.kind {
            EventKind::Intended {
                intent: Intent::Dial { call: c, .. },
                ..
            } if c == call => live = picked_up(trace, e).is_none(),
            EventKind::Call { call: c, what } if c == call => match what {
                CallEvent::Over { .. } => return false,
                _ => live = true,
            },
            EventKind::PeerCreated { peer, .. } if peer.call == call => live = true,
            EventKind::Crashed => live = false,
            _ => {}
        }
    }
    live
}

/// Whether the call rang on the user's phone when the intent came.
pub(super) fn rings_at(trace: &Trace, wanted: &Wanted<'_>) -> bool {
    let before = trace.of(wanted.host).take_while(|e| e.seq < wanted.event.seq);
    let rings = before.filter_map(|e| match &e.kind {
        EventKind::Call { call, what } if call == wanted.call => {
            Some(matches!(what, CallEvent::Rings { .. }))
        }
        EventKind::Crashed => Some(false),
        _ => None,
    });
    rings.last().unwrap_or(false)
}

/// When something that `host` should do from `from` on has to be done: `patience` later, without the time in which the
/// plan lets the app there stand still.
pub(super) fn due(plan: &Plan, host: &str, from: SimTime, patience: Duration) -> SimTime {
    let mut due = from + patience;
    for (begins, ends) in plan.pauses_of(host) {
        if begins < due && ends > from {
            due = due + (ends - begins.max(from));
        }
    }
    due
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{ends::testing::*, machine::testing::trace_of};

    fn dials(call: &str, to: &str) -> EventKind {
        EventKind::Intended {
            id: 0,
            intent: Intent::Dial {
                call: call.into(),
                to: to.into(),
            },
        }
    }

    fn wants(trace: &Trace) -> Vec<(&str, Want<'_>)> {
        wanted(trace).iter().map(|w| (w.call, w.want)).collect()
    }

    #[test]
    fn who_dials_the_one_who_rings_picks_up_unless_a_call_comes_of_it() {
        let picks_up = trace_of(vec![(0, "bob", rings()), (1, "bob", dials("c2", "alice"))]);
        assert_eq!(wants(&picks_up), [("c1", Want::Accept)]);
        let gone = trace_of(vec![
            (0, "bob", rings()),
            (1, "bob", happens(CallEvent::Silent)),
            (2, "bob", dials("c2", "alice")),
        ]);
        assert_eq!(wants(&gone), [("c2", Want::Dial { to: "alice" })]);
        let both = trace_of(vec![
            (1, "bob", rings()),
            (1, "bob", dials("c2", "alice")),
            (
                1,
                "bob",
                EventKind::PeerCreated {
                    peer: "c2".into(),
                    offers: true,
                },
            ),
        ]);
        assert_eq!(wants(&both), [("c2", Want::Dial { to: "alice" })]);
    }

    #[test]
    fn a_call_is_live_from_its_dial_or_its_ring_until_it_is_over() {
        let trace = trace_of(vec![
            (0, "alice", dialed()),
            (1, "bob", rings()),
            (2, "bob", over(crate::trace::CallOutcome::Rejected)),
            (3, "bob", hung_up()),
        ]);
        let at = |seq: usize| &trace.events[seq];
        assert!(!is_live_at(&trace, "bob", "c1", at(1)));
        assert!(is_live_at(&trace, "bob", "c1", at(2)));
        assert!(!is_live_at(&trace, "bob", "c1", at(3)));
        assert!(is_live_at(&trace, "alice", "c1", at(3)));
    }
}

//! Users' intents as oracles judge them: each with its meaning for one call at that end.
//!
//! Intents are the driver's evidence. Their meaning is derived from the trace: a user who dials a client whose call
//! rings here accepts that call, and a name that was dialed before is not dialed again.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    fault::Plan,
    time::SimTime,
    trace::{CallEvent, Event, EventKind, Intent, Trace},
};

/// The meaning of an intent about one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want<'a> {
    /// Call that client.
    Dial { to: &'a str },
    /// Accept the call.
    Accept,
    /// Reject the call.
    Reject,
    /// End the call.
    HangUp,
    /// Try again within the call.
    Retry,
}

/// An intent about one call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    /// The event that the driver recorded.
    pub event: &'a Event,
    /// The number of the intent.
    pub id: u64,
    /// The host of the user.
    pub host: &'a str,
    /// The call.
    pub call: &'a str,
    /// The meaning of the intent.
    pub want: Want<'a>,
}

impl Wanted<'_> {
    /// Reports whether the intent ends a call, if there is one to end.
    pub fn ends(&self) -> bool {
        matches!(self.want, Want::HangUp | Want::Reject)
    }

    /// Reports whether the intent accepts a ringing call.
    pub fn answers_something(&self, trace: &Trace) -> bool {
        self.want == Want::Accept && rings_at(trace, self)
    }

    /// Reports whether the intent rejects a ringing call: hanging it up counts as rejecting it.
    pub fn refuses_something(&self, trace: &Trace) -> bool {
        self.ends() && rings_at(trace, self)
    }

    /// Reports whether there was a call for the intent to end.
    pub fn ends_something(&self, trace: &Trace) -> bool {
        match self.want {
            Want::HangUp => is_live_at(trace, self.host, self.call, self.event),
            Want::Reject => rings_at(trace, self),
            _ => false,
        }
    }
}

/// Returns every intent about a call, in order, until the cleanup.
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
            // The driver records the legs of a group one by one.
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

/// Returns the ringing call when a user dials its caller, from whatever device, if the app treated the dial as an
/// accept: then the dialed call never appears.
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

/// Reports whether `host` certainly took part in `call` before `event`: its user had dialed it, or its app had shown
/// it.
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

/// Reports whether the call rang on the user's phone at the time of the intent.
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

/// Returns when something that `host` should do from `from` on is due: `patience` later, not counting the time in which
/// the plan pauses the app there.
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

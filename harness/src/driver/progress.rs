//! The state of each end of each call, derived from what adapters and screens record.
//!
//! The driver uses it to time users' acts ("hangs up when the offer is sent") and to decide when a run has nothing more
//! to wait for. It listens to the trace as it is recorded; it tells an app nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::sync::mpsc::UnboundedSender;

use crate::{
    time::SimTime,
    trace::{CallEvent, Event, EventKind, Intent, Machine, Point, SERVICE, SignalDirection},
};

/// An event that users wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Happening {
    /// The host.
    pub host: String,
    /// The call.
    pub call: String,
    /// The event.
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The call reached a point on the host.
    Reached(Point),
    /// The phone rings for the call.
    Rings,
    /// The call is over on the host.
    Over,
}

/// The state of one end of a call.
#[derive(Clone, Debug, Default)]
pub(super) struct CallProgress {
    /// The other end, if the app or the user has named it.
    pub other: Option<String>,
    /// The point reached last.
    pub at: Option<Point>,
    /// Whether the phone rings.
    pub rings: bool,
    /// The time at which the phone stopped ringing.
    pub silent: Option<SimTime>,
    /// Whether a message has gone both ways.
    pub usable: bool,
    /// Since when messages of the other end have been arriving without a long pause, and when the last one did.
    pub heard: Option<(SimTime, SimTime)>,
    /// Whether the app has shown that the call is over.
    pub over: bool,
    /// Whether the user has ended the call.
    pub ended: bool,
    local: bool,
    remote: bool,
}

/// One end of a call: host and call.
type Place = (String, String);

/// The state of all calls of a run.
#[derive(Debug)]
pub(super) struct Progress {
    ends: BTreeMap<Place, CallProgress>,
    // Ends that were over, or ended by their user, when a crash made their host forget them.
    done: BTreeSet<Place>,
    // The shortest silence that is a pause in a call.
    pause: Duration,
    news: UnboundedSender<Happening>,
}

impl Progress {
    pub fn new(pause: Duration, news: UnboundedSender<Happening>) -> Self {
        Self {
            ends: BTreeMap::new(),
            done: BTreeSet::new(),
            pause,
            news,
        }
    }

    /// Returns the state of `call` on `host`.
    pub fn of(&self, host: &str, call: &str) -> Option<&CallProgress> {
        self.ends.get(&(host.to_owned(), call.to_owned()))
    }

    /// Reports whether `call` from `caller` to `callee` needs no more waiting: each end has it usable or over, and a
    /// callee that never heard of it does not count once it is over for the caller.
    pub fn is_settled(&self, call: &str, caller: &str, callee: &str) -> bool {
        let settled = |end: &CallProgress| end.usable || end.over;
        let here = self.of(caller, call);
        let there = self.of(callee, call);
        match (here, there) {
            (None, _) => self.was_done(caller, call),
            (Some(here), None) => here.over,
            // A user who has ended a call that the app does not know (any more) changes nothing.
            (Some(here), Some(there)) => {
                settled(here) && (settled(there) || (here.over && !there.takes_part()))
            }
        }
    }

    /// Reports whether there is no need to wait for `call` from `caller` to `callee` to carry messages again: each
    /// usable end has been receiving them without a pause for [`Self::pause`] from `since` on, or the call is over or ended.
    ///
    /// The first message is not enough: the next may wait for a timer that has backed off (RFC 9260 section 6.3.3).
    pub fn talks(&self, call: &str, caller: &str, callee: &str, since: SimTime) -> bool {
        let ends = [caller, callee].map(|host| self.of(host, call));
        if ends.iter().flatten().any(|end| end.over || end.ended) {
            return true;
        }
        let steady = |(from, last): (SimTime, SimTime)| last >= from.max(since) + self.pause;
        let mut there = ends.into_iter().flatten().filter(|end| end.usable);
        there.all(|end| end.heard.is_some_and(steady))
    }

    /// Reports whether `call` was over on `host`, or its user had ended it, when a crash made the host forget it.
    pub fn was_done(&self, host: &str, call: &str) -> bool {
        self.done.contains(&(host.to_owned(), call.to_owned()))
    }

    /// Removes the calls of a host that has crashed; their other ends have to connect again.
    pub fn crashed(&mut self, host: &str) {
        let mut lost = BTreeSet::new();
        for ((h, call), end) in &self.ends {
            if h != host {
                continue;
            }
            lost.insert(call.clone());
            if end.over || end.ended {
                self.done.insert((h.clone(), call.clone()));
            }
        }
        self.ends.retain(|(h, _), _| h != host);
        for ((_, call), end) in &mut self.ends {
            if lost.contains(call) {
                end.usable = false;
            }
        }
    }

    /// Updates the state by an event.
    pub fn hear(&mut self, event: &Event) {
        let Some(host) = event.host.as_deref() else { return };
        if event.kind == EventKind::Crashed {
            return self.crashed(host);
        }
        let Some(call) = event.kind.call() else { return };
        // Messages that pass the server do not count as progress of a client.
        if matches!(&event.kind, EventKind::Signal { with, .. } if with != SERVICE) {
            return;
        }
        let place = (host.to_owned(), call.to_owned());
        let end = self.ends.entry(place).or_default();
        let happens = end.hear(event, self.pause);
        for what in happens {
            if let What::Reached(point) = what {
                end.at = Some(point);
            }
            // An error means that the run is being cleaned up.
            let _ = self.news.send(Happening {
                host: host.to_owned(),
                call: call.to_owned(),
                what,
            });
        }
    }
}

impl CallProgress {
    fn takes_part(&self) -> bool {
        self.at.is_some() || self.rings || self.silent.is_some()
    }

    /// Updates this end by an event; returns the events for users that result.
    fn hear(&mut self, event: &Event, pause: Duration) -> Vec<What> {
        let reached = |point| vec![What::Reached(point)];
        match &event.kind {
            EventKind::Intended { intent, .. } => self.wanted(intent),
            EventKind::Call { what, .. } => self.shown(what, event.at),
            EventKind::PeerCreated { offers: true, peer } if peer.attempt > 1 => {
                vec![
                    What::Reached(Point::Recovering),
                    What::Reached(Point::CreateOffer),
                ]
            }
            EventKind::PeerCreated { offers: true, .. } => reached(Point::CreateOffer),
            EventKind::DescriptionCreated { kind, .. } if kind == "offer" => reached(Point::OfferCreated),
            EventKind::Described { remote, .. } => {
                let both = self.local && self.remote;
                *(if *remote {
                    &mut self.remote
                } else {
                    &mut self.local
                }) = true;
                match !both && self.local && self.remote {
                    true => reached(Point::Checking),
                    false => Vec::new(),
                }
            }
            EventKind::Heard { .. } => {
                let goes_on = self.heard.filter(|(_, last)| event.at <= *last + pause);
                self.heard = Some((goes_on.map_or(event.at, |(from, _)| from), event.at));
                Vec::new()
            }
            EventKind::Usable { .. } => {
                self.usable = true;
                reached(Point::Connected)
            }
            EventKind::Gathered {
                candidate: Some(_), ..
            } => reached(Point::OnCandidate),
            EventKind::State {
                machine: Machine::Ice,
                state,
                ..
            } if state == "failed" => reached(Point::OnFailed),
            EventKind::Signal {
                direction, message, ..
            } => passed(*direction, message).map_or_else(Vec::new, reached),
            _ => Vec::new(),
        }
    }

    fn wanted(&mut self, intent: &Intent) -> Vec<What> {
        match intent {
            Intent::Dial { to, .. } => {
                self.other = Some(to.clone());
                vec![What::Reached(Point::Dialing)]
            }
            Intent::Accept { .. } => vec![What::Reached(Point::CreateAnswer)],
            Intent::HangUp { .. } | Intent::Reject { .. } => {
                self.ended = true;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn shown(&mut self, what: &CallEvent, at: SimTime) -> Vec<What> {
        match what {
            CallEvent::Rings { from } => {
                self.other = Some(from.clone());
                self.rings = true;
                vec![What::Reached(Point::Ringing), What::Rings]
            }
            CallEvent::Silent => {
                self.rings = false;
                self.silent = Some(at);
                Vec::new()
            }
            CallEvent::Over { .. } => {
                self.rings = false;
                self.silent.get_or_insert(at);
                self.over = true;
                vec![What::Over]
            }
            CallEvent::Connected => Vec::new(),
        }
    }
}

/// Returns the point that a call reaches when a client sends or receives a message.
fn passed(direction: SignalDirection, message: &str) -> Option<Point> {
    Some(match (direction, message) {
        (SignalDirection::Sent, "offer") => Point::OfferSent,
        (SignalDirection::Sent, "answer") => Point::AnswerSent,
        (SignalDirection::Sent, "try-again") => Point::Recovering,
        (SignalDirection::Received, "ringing") => Point::Ringing,
        (SignalDirection::Received, "offer") => Point::OnOffer,
        (SignalDirection::Received, "answer") => Point::OnAnswer,
        (SignalDirection::Received, "candidate") => Point::OnRemoteCandidate,
        (SignalDirection::Received, "joined") => Point::OnJoined,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    use super::*;
    use crate::trace::CallOutcome;

    const PAUSE: Duration = Duration::from_secs(1);

    fn progress() -> (Progress, UnboundedReceiver<Happening>) {
        let (news, happenings) = unbounded_channel();
        (Progress::new(PAUSE, news), happenings)
    }

    fn hear(progress: &mut Progress, host: &str, kind: EventKind) {
        hear_at(progress, 0, host, kind);
    }

    fn hear_at(progress: &mut Progress, ms: u64, host: &str, kind: EventKind) {
        progress.hear(&Event {
            seq: 0,
            at: SimTime::from_millis(ms),
            host: Some(host.into()),
            kind,
        });
    }

    fn dials() -> EventKind {
        EventKind::Intended {
            id: 0,
            intent: Intent::Dial {
                call: "c1".into(),
                to: "bob".into(),
            },
        }
    }

    fn shows(what: CallEvent) -> EventKind {
        let call = "c1".into();
        EventKind::Call { call, what }
    }

    fn usable() -> EventKind {
        EventKind::Usable { peer: "c1".into() }
    }

    #[test]
    fn a_call_is_settled_when_both_ends_are_done_with_it() {
        let (mut progress, _news) = progress();
        let settled = |p: &Progress| p.is_settled("c1", "alice", "bob");
        hear(&mut progress, "alice", dials());
        assert!(!settled(&progress));
        hear(
            &mut progress,
            "bob",
            shows(CallEvent::Rings { from: "alice".into() }),
        );
        hear(&mut progress, "alice", usable());
        assert!(!settled(&progress), "bob has not connected");
        hear(&mut progress, "bob", usable());
        assert!(settled(&progress));
        hear(&mut progress, "bob", EventKind::Crashed);
        assert!(!settled(&progress), "it has to connect again");
        let outcome = CallOutcome::Dropped;
        hear(&mut progress, "alice", shows(CallEvent::Over { outcome }));
        assert!(settled(&progress), "bob knows nothing of it any more");
    }

    #[test]
    fn a_call_talks_again_when_no_pause_has_come_for_a_while() {
        let (mut progress, _news) = progress();
        hear(&mut progress, "alice", usable());
        let talks = |p: &Progress| p.talks("c1", "alice", "bob", SimTime::from_millis(15_000));
        let mut hears = |ms| {
            hear_at(&mut progress, ms, "alice", EventKind::Heard { peer: "c1".into() });
            talks(&progress)
        };
        assert!(!hears(14_900), "before the healing");
        assert!(!hears(15_300), "what waited in the storm");
        assert!(!hears(20_800), "after a pause");
        assert!(!hears(21_500));
        assert!(hears(21_800), "for a second without a pause");
        assert!(!hears(23_000), "a pause again");
    }

    #[test]
    fn points_are_read_from_what_adapters_record() {
        let (mut progress, mut news) = progress();
        let described = |remote| EventKind::Described {
            peer: "c1".into(),
            remote,
            kind: "offer".into(),
            ufrag: "u".into(),
        };
        for kind in [
            dials(),
            EventKind::PeerCreated {
                peer: "c1#2".into(),
                offers: true,
            },
            described(false),
            described(true),
            described(true),
            usable(),
        ] {
            hear(&mut progress, "alice", kind);
        }
        let mut points = Vec::new();
        while let Ok(Happening {
            what: What::Reached(point),
            ..
        }) = news.try_recv()
        {
            points.push(point);
        }
        use Point::{Checking, Connected, CreateOffer, Dialing, Recovering};
        assert_eq!(points, [Dialing, Recovering, CreateOffer, Checking, Connected]);
    }
}

//! An oracle for what apps show of a connection: that it is there when it is.

use std::time::Duration;

use super::{
    Evidence, Oracle, Verdict,
    ends::{cleaned_up, ends},
    wanted, worst,
};
use crate::trace::{CallEvent, Event, EventKind, Intent, Machine, PeerId, SignalDirection, Trace};

/// A call is shown as connected exactly when it is.
pub const CALL_05_TRUE: Oracle = Oracle {
    id: "CALL-05",
    meaning: "An app shows a call as connected when, and only when, a message has gone both ways: not before, and within three seconds, unless it had given that attempt up.",
    source: "W3C webrtc-pc section 5.6.4, RTCIceTransportState",
    check: &shown_as_it_is,
};

fn shown_as_it_is(evidence: Evidence<'_>) -> Verdict {
    let Evidence { trace, plan } = evidence;
    let cleaned_up = cleaned_up(trace);
    worst(ends(trace).iter().map(|end| {
        let crash = trace.of(end.host).filter(|e| e.kind == EventKind::Crashed).last();
        let began = crash.map_or(0, |e| e.seq);
        let is_usable =
            |e: &&Event| matches!(&e.kind, EventKind::Usable { peer } if peer.call == end.call);
        let usable = trace.of(end.host).filter(|e| e.seq >= began).find(is_usable);
        let kept = trace
            .of(end.host)
            .filter(|e| e.seq >= began)
            .find(|e| is_usable(e) && !is_given_up(trace, end.host, e));
        let shown = end.first(|w| *w == CallEvent::Connected);
        match (usable, shown) {
            (None, Some(shown)) => end.fail(Some(shown), "was shown as connected, and never was"),
            (Some(usable), Some(shown)) if shown.seq < usable.seq => {
                let why = format!("was shown as connected {} early", span(shown, usable));
                end.fail(Some(shown), &why)
            }
            (Some(_), shown) => {
                let Some(usable) = kept else {
                    return Verdict::Pass;
                };
                let by = wanted::due(plan, end.host, usable.at, SOON);
                let gone = trace.of(end.host).any(|e| {
                    let ends = e.seq >= cleaned_up
                        || e.kind == EventKind::Crashed
                        || matches!(e.kind.intent(), Some(Intent::HangUp { call }) if call == end.call)
                        || matches!(&e.kind, EventKind::Call { call, what: CallEvent::Over { .. } } if call == end.call);
                    ends && e.at <= by
                });
                match shown.is_some_and(|e| e.at <= by) || gone {
                    true => Verdict::Pass,
                    false => end.fail(
                        Some(usable),
                        &format!("was connected at {}, and not shown so by {by}", usable.at),
                    ),
                }
            }
            (None, None) => Verdict::Pass,
        }
    }))
}

/// Reports whether the peer that `usable` is about was being closed already, or had been replaced by that of a newer attempt, or is
/// replaced at once for a reason that was there before: the other end had asked for that, ICE had reported that its path is silent, or it
/// had taken so long that nobody need wait for it.
fn is_given_up(trace: &Trace, host: &str, usable: &Event) -> bool {
    let Some(peer) = usable.kind.peer() else {
        return false;
    };
    let is_newer = |kind: &EventKind| {
        matches!(kind, EventKind::PeerCreated { peer: newer, .. }
            if newer.call == peer.call && newer.life == peer.life && newer.attempt > peer.attempt)
    };
    let before = || trace.of(host).take_while(|e| e.seq < usable.seq);
    let closing = |kind: &EventKind| matches!(kind, EventKind::Closing { peer: closing } if closing == peer);
    if before().any(|e| closing(&e.kind) || is_newer(&e.kind)) {
        return true;
    }
    let mut at_once = trace.of(host).take_while(|e| e.at <= usable.at + AT_ONCE);
    let made = before()
        .find(|e| matches!(&e.kind, EventKind::PeerCreated { peer: made, .. } if made == peer))
        .map(|e| e.at);
    let is_late = made.is_some_and(|made| usable.at >= made + PATIENCE);
    at_once.any(|e| is_newer(&e.kind)) && (is_late || has_reason(before(), peer))
}

/// Reports whether the other end has asked for an attempt after that of `peer`, or ICE there says last that its path is silent.
fn has_reason<'a>(before: impl Iterator<Item = &'a Event>, peer: &PeerId) -> bool {
    let (mut asked, mut silent) = (false, false);
    for event in before {
        match &event.kind {
            EventKind::PeerCreated { peer: made, .. } if made == peer => asked = false,
            EventKind::State {
                peer: of,
                machine,
                state,
            } if of == peer && *machine == Machine::Ice => {
                silent = state == "disconnected" || state == "failed";
            }
            EventKind::Signal {
                direction: SignalDirection::Received,
                message,
                call: Some(call),
                ..
            } if message == "try-again" && *call == peer.call => asked = true,
            _ => {}
        }
    }
    asked || silent
}

/// The time in which an app acts on what it had decided when its call was connected.
const AT_ONCE: Duration = Duration::from_millis(500);

/// The time after which an app may give up an attempt that has not come up, whatever its path.
const PATIENCE: Duration = Duration::from_secs(5);

/// The time that an app may take to show that a call is connected.
const SOON: Duration = Duration::from_secs(3);

fn span(from: &Event, to: &Event) -> String {
    format!("{} ms", (to.at - from.at).as_millis())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{ends::testing::*, machine::testing::*},
        *,
    };

    #[test]
    fn a_call_is_connected_when_it_is_shown_so_and_shown_so_when_it_is() {
        let connected = |at| (at, "bob", happens(CallEvent::Connected));
        let judged = |events| judged_on(&CALL_05_TRUE, events);
        let begin = [(0, "alice", dialed()), (1, "bob", rings())];
        let with = |more: Vec<_>| judged(begin.iter().cloned().chain(more).collect());
        let late = (60_000, "alice", EventKind::CleanUp);
        assert_eq!(
            with(vec![(5, "bob", usable()), connected(6), late.clone()]),
            Verdict::Pass
        );
        assert_eq!(
            decided(&with(vec![connected(5), (6, "bob", usable()), late.clone()])),
            Some(2)
        );
        assert_eq!(decided(&with(vec![connected(5), late.clone()])), Some(2));
        assert_eq!(decided(&with(vec![(5, "bob", usable()), late.clone()])), Some(2));
        assert_eq!(
            with(vec![(5, "bob", usable()), (6, "bob", hung_up()), late.clone()]),
            Verdict::Pass
        );
        let closing = EventKind::Closing { peer: "c1".into() };
        let newer = EventKind::PeerCreated {
            peer: "c1#2".into(),
            offers: true,
        };
        for given_up in [closing, newer] {
            let before = (4, "bob", given_up.clone());
            let after = (6, "bob", given_up);
            assert_eq!(
                with(vec![before, (5, "bob", usable()), late.clone()]),
                Verdict::Pass
            );
            let judged = with(vec![(5, "bob", usable()), after, late.clone()]);
            assert_eq!(decided(&judged), Some(2), "it was connected before");
        }
    }

    #[test]
    fn an_attempt_may_be_replaced_for_a_reason_that_was_there_before_it_came_up() {
        let asked = EventKind::Signal {
            direction: SignalDirection::Received,
            with: "server".into(),
            message: "try-again".into(),
            call: Some("c1".into()),
            ufrag: None,
            candidate: None,
        };
        let ice = |state: &str| EventKind::State {
            peer: "c1".into(),
            machine: Machine::Ice,
            state: state.into(),
        };
        let judged = |before: EventKind, replaced_at: u64| {
            let newer = EventKind::PeerCreated {
                peer: "c1#2".into(),
                offers: true,
            };
            let begin = [(0, "alice", dialed()), (1, "bob", rings()), (2, "bob", before)];
            let rest = [
                (5, "bob", usable()),
                (replaced_at, "bob", newer),
                (60_000, "alice", EventKind::CleanUp),
            ];
            decided(&judged_on(&CALL_05_TRUE, begin.into_iter().chain(rest).collect()))
        };
        assert_eq!(judged(asked.clone(), 505), None);
        assert_eq!(judged(asked, 506), Some(3), "too late");
        assert_eq!(judged(ice("disconnected"), 505), None);
        assert_eq!(judged(ice("connected"), 505), Some(3), "for no reason");

        let after = |usable_at: u64| {
            let peer = |peer: &str| EventKind::PeerCreated {
                peer: peer.into(),
                offers: true,
            };
            let events = vec![
                (0, "alice", dialed()),
                (1, "bob", rings()),
                (2, "bob", peer("c1")),
                (usable_at, "bob", usable()),
                (usable_at + 100, "bob", peer("c1#2")),
                (60_000, "alice", EventKind::CleanUp),
            ];
            decided(&judged_on(&CALL_05_TRUE, events))
        };
        assert_eq!(after(5_002), None);
        assert_eq!(after(5_001), Some(3), "it had hardly been tried");
    }
}

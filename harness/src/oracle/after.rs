//! Oracles for the time after a call: nothing of an ended call goes on, and nothing begins it again.

use super::{
    Evidence, Oracle, Verdict,
    ends::{End, ends},
    worst,
};
use crate::trace::{CallEvent, Event, EventKind, SignalDirection, Trace};

/// No activity for a call after its hangup has returned.
pub const CALL_02_QUIET: Oracle = Oracle {
    id: "CALL-02",
    meaning: "Nothing is reported or begun for a call at an end whose hangup has returned.",
    source: "docs/stories.md#b-rapid-dial-and-hangup; docs/hazards.md#1-hangup-while-gathering; docs/hazards.md#4-waiting-inside-a-callback",
    check: &quiet,
};

/// No activity for a call that is over.
pub const CALL_03_DEAD: Oracle = Oracle {
    id: "CALL-03",
    meaning: "A call that is over at an end rings there no more, is not answered, and gets no peer.",
    source: "docs/stories.md#b-rapid-dial-and-hangup; docs/hazards.md#hangups-at-every-await; docs/hazards.md#reordering",
    check: &dead,
};

fn quiet(evidence: Evidence<'_>) -> Verdict {
    let trace = evidence.trace;
    worst(ends(trace).iter().map(|end| {
        let Some(returned) = end.hangup_returned(trace) else {
            return Verdict::Pass;
        };
        after(trace, end, returned, |e| match &e.kind {
            EventKind::Call { what, .. } => matches!(what, CallEvent::Rings { .. } | CallEvent::Connected),
            EventKind::Signal {
                direction: SignalDirection::Sent,
                message,
                ..
            } => !ENDINGS.contains(&message.as_str()),
            // TEAR-04 and STATE-06 judge closing and its reports.
            kind => begins_something(kind) || matches!(kind, EventKind::CandidateApplied { .. }),
        })
    }))
}

fn dead(evidence: Evidence<'_>) -> Verdict {
    let trace = evidence.trace;
    worst(ends(trace).iter().map(|end| {
        let Some((over, _)) = end.outcomes().first().copied() else {
            return Verdict::Pass;
        };
        after(trace, end, over, |e| match &e.kind {
            EventKind::Call { what, .. } => matches!(what, CallEvent::Rings { .. } | CallEvent::Connected),
            EventKind::Signal {
                direction: SignalDirection::Sent,
                message,
                ..
            } => matches!(message.as_str(), "dial" | "offer" | "answer" | "ringing"),
            kind => begins_something(kind),
        })
    }))
}

/// The messages that an app may still send about a call that is over: those that say so.
const ENDINGS: [&str; 5] = ["hangup", "reject", "busy", "glare", "elsewhere"];

/// Reports whether a peer is created or described.
fn begins_something(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::PeerCreated { .. } | EventKind::DescriptionCreated { .. } | EventKind::Described { .. }
    )
}

/// Fails at the first `wrong` event of `end` or its peers after `since`, in the same life.
fn after(trace: &Trace, end: &End<'_>, since: &Event, wrong: impl Fn(&Event) -> bool) -> Verdict {
    let later = trace.of(end.host).filter(|e| e.seq > since.seq);
    let same_life = later.take_while(|e| e.kind != EventKind::Crashed);
    let of_call = |e: &&Event| e.kind.call() == Some(end.call) && e.kind.intent().is_none();
    match same_life.filter(of_call).find(|e| wrong(e)) {
        None => Verdict::Pass,
        Some(event) => {
            let did = match &event.kind {
                EventKind::Call { what, .. } => format!("'{what}'"),
                EventKind::Signal { message, .. } => format!("its {message} being sent"),
                _ => "its peer going on".to_owned(),
            };
            let why = format!("was over at {}, and then came {did} at {}", since.at, event.at);
            end.fail(Some(event), &why)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{ends::testing::*, machine::testing::*},
        *,
    };
    use crate::trace::CallOutcome;

    fn then(oracle: &Oracle, last: EventKind) -> Option<u64> {
        let talked = over(CallOutcome::Talked);
        let events = vec![dialed(), hung_up(), talked, returned(), last];
        decided(&judged(oracle, events))
    }

    fn sends(message: &str) -> EventKind {
        EventKind::Signal {
            direction: SignalDirection::Sent,
            with: "server".into(),
            message: message.into(),
            call: Some("c1".into()),
            ufrag: None,
            candidate: None,
        }
    }

    #[test]
    fn nothing_goes_on_after_the_hangup_returned() {
        let legal = [hung_up(), returned(), closed(), sends("hangup")];
        assert!(legal.into_iter().all(|e| then(&CALL_02_QUIET, e).is_none()));
        for late in [
            rings(),
            happens(CallEvent::Connected),
            sends("candidate"),
            peer(true),
            described(true, "a"),
        ] {
            assert_eq!(then(&CALL_02_QUIET, late.clone()), Some(4), "{late:?}");
        }
        let during = vec![dialed(), hung_up(), sends("candidate"), returned()];
        assert_eq!(decided(&judged(&CALL_02_QUIET, during)), None);
        let next_life = vec![dialed(), hung_up(), returned(), EventKind::Crashed, rings()];
        assert_eq!(decided(&judged(&CALL_02_QUIET, next_life)), None);
    }

    #[test]
    fn nothing_begins_for_a_call_that_is_over() {
        for late in [
            creates("answer"),
            peer(true),
            rings(),
            sends("offer"),
            described(false, "a"),
        ] {
            assert_eq!(then(&CALL_03_DEAD, late.clone()), Some(4), "{late:?}");
        }
        let legal = [sends("candidate"), closed(), over(CallOutcome::Talked)];
        assert!(legal.into_iter().all(|e| then(&CALL_03_DEAD, e).is_none()));
    }
}

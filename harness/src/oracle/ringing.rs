//! An oracle for ringing phones: a phone rings only for a live call.

use super::{
    Evidence, Oracle, Verdict,
    calls::{Call, calls},
    ends::{End, end_of, ended, ends, what},
    worst,
};
use crate::trace::{CallEvent, CallOutcome, Event, EventKind, SignalDirection, Trace};

/// No phone rings without a call.
pub const RING_01_CALLED: Oracle = Oracle {
    id: "RING-01",
    meaning: "A phone rings only for a call that somebody dialed and whose end has not come, once, and falls silent within the budget after healing when the caller has gone; and for nobody whom its user had dialed, in a call that yielded to theirs.",
    source: "docs/stories.md#b-rapid-dial-and-hangup; docs/hazards.md#glare; docs/hazards.md#reordering",
    check: &called,
};

fn called(evidence: Evidence<'_>) -> Verdict {
    let ends = ends(evidence.trace);
    worst(ends.iter().map(|end| {
        let mut rings = end.each(|w| matches!(w, CallEvent::Rings { .. }));
        let Some(ring) = rings.next() else {
            return Verdict::Pass;
        };
        if let Some(again) = rings.next() {
            return end.fail(Some(again), "rang a second time");
        }
        let dials = calls(evidence.trace);
        let dial = dials.iter().find(|c| c.name == end.call && c.callee == end.host);
        let Some(dial) = dial.filter(|c| c.dialed <= ring.at) else {
            return end.fail(Some(ring), "rang, and nobody had dialed");
        };
        if !matches!(what(ring), Some(CallEvent::Rings { from }) if from == dial.caller) {
            return end.fail(Some(ring), "rang in the name of somebody else");
        }
        if let Some(hangup) = hangup_before(evidence.trace, end, ring) {
            let why = format!("rang at {}, though its end had come at {}", ring.at, hangup.at);
            return end.fail(Some(ring), &why);
        }
        if let Some(yielded) = yielded_to(&dials, &ends, dial, end) {
            let why = format!(
                "rang, though its user had dialed {}, and {yielded} yielded to it",
                dial.caller
            );
            return end.fail(Some(ring), &why);
        }
        match end_of(&ends, dial.name, dial.caller).and_then(|e| e.outcomes().first().copied()) {
            Some((gone, _)) if end.crashed.is_none() => silent_after(evidence, end, gone),
            _ => Verdict::Pass,
        }
    }))
}

/// Returns the call in which the user of `end` had dialed its caller, and which yielded to `dial`: then there is
/// nothing left to accept.
fn yielded_to<'a>(dials: &[Call<'a>], ends: &[End<'_>], dial: &Call<'_>, end: &End<'_>) -> Option<&'a str> {
    let own = dials.iter().filter(|c| {
        (c.caller, c.callee) == (dial.callee, dial.caller) && c.crashed.is_none() && end.crashed.is_none()
    });
    let yielded = own.filter(|own| {
        let glare = end_of(ends, own.name, own.caller).and_then(|own| {
            let outcomes = own.outcomes().into_iter();
            outcomes
                .filter(|(_, o)| *o == CallOutcome::Glare)
                .map(|(e, _)| e.at)
                .next()
        });
        // With more than one dial it may have been another call.
        let by = |c: &&Call<'_>, at| (c.caller, c.callee) == (dial.caller, dial.callee) && c.dialed <= at;
        glare.is_some_and(|at| dial.dialed <= at && dials.iter().filter(|c| by(c, at)).count() == 1)
    });
    yielded.map(|own| own.name).next()
}

fn hangup_before<'a>(trace: &'a Trace, end: &End<'a>, ring: &Event) -> Option<&'a Event> {
    let told = |e: &&Event| {
        matches!(
            &e.kind,
            EventKind::Signal { direction: SignalDirection::Received, message, call: Some(call), .. }
                if matches!(message.as_str(), "hangup" | "elsewhere") && call == end.call
        )
    };
    let before = trace.of(end.host).take_while(|e| e.seq < ring.seq);
    // After a crash, the next life does not know what the previous one was told.
    before.fold(None, |known, e| match e.kind {
        EventKind::Crashed => None,
        _ if told(&e) && e.at < ring.at => known.or(Some(e)),
        _ => known,
    })
}

fn silent_after(evidence: Evidence<'_>, end: &End<'_>, gone: &Event) -> Verdict {
    let by = gone.at.max(evidence.plan.heal_at()) + evidence.plan.budget();
    let silent = end.first(|w| *w == CallEvent::Silent);
    match silent {
        Some(silent) if silent.at <= by => Verdict::Pass,
        Some(silent) => end.fail(
            Some(silent),
            &format!(
                "rang until {}, though the caller was gone at {}",
                silent.at, gone.at
            ),
        ),
        None if ended(evidence) <= by => Verdict::Unknown(format!("the run ended while {} rang", end.host)),
        None => end.fail(
            None,
            &format!("never fell silent, though the caller was gone at {}", gone.at),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{ends::testing::*, machine::testing::*},
        *,
    };
    use crate::trace::Intent;

    fn hangup_comes() -> EventKind {
        EventKind::Signal {
            direction: SignalDirection::Received,
            with: "server".into(),
            message: "hangup".into(),
            call: Some("c1".into()),
            ufrag: None,
            candidate: None,
        }
    }

    #[test]
    fn a_phone_rings_for_nobody_whom_its_user_has_dialed() {
        let counter = |outcome| {
            let (call, to) = ("c0".to_owned(), "alice".to_owned());
            let intent = Intent::Dial {
                call: call.clone(),
                to,
            };
            let what = CallEvent::Over { outcome };
            let events = vec![
                (0, "alice", dialed()),
                (0, "bob", EventKind::Intended { id: 9, intent }),
                (1, "bob", EventKind::Call { call, what }),
                (2, "bob", rings()),
            ];
            decided(&judged_on(&RING_01_CALLED, events))
        };
        assert_eq!(counter(CallOutcome::Glare), Some(3));
        assert_eq!(counter(CallOutcome::Cancelled), None);
    }

    #[test]
    fn a_phone_rings_while_somebody_calls() {
        let silent = || happens(CallEvent::Silent);
        let gone = || over(CallOutcome::Cancelled);
        let fine = vec![
            (0, "alice", dialed()),
            (1, "bob", rings()),
            (2, "alice", gone()),
            (3, "bob", hangup_comes()),
            (3, "bob", silent()),
        ];
        assert_eq!(judged_on(&RING_01_CALLED, fine), Verdict::Pass);
        let ghosts = [
            vec![(1, "bob", rings())],
            vec![
                (0, "alice", dialed()),
                (1, "bob", hangup_comes()),
                (2, "bob", rings()),
            ],
            vec![
                (0, "alice", dialed()),
                (1, "bob", rings()),
                (2, "bob", silent()),
                (3, "bob", rings()),
            ],
            vec![
                (0, "alice", dialed()),
                (1, "bob", rings()),
                (2, "alice", gone()),
                (9, "bob", silent()),
            ],
            vec![
                (0, "alice", dialed()),
                (1, "bob", rings()),
                (2, "alice", gone()),
                (9, "alice", gone()),
            ],
        ];
        for ghost in ghosts {
            let verdict = judged_on(&RING_01_CALLED, ghost.clone());
            assert!(matches!(verdict, Verdict::Fail(_)), "{ghost:?}: {verdict:?}");
        }
    }
}

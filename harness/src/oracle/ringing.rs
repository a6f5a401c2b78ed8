//! What must hold of phones that ring: somebody calls.

use super::{
    Evidence, Oracle, Verdict,
    calls::calls,
    ends::{End, end_of, ended, ends, what},
    worst,
};
use crate::trace::{CallEvent, Event, EventKind, SignalDirection, Trace};

/// No ghost rings.
pub const CALLED: Oracle = Oracle {
    id: "RING-01",
    meaning: "A phone rings only for a call that somebody dialed and whose end has not come, once, and falls silent within the budget after healing when the caller has gone.",
    source: "docs/stories.md#b-rapid-dial-and-hangup; docs/hazards.md#glare; docs/hazards.md#reordering",
    check: called,
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
        match end_of(&ends, dial.name, dial.caller).and_then(|e| e.outcomes().first().copied()) {
            Some((gone, _)) if end.crashed.is_none() => silent_after(evidence, end, gone),
            _ => Verdict::Pass,
        }
    }))
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
    // What a life was told before a crash, the next one does not know.
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
    use crate::trace::Outcome;

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
    fn a_phone_rings_while_somebody_calls() {
        let silent = || happens(CallEvent::Silent);
        let gone = || over(Outcome::Cancelled);
        let fine = vec![
            (0, "alice", dialed()),
            (1, "bob", rings()),
            (2, "alice", gone()),
            (3, "bob", hangup_comes()),
            (3, "bob", silent()),
        ];
        assert_eq!(judged_on(&CALLED, fine), Verdict::Pass);
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
            let verdict = judged_on(&CALLED, ghost.clone());
            assert!(matches!(verdict, Verdict::Fail(_)), "{ghost:?}: {verdict:?}");
        }
    }
}

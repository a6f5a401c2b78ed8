//! What must hold after a call has ended: nothing of it goes on, and nothing begins it again.

use super::{
    Evidence, Oracle, Verdict,
    ends::{End, ends, peer_of, what},
    worst,
};
use crate::trace::{CallEvent, Event, EventKind, Point, Trace};

/// A hangup is the end.
pub const QUIET: Oracle = Oracle {
    id: "CALL-02",
    meaning: "Nothing is reported or begun for a call at an end whose hangup has returned.",
    source: "docs/stories.md#b-rapid-dial-and-hangup; docs/hazards.md#1-hangup-while-gathering; docs/hazards.md#4-waiting-inside-a-callback",
    check: quiet,
};

/// The dead stay dead.
pub const DEAD: Oracle = Oracle {
    id: "CALL-03",
    meaning: "A call that is over at an end rings there no more, is not answered, and gets no peer.",
    source: "docs/stories.md#b-rapid-dial-and-hangup; docs/hazards.md#hangups-at-every-await; docs/hazards.md#reordering",
    check: dead,
};

fn quiet(evidence: Evidence<'_>) -> Verdict {
    let ends = ends(evidence.trace);
    worst(ends.iter().map(|end| {
        let Some(returned) = end.first(|w| *w == CallEvent::HangupReturned) else {
            return Verdict::Pass;
        };
        after(evidence.trace, end, returned, |e| match what(e) {
            Some(CallEvent::Reached { .. } | CallEvent::Rings { .. } | CallEvent::PickedUp) => true,
            Some(_) => false,
            // Closing, and how it is reported, is for TEAR-04 and STATE-06.
            None => matches!(
                e.kind,
                EventKind::Described { .. } | EventKind::CandidateApplied { .. }
            ),
        })
    }))
}

fn dead(evidence: Evidence<'_>) -> Verdict {
    let ends = ends(evidence.trace);
    worst(ends.iter().map(|end| {
        let Some((over, _)) = end.outcomes().first().copied() else {
            return Verdict::Pass;
        };
        after(evidence.trace, end, over, |e| match what(e) {
            Some(CallEvent::Reached { point }) => begins_something(*point),
            Some(CallEvent::Rings { .. } | CallEvent::PickedUp) => true,
            Some(_) => false,
            None => matches!(e.kind, EventKind::Described { .. }),
        })
    }))
}

/// Whether a call that comes to `point` makes a peer, offers or answers there.
fn begins_something(point: Point) -> bool {
    matches!(
        point,
        Point::Dialing
            | Point::CreateOffer
            | Point::OfferCreated
            | Point::OfferSent
            | Point::CreateAnswer
            | Point::AnswerSent
    )
}

/// Fails at the first event of `end` or its peers after `since` that is `wrong`.
fn after(trace: &Trace, end: &End<'_>, since: &Event, wrong: impl Fn(&Event) -> bool) -> Verdict {
    let of_call = |e: &&Event| match &e.kind {
        EventKind::Call { call, .. } => call == end.call,
        _ => peer_of(e, end.call).is_some(),
    };
    let later = trace.of(end.host).filter(|e| e.seq > since.seq);
    match later.filter(of_call).find(|e| wrong(e)) {
        None => Verdict::Pass,
        Some(event) => {
            let did = match what(event) {
                Some(what) => format!("'{what}'"),
                None => "its peer going on".to_owned(),
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
    use crate::trace::Outcome;

    fn then(oracle: &Oracle, last: EventKind) -> Option<u64> {
        let talked = over(Outcome::Talked);
        let events = vec![dialed(), hung_up(), talked, returned(), last];
        decided(&judged(oracle, events))
    }

    #[test]
    fn nothing_goes_on_after_the_hangup_returned() {
        let legal = [hung_up(), returned(), closed()];
        assert!(legal.into_iter().all(|e| then(&QUIET, e).is_none()));
        for late in [
            reached(Point::OnCandidate),
            rings(),
            happens(CallEvent::PickedUp),
            described(true, "a"),
        ] {
            assert_eq!(then(&QUIET, late.clone()), Some(4), "{late:?}");
        }
        let during = vec![dialed(), hung_up(), reached(Point::OnCandidate), returned()];
        assert_eq!(decided(&judged(&QUIET, during)), None);
    }

    #[test]
    fn nothing_begins_for_a_call_that_is_over() {
        for late in [
            reached(Point::CreateAnswer),
            reached(Point::CreateOffer),
            rings(),
            described(false, "a"),
        ] {
            assert_eq!(then(&DEAD, late.clone()), Some(4), "{late:?}");
        }
        let legal = [reached(Point::OnCandidate), closed(), over(Outcome::Talked)];
        assert!(legal.into_iter().all(|e| then(&DEAD, e).is_none()));
    }
}

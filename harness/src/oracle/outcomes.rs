//! What must come of a call: one outcome at each end, the same at both, and a connection if nobody ends it.
//!
//! Two ends agree if they say the same, or if what one did crossed what the other did on its way ([`CROSSED`]).

use super::{
    Evidence, Oracle, Verdict,
    calls::{Call, calls},
    ends::{End, end_of, ended, ends, what},
    worst,
};
use crate::{
    time::SimTime,
    trace::{CallEvent, Event, Outcome, Trace},
};

/// Both ends know what came of a call.
pub const AGREED: Oracle = Oracle {
    id: "CALL-01",
    meaning: "Every dial has exactly one outcome at each end that took part, and within the budget after healing the two agree.",
    source: "docs/stories.md#b-rapid-dial-and-hangup; docs/hazards.md#redelivery",
    check: agreed,
};

/// A call that nobody ends goes on.
pub const GOES_ON: Oracle = Oracle {
    id: "CONN-03",
    meaning: "A dial that nobody ends rings or is picked up within its budget; once it is picked up a message crosses it both ways within its budget, and it is not over by itself.",
    source: "docs/stories.md#b-rapid-dial-and-hangup; docs/judging.md#liveness",
    check: goes_on,
};

/// Outcomes at caller and callee that differ and still agree, because two messages crossed.
pub const CROSSED: [(Outcome, Outcome); 10] = [
    // The caller's hangup crossed the answer,
    (Outcome::Cancelled, Outcome::Dropped),
    // or what the callee said instead of one.
    (Outcome::Cancelled, Outcome::Rejected),
    (Outcome::Cancelled, Outcome::Busy),
    (Outcome::Cancelled, Outcome::Glare),
    // The caller yielded to a call of the callee, who had ended this one already, before dialing or because it came late.
    (Outcome::Glare, Outcome::Dropped),
    (Outcome::Glare, Outcome::Rejected),
    (Outcome::Glare, Outcome::Busy),
    // The callee's hangup overtook its answer.
    (Outcome::Rejected, Outcome::Dropped),
    // A hangup crossed the last message that it takes to know of the connection.
    (Outcome::Talked, Outcome::Dropped),
    (Outcome::Dropped, Outcome::Talked),
];

/// What the caller may say of a call that the callee never heard of.
const UNHEARD: [Outcome; 2] = [Outcome::Cancelled, Outcome::Glare];

fn agreed(evidence: Evidence<'_>) -> Verdict {
    let ends = ends(evidence.trace);
    worst(calls(evidence.trace).iter().map(|call| {
        let Some(caller) = end_of(&ends, call.name, call.caller) else {
            return Verdict::Pass;
        };
        let (at, outcome) = match one_outcome(caller) {
            Ok(one) => one,
            Err(verdict) => return verdict,
        };
        let Some(callee) = end_of(&ends, call.name, call.callee) else {
            return if UNHEARD.contains(&outcome) {
                Verdict::Pass
            } else {
                caller.fail(
                    None,
                    &format!("was {outcome}, and {} never heard of it", call.callee),
                )
            };
        };
        let (there, other) = match one_outcome(callee) {
            Ok(one) => one,
            Err(verdict) => return verdict,
        };
        if outcome != other && !CROSSED.contains(&(outcome, other)) {
            return callee.fail(
                Some(there),
                &format!("was {other}, and {outcome} at {}", call.caller),
            );
        }
        let budget = evidence.plan.budget();
        let (first, last) = (at.at.min(there.at), at.at.max(there.at));
        if last > first.max(evidence.plan.heal_at()) + budget {
            return caller.fail(
                Some(at),
                &format!("was over at {}, and at {} at {}", at.at, call.callee, there.at),
            );
        }
        Verdict::Pass
    }))
}

/// The outcome of an end that has exactly one.
fn one_outcome<'a>(end: &End<'a>) -> Result<(&'a Event, Outcome), Verdict> {
    match end.outcomes()[..] {
        [one] => Ok(one),
        [] => Err(end.fail(None, "never had an outcome")),
        [(_, first), (again, second), ..] => {
            Err(end.fail(Some(again), &format!("was over twice: {first} and {second}")))
        }
    }
}

fn goes_on(evidence: Evidence<'_>) -> Verdict {
    let ends = ends(evidence.trace);
    worst(calls(evidence.trace).iter().map(|call| {
        let here: Vec<&End<'_>> = [call.caller, call.callee]
            .iter()
            .filter_map(|host| end_of(&ends, call.name, host))
            .collect();
        if here.is_empty() {
            return Verdict::Pass;
        }
        judge(evidence, call, &here)
    }))
}

fn judge(evidence: Evidence<'_>, call: &Call<'_>, ends: &[&End<'_>]) -> Verdict {
    let Evidence { trace, plan } = evidence;
    let deadline = |from: SimTime| from.max(plan.heal_at()) + plan.budget();
    let over = ends.iter().flat_map(|e| e.outcomes()).map(|(e, _)| e.at).min();
    // Whatever was over before, or could not be judged any more, was ended.
    let judged = |by: SimTime| over.is_none_or(|at| at >= by) && by <= ended(evidence);
    let callee = ends.iter().find(|e| e.host == call.callee);
    let at_callee = |is: fn(&CallEvent) -> bool| callee.and_then(|e| e.first(is)).map(|e| e.at);
    let rang = at_callee(|w| matches!(w, CallEvent::Rings { .. } | CallEvent::PickedUp));
    let by = deadline(call.dialed);
    if judged(by) && rang.is_none_or(|at| at > by) {
        return ends[0].fail(None, &format!("did not ring at {} by {by}", call.callee));
    }
    let Some(by) = at_callee(|w| matches!(w, CallEvent::PickedUp)).map(deadline) else {
        return Verdict::Pass;
    };
    if let Some((end, event)) = over_by_itself(trace, call, ends) {
        return end.fail(
            Some(event),
            &format!("was over at {}, and nobody had ended it", event.at),
        );
    }
    let late = |host: &&str| call.connected_at(trace, host).is_none_or(|at| at > by);
    match [call.caller, call.callee].iter().find(|host| late(host)) {
        Some(host) if judged(by) => {
            let why = format!(
                "was picked up and not connected at {host} by {by}; its last word there was {}",
                last_word(trace, call, host)
            );
            ends[0].fail(None, &why)
        }
        _ => Verdict::Pass,
    }
}

/// The end and the event at which a call that had been picked up was over though nobody had hung up, and neither of
/// the two had dialed the other again.
fn over_by_itself<'e, 'a>(
    trace: &'a Trace,
    call: &Call<'_>,
    ends: &[&'e End<'a>],
) -> Option<(&'e End<'a>, &'a Event)> {
    let again = |event: &Event| {
        let two = [call.caller, call.callee];
        calls(trace).iter().any(|c| {
            c.name != call.name
                && c.dialed <= event.at
                && c.dialed >= call.dialed
                && two.contains(&c.caller)
                && two.contains(&c.callee)
        })
    };
    let established = |outcome| matches!(outcome, Outcome::Talked | Outcome::Dropped);
    let over = ends
        .iter()
        .flat_map(|end| end.outcomes().into_iter().map(|(e, o)| (*end, e, o)));
    let (end, event, _) = over
        .filter(|(_, _, o)| established(*o))
        .min_by_key(|(_, e, _)| e.seq)?;
    let hung_up = ends
        .iter()
        .flat_map(|e| &e.events)
        .any(|e| e.seq < event.seq && matches!(e.kind, crate::trace::EventKind::HungUp { .. }));
    (!hung_up && !again(event)).then_some((end, event))
}

fn last_word(trace: &Trace, call: &Call<'_>, host: &str) -> String {
    let of_call =
        |e: &&Event| matches!(&e.kind, crate::trace::EventKind::Call { call: c, .. } if c == call.name);
    let last = trace.of(host).filter(of_call).last();
    last.and_then(|e| what(e).map(|w| format!("'{w}' at {}", e.at)))
        .unwrap_or_else(|| "none".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{ends::testing::*, machine::testing::*},
        *,
    };
    use crate::trace::EventKind;

    fn both(caller: Outcome, callee: Outcome) -> Verdict {
        let events = vec![
            (0, "alice", dialed()),
            (1, "bob", rings()),
            (2, "alice", over(caller)),
            (2, "bob", over(callee)),
        ];
        judged_on(&AGREED, events)
    }

    #[test]
    fn only_the_same_outcome_and_what_can_cross_agree() {
        for caller in Outcome::ALL {
            for callee in Outcome::ALL {
                let agree = caller == callee || CROSSED.contains(&(caller, callee));
                assert_eq!(both(caller, callee) == Verdict::Pass, agree, "{caller} {callee}");
            }
        }
    }

    #[test]
    fn a_callee_that_never_heard_of_a_call_cannot_have_answered_it() {
        let alone = |outcome| {
            let events = vec![(0, "alice", dialed()), (2, "alice", over(outcome))];
            judged_on(&AGREED, events) == Verdict::Pass
        };
        assert!(alone(Outcome::Cancelled));
        assert!(!alone(Outcome::Talked) && !alone(Outcome::Busy));
    }

    #[test]
    fn no_outcome_a_second_one_and_a_late_one_fail() {
        let ring = [(0, "alice", dialed()), (1, "bob", rings())];
        let with = |more: Vec<(u64, &'static str, EventKind)>| {
            judged_on(&AGREED, ring.iter().cloned().chain(more).collect())
        };
        let (here, there) = (over(Outcome::Cancelled), over(Outcome::Cancelled));
        assert_ne!(with(vec![(2, "alice", here.clone())]), Verdict::Pass);
        let twice = vec![
            (2, "alice", here.clone()),
            (2, "bob", there.clone()),
            (3, "bob", there.clone()),
        ];
        assert_eq!(decided(&with(twice)), Some(4));
        assert_eq!(
            with(vec![(2, "alice", here.clone()), (3, "bob", there.clone())]),
            Verdict::Pass
        );
        assert_ne!(with(vec![(2, "alice", here), (9, "bob", there)]), Verdict::Pass);
    }

    #[test]
    fn a_dial_rings_in_time_and_connects_in_time_unless_somebody_ends_it() {
        let picked_up = happens(CallEvent::PickedUp);
        let heard = |text: &str| EventKind::Data {
            peer: "c1".into(),
            received: true,
            text: text.into(),
        };
        let dial = (0, "alice", dialed());
        let point = (0, "alice", reached(crate::trace::Point::Dialing));
        let later = (9, "alice", over(Outcome::Cancelled));
        let silent = vec![dial.clone(), point.clone(), later.clone()];
        assert_ne!(judged_on(&GOES_ON, silent), Verdict::Pass);
        let ended = vec![
            dial.clone(),
            point.clone(),
            (1, "alice", over(Outcome::Cancelled)),
        ];
        assert_ne!(judged_on(&GOES_ON, ended), Verdict::Pass, "it had until then");
        let ended = vec![
            dial.clone(),
            point.clone(),
            (0, "alice", over(Outcome::Cancelled)),
        ];
        assert_eq!(judged_on(&GOES_ON, ended), Verdict::Pass);
        let rung = vec![dial.clone(), point.clone(), (1, "bob", rings()), later.clone()];
        assert_eq!(
            judged_on(&GOES_ON, rung.clone()),
            Verdict::Pass,
            "it is for bob to answer"
        );
        let mut answered = rung.clone();
        answered.insert(3, (2, "bob", picked_up));
        assert_ne!(judged_on(&GOES_ON, answered.clone()), Verdict::Pass);
        let mut by_itself = answered.clone();
        by_itself[4] = (2, "alice", over(Outcome::Dropped));
        assert_eq!(decided(&judged_on(&GOES_ON, by_itself)), Some(4));
        answered.insert(4, (3, "alice", heard("pong")));
        answered.insert(5, (3, "bob", heard("ack")));
        assert_eq!(judged_on(&GOES_ON, answered), Verdict::Pass);
    }
}

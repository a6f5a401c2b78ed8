//! Oracles for the outcome of a call: one at each end, the same at both, and a connection if no user ends it.
//!
//! Two ends agree if their outcomes are the same, or if their messages crossed ([`CROSSED`]).

use super::{
    Evidence, Oracle, Verdict,
    calls::{Call, calls},
    ends::{End, end_of, ended, ends},
    wanted::Want,
    worst,
};
use crate::{
    time::SimTime,
    trace::{CallEvent, CallOutcome, Event, EventKind, Trace},
};

/// Both ends show the same outcome.
pub const CALL_01_AGREED: Oracle = Oracle {
    id: "CALL-01",
    meaning: "Every dial has exactly one outcome at each end that took part, and within the budget after healing the two agree.",
    source: "docs/stories.md#b-rapid-dial-and-hangup; docs/hazards.md#redelivery",
    check: &agreed,
};

/// A call that no user ends goes on.
pub const CONN_03_GOES_ON: Oracle = Oracle {
    id: "CONN-03",
    meaning: "A dial that nobody ends rings or is picked up within its budget; once it is picked up a message crosses it both ways within its budget.",
    source: "docs/stories.md#b-rapid-dial-and-hangup; docs/judging.md#liveness",
    check: &goes_on,
};

/// Pairs of different outcomes at caller and callee that still agree, because two messages crossed.
pub const CROSSED: [(CallOutcome, CallOutcome); 15] = [
    // The caller's hangup crossed the answer.
    (CallOutcome::Cancelled, CallOutcome::Dropped),
    // The caller's hangup crossed another reply of the callee.
    (CallOutcome::Cancelled, CallOutcome::Rejected),
    (CallOutcome::Cancelled, CallOutcome::Busy),
    (CallOutcome::Cancelled, CallOutcome::Glare),
    // The caller yielded to a call of the callee, who had ended this one already, before dialing or because it came
    // late.
    (CallOutcome::Glare, CallOutcome::Dropped),
    (CallOutcome::Glare, CallOutcome::Rejected),
    (CallOutcome::Glare, CallOutcome::Busy),
    // The callee's hangup overtook its answer.
    (CallOutcome::Rejected, CallOutcome::Dropped),
    // A hangup crossed the last message that proves the connection.
    (CallOutcome::Talked, CallOutcome::Dropped),
    (CallOutcome::Dropped, CallOutcome::Talked),
    // Another device had taken the call while the caller hung up.
    (CallOutcome::Cancelled, CallOutcome::Elsewhere),
    // The notice that another device has the call crossed an act on this one.
    (CallOutcome::Elsewhere, CallOutcome::Dropped),
    (CallOutcome::Elsewhere, CallOutcome::Rejected),
    (CallOutcome::Elsewhere, CallOutcome::Busy),
    (CallOutcome::Elsewhere, CallOutcome::Glare),
];

/// The possible outcomes at the caller for a call that the callee never heard of.
const UNHEARD: [CallOutcome; 3] = [CallOutcome::Cancelled, CallOutcome::Glare, CallOutcome::Elsewhere];

fn agreed(evidence: Evidence<'_>) -> Verdict {
    let ends = ends(evidence.trace);
    worst(calls(evidence.trace).iter().map(|call| {
        let here = end_of(&ends, call.name, call.caller).map(one_outcome);
        let there = end_of(&ends, call.name, call.callee).map(one_outcome);
        let (here, there) = match (here, there) {
            (Some(Err(verdict)), _) | (_, Some(Err(verdict))) => return verdict,
            (here, there) => (here.and_then(Result::ok), there.and_then(Result::ok)),
        };
        match (here, there) {
            (Some(One::Outcome(caller, at, outcome)), None) if !UNHEARD.contains(&outcome) => caller.fail(
                Some(at),
                &format!("was {outcome}, and {} never heard of it", call.callee),
            ),
            (Some(One::Outcome(caller, at, outcome)), Some(One::Outcome(callee, then, other))) => {
                let agreed = (caller, at, outcome);
                compare(evidence, call, agreed, (callee, then, other))
            }
            _ => Verdict::Pass,
        }
    }))
}

/// The outcome of a call at one end.
enum One<'e, 'a> {
    Outcome(&'e End<'a>, &'a Event, CallOutcome),
    /// A crash ended it: whatever the next life of the host knows of the call is another beginning.
    Crashed,
}

type Ended<'e, 'a> = (&'e End<'a>, &'a Event, CallOutcome);

/// Judges the outcomes at the caller and at the callee.
fn compare(evidence: Evidence<'_>, call: &Call<'_>, caller: Ended<'_, '_>, callee: Ended<'_, '_>) -> Verdict {
    let ((end, at, outcome), (other_end, there, other)) = (caller, callee);
    // What one life of the callee had accepted, the next may refuse, for whom it rings anew.
    let refused_anew = (outcome, other) == (CallOutcome::Dropped, CallOutcome::Rejected)
        && call.crashed.is_some_and(|at| at <= there.at);
    if outcome != other && !CROSSED.contains(&(outcome, other)) && !refused_anew {
        return other_end.fail(
            Some(there),
            &format!("was {other}, and {outcome} at {}", call.caller),
        );
    }
    let budget = evidence.plan.budget();
    let (first, last) = (at.at.min(there.at), at.at.max(there.at));
    if last > first.max(evidence.plan.heal_at()) + budget {
        return end.fail(
            Some(at),
            &format!("was over at {}, and at {} at {}", at.at, call.callee, there.at),
        );
    }
    Verdict::Pass
}

/// Returns the outcome of an end that has exactly one.
fn one_outcome<'e, 'a>(end: &'e End<'a>) -> Result<One<'e, 'a>, Verdict> {
    match end.outcomes()[..] {
        _ if end.crashed.is_some() && end.outcomes().len() < 2 => Ok(One::Crashed),
        [(event, outcome)] => Ok(One::Outcome(end, event, outcome)),
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
    // A call that a crash of the callee ended has to connect again.
    let again = call.crashed.unwrap_or_default();
    let deadline = |from: SimTime| from.max(again).max(plan.heal_at()) + plan.budget();
    let over = ends.iter().flat_map(|e| e.outcomes()).map(|(e, _)| e.at).min();
    // A call that was over before, or could no longer be judged, was ended: CALL-04 judges its cause.
    let over = over.into_iter().chain(call.hung_up).min();
    let judged = |by: SimTime| over.is_none_or(|at| at >= by) && by <= ended(evidence);
    let callee = ends.iter().find(|e| e.host == call.callee);
    let picked_up = picked_up(trace, call, callee.copied());
    let rings = callee.and_then(|e| e.first(|w| matches!(w, CallEvent::Rings { .. })));
    let rang = rings.into_iter().chain(picked_up).map(|e| e.at).min();
    let by = deadline(call.dialed);
    if judged(by) && rang.is_none_or(|at| at > by) {
        return ends[0].fail(None, &format!("did not ring at {} by {by}", call.callee));
    }
    let Some(by) = picked_up.map(|e| deadline(e.at)) else {
        return Verdict::Pass;
    };
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

/// Returns the last accept at the callee: by its user, or by the app itself, because its user had dialed the caller.
fn picked_up<'a>(trace: &'a Trace, call: &Call<'_>, callee: Option<&End<'a>>) -> Option<&'a Event> {
    let accepted = callee.into_iter().flat_map(|e| &e.wanted);
    let mut accepted = accepted.filter(|w| w.want == Want::Accept).map(|w| w.event);
    let answered = trace.of(call.callee).find(|e| {
        matches!(&e.kind, EventKind::DescriptionCreated { peer, kind, .. }
            if peer.call == call.name && kind == "answer")
    });
    accepted.next_back().or(answered)
}

fn last_word(trace: &Trace, call: &Call<'_>, host: &str) -> String {
    let of_call = |e: &&Event| matches!(&e.kind, EventKind::Call { call: c, .. } if c == call.name);
    let last = trace.of(host).filter(of_call).last();
    last.and_then(|e| super::ends::what(e).map(|w| format!("'{w}' at {}", e.at)))
        .unwrap_or_else(|| "none".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{ends::testing::*, machine::testing::*},
        *,
    };

    fn both(caller: CallOutcome, callee: CallOutcome) -> Verdict {
        let events = vec![
            (0, "alice", dialed()),
            (1, "bob", rings()),
            (2, "alice", over(caller)),
            (2, "bob", over(callee)),
        ];
        judged_on(&CALL_01_AGREED, events)
    }

    #[test]
    fn only_the_same_outcome_and_what_can_cross_agree() {
        for caller in CallOutcome::ALL {
            for callee in CallOutcome::ALL {
                let agree = caller == callee || CROSSED.contains(&(caller, callee));
                assert_eq!(both(caller, callee) == Verdict::Pass, agree, "{caller} {callee}");
            }
        }
    }

    #[test]
    fn what_a_callee_accepted_before_a_crash_may_be_refused_after_it() {
        let judge = |crashes: bool| {
            let mut events = vec![(0, "alice", dialed())];
            events.extend(crashes.then_some((1, "bob", EventKind::Crashed)));
            events.extend([
                (2, "bob", rings()),
                (3, "alice", over(CallOutcome::Dropped)),
                (3, "bob", over(CallOutcome::Rejected)),
            ]);
            judged_on(&CALL_01_AGREED, events)
        };
        assert_eq!(judge(true), Verdict::Pass);
        assert_ne!(judge(false), Verdict::Pass);
    }

    #[test]
    fn a_callee_that_never_heard_of_a_call_cannot_have_answered_it() {
        let alone = |outcome| {
            let events = vec![(0, "alice", dialed()), (2, "alice", over(outcome))];
            judged_on(&CALL_01_AGREED, events) == Verdict::Pass
        };
        assert!(alone(CallOutcome::Cancelled));
        assert!(!alone(CallOutcome::Talked) && !alone(CallOutcome::Busy));
    }

    #[test]
    fn a_callee_that_crashes_before_it_shows_a_call_that_it_has_taken_has_heard_of_it() {
        let judge = |of_bob: Vec<(u64, &'static str, EventKind)>| {
            let mut events = vec![(0, "alice", dialed())];
            events.extend(of_bob);
            events.push((3, "alice", over(CallOutcome::Dropped)));
            judged_on(&CALL_01_AGREED, events)
        };
        let crashes = (2, "bob", EventKind::Crashed);
        assert_eq!(
            judge(vec![(1, "bob", peer(false)), crashes.clone()]),
            Verdict::Pass
        );
        assert!(
            matches!(judge(vec![crashes]), Verdict::Fail(_)),
            "it had nothing of it"
        );
    }

    #[test]
    fn no_outcome_a_second_one_and_a_late_one_fail() {
        let ring = [(0, "alice", dialed()), (1, "bob", rings())];
        let with = |more: Vec<(u64, &'static str, EventKind)>| {
            judged_on(&CALL_01_AGREED, ring.iter().cloned().chain(more).collect())
        };
        let (here, there) = (over(CallOutcome::Cancelled), over(CallOutcome::Cancelled));
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
        let dial = (0, "alice", dialed());
        let later = (9, "alice", over(CallOutcome::Cancelled));
        let silent = vec![dial.clone(), later.clone()];
        assert_ne!(judged_on(&CONN_03_GOES_ON, silent), Verdict::Pass);
        let ended = vec![dial.clone(), (1, "alice", over(CallOutcome::Cancelled))];
        assert_ne!(
            judged_on(&CONN_03_GOES_ON, ended),
            Verdict::Pass,
            "it had until then"
        );
        let ended = vec![dial.clone(), (0, "alice", over(CallOutcome::Cancelled))];
        assert_eq!(judged_on(&CONN_03_GOES_ON, ended), Verdict::Pass);
        let rung = vec![dial.clone(), (1, "bob", rings()), later.clone()];
        assert_eq!(
            judged_on(&CONN_03_GOES_ON, rung.clone()),
            Verdict::Pass,
            "it is for bob to answer"
        );
        let mut answered = rung.clone();
        answered.insert(2, (2, "bob", accepted()));
        assert_ne!(judged_on(&CONN_03_GOES_ON, answered.clone()), Verdict::Pass);
        answered.insert(3, (3, "alice", usable()));
        answered.insert(4, (3, "bob", usable()));
        assert_eq!(judged_on(&CONN_03_GOES_ON, answered), Verdict::Pass);
    }
}

//! An oracle for calls that lost their path: they are connected again in time.

use super::{
    Evidence, Oracle, Verdict,
    calls::{self, Call},
    machine::{Reports, peers, state_of},
    worst,
};
use crate::{
    time::SimTime,
    trace::{EventKind, Machine, Trace},
};

/// A call survives the loss of its path.
pub const CONN_02_OUTLIVES: Oracle = Oracle {
    id: "CONN-02",
    meaning: "When the budget after healing is over, ICE of both sides of every call that nobody hung up says connected, whatever its path went through.",
    source: "docs/stories.md#c-connection-state; RFC 7675 section 5.1; RFC 8445 section 9",
    check: &outlives,
};

fn outlives(evidence: Evidence<'_>) -> Verdict {
    let Evidence { trace, plan } = evidence;
    let peers = peers(trace);
    worst(calls::calls(trace).iter().map(|call| {
        let due = call.last_try.max(plan.heal_at()) + plan.budget();
        if call.hung_up.is_some_and(|at| at <= due) {
            return Verdict::Pass;
        }
        if over(trace, due) {
            return Verdict::Unknown(format!("{} was over before it was due", call.name));
        }
        worst([call.caller, call.callee].map(|host| connected(&peers, call, host, due)))
    }))
}

/// Reports whether the run was over before `due`: it ended, or was cleaned up.
fn over(trace: &Trace, due: SimTime) -> bool {
    trace.events.last().is_none_or(|e| e.at < due)
        || trace
            .events
            .iter()
            .any(|e| e.at < due && e.kind == EventKind::CleanUp)
}

/// Judges whether the newest peer of `call` on `host` is connected at `due`.
fn connected(peers: &[Reports<'_>], call: &Call<'_>, host: &str, due: SimTime) -> Verdict {
    let begun = |peer: &&Reports<'_>| peer.events.first().map(|e| e.seq);
    let own = peers
        .iter()
        .filter(|p| p.host == host && p.peer.call == call.name);
    let newest = own
        .filter(|p| p.events.first().is_some_and(|e| e.at <= due))
        .max_by_key(begun);
    let Some(peer) = newest else {
        return Verdict::Unknown(format!("{host} has no peer of {}", call.name));
    };
    let until = peer.events.iter().take_while(|e| e.at <= due);
    let last = until
        .filter_map(|e| Some((*e, state_of(e, Machine::Ice)?)))
        .last();
    match last {
        Some((_, "connected" | "completed")) => Verdict::Pass,
        Some((event, state)) => peer.fail(
            event,
            &format!("was to be connected by {due}, and reported ice {state}"),
        ),
        None => peer.never(&format!("reported an ICE state by {due}")),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::machine::testing::{decided, judged_timed, reports},
        *,
    };
    use crate::trace::Intent;

    /// Judges alice's ICE states, by time in milliseconds, of a call to herself that is due 1 ms after she dialed.
    fn verdict(states: &[(u64, &str)], ended: u64) -> Verdict {
        let dialed = EventKind::Intended {
            id: 0,
            intent: Intent::Dial {
                call: "c1".into(),
                to: "alice".into(),
            },
        };
        let ice = |(at, state): &(u64, &str)| (*at, reports(Machine::Ice, state));
        let mut events = vec![(100, dialed)];
        events.extend(states.iter().map(ice));
        events.push((ended, EventKind::CleanUp));
        judged_timed(&CONN_02_OUTLIVES, events)
    }

    #[test]
    fn the_last_word_before_the_call_is_due_counts() {
        assert_eq!(verdict(&[(100, "connected")], 200), Verdict::Pass);
        let back = [(100, "disconnected"), (101, "connected"), (150, "failed")];
        assert_eq!(
            verdict(&back, 200),
            Verdict::Pass,
            "what comes later does not count"
        );
        let lost = [(100, "connected"), (101, "failed")];
        assert_eq!(decided(&verdict(&lost, 200)), Some(2));
        assert!(
            matches!(verdict(&lost, 100), Verdict::Unknown(_)),
            "hung up before"
        );
    }
}

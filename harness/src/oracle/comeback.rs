//! An oracle for calls whose path breaks while another one works: they come back.

use super::{Evidence, Oracle, Verdict, Violation, calls, ends::cleaned_up, worst};
use crate::{
    time::SimTime,
    trace::{Event, EventKind, Intent, Machine, Trace},
};

/// A call with a broken path comes back.
pub const BACK_01_COMES_BACK: Oracle = Oracle {
    id: "BACK-01",
    meaning: "Where a path is left, a call that was connected and broke is connected again within its budget.",
    source: "docs/stories.md#c-connection-state; RFC 8445 section 9; docs/judging.md#liveness",
    check: &comes_back,
};

fn comes_back(evidence: Evidence<'_>) -> Verdict {
    let Evidence { trace, plan } = evidence;
    let ended = trace.events.last().map_or(SimTime::ZERO, |e| e.at);
    worst(calls::calls(trace).iter().flat_map(|call| {
        [call.caller, call.callee].map(|host| {
            let states = states(trace, host, call.name);
            let breaks = states
                .iter()
                .enumerate()
                .filter(|(_, (_, state))| *state == "disconnected");
            worst(breaks.map(|(i, (broke, _))| {
                let deadline = broke.at + plan.budget();
                let over = states[i..]
                    .iter()
                    .find(|(_, s)| matches!(*s, "connected" | "closing"));
                match over {
                    Some((event, _)) if event.at <= deadline => Verdict::Pass,
                    None if ended < deadline => Verdict::Unknown(format!(
                        "the run ended before {} had to be connected again",
                        call.name
                    )),
                    _ => Verdict::Fail(Violation::at(
                        broke,
                        format!(
                            "{} broke on {host} at {} and was not connected again by {deadline}",
                            call.name, broke.at
                        ),
                    )),
                }
            }))
        })
    }))
}

/// Returns the ICE states of the peers of `call` on `host`, and the closing of a peer because the user hung up. A peer
/// that is closed for the next attempt ends nothing.
fn states<'a>(trace: &'a Trace, host: &'a str, call: &str) -> Vec<(&'a Event, &'a str)> {
    let mut hung_up = false;
    let cleaned_up = cleaned_up(trace);
    let states = trace.of(host).filter_map(|e| match &e.kind {
        EventKind::State {
            peer,
            machine: Machine::Ice,
            state,
        } if peer.call == call => Some((e, state.as_str())),
        EventKind::Intended {
            intent: Intent::HangUp { call: c },
            ..
        } if c == call => {
            hung_up = true;
            None
        }
        EventKind::Closing { peer } if (hung_up || e.seq > cleaned_up) && peer.call == call => {
            Some((e, "closing"))
        }
        _ => None,
    });
    states.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{
        ends,
        machine::testing::{decided, judged_timed},
    };

    fn dialed() -> (u64, EventKind) {
        (0, ends::testing::dialed())
    }

    fn ice(at: u64, peer: &str, state: &str) -> (u64, EventKind) {
        let event = EventKind::State {
            peer: peer.into(),
            machine: Machine::Ice,
            state: state.into(),
        };
        (at, event)
    }

    // The budget of the plan is 1 ms.
    #[test]
    fn a_call_that_broke_comes_back_on_its_peer_or_on_another() {
        for peer in ["c1", "c1#2"] {
            let back = vec![
                dialed(),
                ice(1, "c1", "connected"),
                ice(2, "c1", "disconnected"),
                ice(3, peer, "connected"),
                ice(20_000, peer, "completed"),
            ];
            assert_eq!(judged_timed(&BACK_01_COMES_BACK, back), Verdict::Pass);
        }
    }

    #[test]
    fn a_call_that_comes_back_late_or_never_fails_by_the_break() {
        let broken = |then: (u64, EventKind)| {
            let events = vec![
                dialed(),
                ice(1, "c1", "disconnected"),
                then,
                ice(20_000, "c1", "failed"),
            ];
            decided(&judged_timed(&BACK_01_COMES_BACK, events))
        };
        assert_eq!(broken(ice(15_000, "c1", "connected")), Some(1));
        assert_eq!(broken(ice(5_000, "c2", "connected")), Some(1));
    }
}

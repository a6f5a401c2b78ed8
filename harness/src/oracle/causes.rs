//! Oracles for the causes of outcomes: no outcome without its cause, and no call ends by itself.

use super::{
    Evidence, Oracle, Verdict,
    calls::{Call, calls},
    ends::{End, cleaned_up, ends},
    forks::{Fork, forks, took_it},
    wanted::{Want, Wanted, wanted},
    worst,
};
use crate::trace::{CallEvent, CallOutcome, Event, EventKind, Machine, Trace};

/// Every outcome has a cause.
pub const CALL_04_CAUSED: Oracle = Oracle {
    id: "CALL-04",
    meaning: "No outcome without its cause: cancelled, rejected, dropped and talked take a user's act or a crash, busy a live call at the callee, glare a dial the other way, elsewhere another device of the same user that picked up or refused, failed a path or an end that was gone; and nobody has talked who was never connected.",
    source: "docs/stories.md#b-rapid-dial-and-hangup",
    check: &caused,
};

fn caused(evidence: Evidence<'_>) -> Verdict {
    let trace = evidence.trace;
    let (calls, ends, wanted) = (calls(trace), ends(trace), wanted(trace));
    let cleaned_up = cleaned_up(trace);
    let case = |end| Case {
        trace,
        ends: &ends,
        wanted: &wanted,
        end,
    };
    worst(ends.iter().flat_map(|end| {
        let call = calls.iter().find(|c| c.name == end.call);
        let outcomes = end.outcomes().into_iter().filter(|(e, _)| e.seq < cleaned_up);
        outcomes
            .map(|(event, outcome)| match call {
                None => end.fail(Some(event), &format!("was {outcome}, and nobody had dialed it")),
                Some(call) => match case(end).lacks(call, event, outcome) {
                    None => Verdict::Pass,
                    Some(cause) => end.fail(
                        Some(event),
                        &format!("was {outcome} at {}, and {cause}", event.at),
                    ),
                },
            })
            .collect::<Vec<_>>()
    }))
}

/// The evidence about the outcome of one end.
struct Case<'e, 'a> {
    trace: &'a Trace,
    ends: &'e [End<'a>],
    wanted: &'e [Wanted<'a>],
    end: &'e End<'a>,
}

impl Case<'_, '_> {
    /// Returns the missing cause for `outcome`, if it is missing.
    fn lacks(&self, call: &Call<'_>, over: &Event, outcome: CallOutcome) -> Option<&'static str> {
        let both = [call.caller, call.callee];
        let ended = || self.ended_by(call, &both, over) || self.dialed_again(call, over);
        match outcome {
            CallOutcome::Talked if !self.was_usable(over) => Some("it was never connected there"),
            CallOutcome::Talked | CallOutcome::Dropped => (!ended()).then_some("nobody had ended it"),
            CallOutcome::Cancelled => {
                let caller = self.ended_by(call, &[call.caller], over)
                    || self.dialed_again(call, over)
                    || self.was_over_before_a_crash(call, over);
                (!caller).then_some("its caller had not ended it")
            }
            CallOutcome::Rejected => {
                let callee = self.ended_by(call, &[call.callee], over) || self.dialed_again(call, over);
                (!callee).then_some("its callee had not refused it")
            }
            CallOutcome::Busy => (!self.is_busy(call, over)).then_some("its callee was in no other call"),
            CallOutcome::Glare => {
                (!self.has_counter(call, over)).then_some("nobody had dialed the other way")
            }
            CallOutcome::Elsewhere => {
                (!self.is_elsewhere(call, over)).then_some("no other device had taken it")
            }
            CallOutcome::Failed => (!self.has_failed(call, over)).then_some("there was nothing in its way"),
        }
    }

    /// Reports whether a user at one of `hosts` had ended the call, or such a host had crashed during it.
    fn ended_by(&self, call: &Call<'_>, hosts: &[&str], over: &Event) -> bool {
        let acted = self
            .wanted
            .iter()
            .any(|w| w.ends() && w.call == call.name && hosts.contains(&w.host) && w.event.seq < over.seq);
        let crashed = self.trace.events.iter().any(|e| {
            e.kind == EventKind::Crashed
                && e.seq < over.seq
                && e.at >= call.dialed
                && e.host.as_deref().is_some_and(|h| hosts.contains(&h))
        });
        acted || crashed
    }

    /// Reports whether the call was over at this end in a life of the host before, by the act of its user or by what the app showed, such as
    /// *busy*: this life knows nothing of it, and may be rung, and told by the caller that it is over.
    fn was_over_before_a_crash(&self, call: &Call<'_>, over: &Event) -> bool {
        let crash = |e: &&Event| e.kind == EventKind::Crashed && e.seq < over.seq;
        let Some(crash) = self.trace.of(self.end.host).filter(crash).last() else {
            return false;
        };
        let mut acts = self.wanted.iter().filter(|w| w.ends() && w.call == call.name);
        acts.any(|w| w.host == self.end.host && w.event.seq < crash.seq)
            || self
                .end
                .ever_shown
                .iter()
                .any(|e| is_over(e) && e.seq < crash.seq)
    }

    /// Reports whether one of the two users had dialed the other again, and that call existed too: one call replaces
    /// the other.
    fn dialed_again(&self, call: &Call<'_>, over: &Event) -> bool {
        self.dials_between(call, over).any(|w| {
            let there = self
                .ends
                .iter()
                .find(|e| e.call == w.call && e.host == self.end.host);
            let ended = there.and_then(|e| e.ever_shown.iter().find(|e| is_over(e)));
            ended.is_none_or(|e| e.at >= call.dialed)
        })
    }

    /// Iterates over the other dials between the two ends of `call`.
    fn dials_between(&self, call: &Call<'_>, over: &Event) -> impl Iterator<Item = &Wanted<'_>> {
        let (caller, callee, name, seq) = (call.caller, call.callee, call.name, over.seq);
        self.wanted.iter().filter(move |w| match w.want {
            Want::Dial { to } => {
                w.call != name
                    && w.event.seq < seq
                    && ((w.host == caller && to == callee) || (w.host == callee && to == caller))
            }
            _ => false,
        })
    }

    /// Reports whether the callee was in another call when this one was dialed or later.
    fn is_busy(&self, call: &Call<'_>, over: &Event) -> bool {
        let at_callee = self
            .ends
            .iter()
            .filter(|e| e.host == call.callee && e.call != call.name);
        at_callee.into_iter().any(|end| {
            let dialed = end.wanted(|w| matches!(w, Want::Dial { .. }));
            let known = end.ever_shown.iter().copied().chain(dialed);
            // A call that was over is there again if it rings in the next life of its host.
            let last = known.filter(|e| e.seq < over.seq).max_by_key(|e| e.seq);
            last.is_some_and(|last| !is_over(last) || last.at >= call.dialed)
        })
    }

    /// Reports whether the callee had dialed the caller during this call.
    fn has_counter(&self, call: &Call<'_>, over: &Event) -> bool {
        self.dials_between(call, over).any(|w| w.host == call.callee)
    }

    /// Reports whether another device had accepted or rejected the call, or had dialed the caller: then that device has
    /// the call.
    fn is_elsewhere(&self, call: &Call<'_>, over: &Event) -> bool {
        let forks = forks(self.trace);
        let fork = forks.iter().find(|fork| fork.has_leg(call.name));
        let others = fork
            .into_iter()
            .flat_map(Fork::legs)
            .filter(|(_, leg)| leg != call.name);
        others.into_iter().any(|(device, leg)| {
            self.wanted
                .iter()
                .filter(|w| w.host == device)
                .any(|w| match w.want {
                    Want::Dial { to } => to == call.caller && w.event.seq < over.seq,
                    _ => w.call == leg && took_it(self.trace, w, over),
                })
        })
    }

    /// Reports whether ICE at this end had lost its path, or the other end could not be reached.
    fn has_failed(&self, call: &Call<'_>, over: &Event) -> bool {
        let name = call.name;
        let gone = |e: &Event| match &e.kind {
            EventKind::State { peer, machine, state } => {
                peer.call == name
                    && matches!(machine, Machine::Ice | Machine::Connection)
                    && state == "failed"
            }
            EventKind::SignalUndeliverable { call, .. } => call.as_deref() == Some(name),
            EventKind::Crashed => true,
            _ => false,
        };
        let before = self.trace.events.iter().take_while(|e| e.seq < over.seq);
        before.filter(|e| e.at >= call.dialed).any(gone)
    }

    fn was_usable(&self, over: &Event) -> bool {
        let name = self.end.call;
        let here = self.trace.of(self.end.host).take_while(|e| e.seq < over.seq);
        here.into_iter()
            .any(|e| matches!(&e.kind, EventKind::Usable { peer } if peer.call == name))
    }
}

fn is_over(event: &Event) -> bool {
    matches!(
        &event.kind,
        EventKind::Call {
            what: CallEvent::Over { .. },
            ..
        }
    )
}

#[cfg(test)]
mod tests {
    use super::{
        super::{ends::testing::*, machine::testing::*},
        *,
    };
    use crate::trace::Intent;

    /// Returns the event without a cause when alice has dialed bob, `before` has happened, and `host` then shows
    /// `outcome`.
    fn lacking(
        before: Vec<(&'static str, EventKind)>,
        host: &'static str,
        outcome: CallOutcome,
    ) -> Option<u64> {
        let begin = [("alice", dialed()), ("bob", rings())];
        let events = begin.into_iter().chain(before).chain([(host, over(outcome))]);
        let timed = (0..).zip(events).map(|(at, (host, kind))| (at, host, kind));
        decided(&judged_on(&CALL_04_CAUSED, timed.collect()))
    }

    fn of(call: &str, what: CallEvent) -> EventKind {
        let call = call.into();
        EventKind::Call { call, what }
    }

    fn dials(call: &str, to: &str) -> EventKind {
        EventKind::Intended {
            id: 9,
            intent: Intent::Dial {
                call: call.into(),
                to: to.into(),
            },
        }
    }

    #[test]
    fn every_outcome_without_its_cause_fails() {
        for outcome in CallOutcome::ALL {
            for host in ["alice", "bob"] {
                assert_eq!(lacking(vec![], host, outcome), Some(2), "{outcome} at {host}");
            }
        }
    }

    #[test]
    fn what_the_user_ended_before_a_crash_is_cancelled_for_the_next_life() {
        let crash = || ("bob", EventKind::Crashed);
        let before = vec![("bob", hung_up()), crash()];
        assert_eq!(lacking(before, "bob", CallOutcome::Cancelled), None);
        let after = vec![crash(), ("bob", hung_up())];
        assert_eq!(lacking(after, "bob", CallOutcome::Cancelled), Some(4));
        assert_eq!(lacking(vec![crash()], "bob", CallOutcome::Cancelled), Some(3));
    }

    #[test]
    fn what_was_busy_before_a_crash_is_cancelled_for_the_next_life() {
        let other = of("c9", CallEvent::Rings { from: "carol".into() });
        let busy = vec![("bob", other), ("bob", over(CallOutcome::Busy))];
        let lives = [busy.clone(), vec![("bob", EventKind::Crashed)]].concat();
        assert_eq!(lacking(lives, "bob", CallOutcome::Cancelled), None);
        assert_eq!(lacking(busy, "bob", CallOutcome::Cancelled), Some(4));
    }

    #[test]
    fn a_users_act_is_the_cause_of_what_it_ends_and_of_nothing_else() {
        let hangup = |host| vec![(host, hung_up())];
        assert_eq!(lacking(hangup("alice"), "bob", CallOutcome::Cancelled), None);
        assert_eq!(lacking(hangup("bob"), "alice", CallOutcome::Cancelled), Some(3));
        assert_eq!(lacking(hangup("bob"), "alice", CallOutcome::Rejected), None);
        assert_eq!(
            lacking(vec![("bob", rejected())], "alice", CallOutcome::Rejected),
            None
        );
        assert_eq!(lacking(hangup("alice"), "bob", CallOutcome::Rejected), Some(3));
        assert_eq!(lacking(hangup("alice"), "bob", CallOutcome::Dropped), None);
        assert_eq!(lacking(hangup("alice"), "bob", CallOutcome::Talked), Some(3));
        let talked = vec![("bob", usable()), ("alice", hung_up())];
        assert_eq!(lacking(talked, "bob", CallOutcome::Talked), None);
        assert_eq!(
            lacking(vec![("alice", EventKind::Crashed)], "bob", CallOutcome::Dropped),
            None
        );
    }

    #[test]
    fn busy_takes_another_call_at_the_callee_and_glare_a_dial_the_other_way() {
        let other = of("c9", CallEvent::Rings { from: "carol".into() });
        assert_eq!(
            lacking(vec![("bob", other.clone())], "alice", CallOutcome::Busy),
            None
        );
        assert_eq!(
            lacking(vec![("alice", other.clone())], "alice", CallOutcome::Busy),
            Some(3)
        );
        let counter = vec![
            ("bob", dials("c2", "alice")),
            ("bob", of("c2", CallEvent::Silent)),
        ];
        assert_eq!(lacking(counter, "alice", CallOutcome::Glare), None);
        let own = vec![("alice", dials("c2", "bob"))];
        assert_eq!(lacking(own, "alice", CallOutcome::Glare), Some(3));
    }

    #[test]
    fn a_call_that_is_over_keeps_nobody_busy_unless_it_rings_again_after_a_crash() {
        let rings = of("c9", CallEvent::Rings { from: "carol".into() });
        let outcome = CallOutcome::Dropped;
        let over = of("c9", CallEvent::Over { outcome });
        let judge = |again: bool| {
            let dialed_after = (50, "alice", dialed());
            let mut events = vec![
                (1, "bob", rings.clone()),
                (2, "bob", over.clone()),
                (3, "bob", EventKind::Crashed),
            ];
            events.extend(again.then(|| (20, "bob", rings.clone())));
            events.extend([
                dialed_after,
                (
                    51,
                    "alice",
                    happens(CallEvent::Over {
                        outcome: CallOutcome::Busy,
                    }),
                ),
            ]);
            let carols = (0, "carol", dials("c9", "bob"));
            judged_on(&CALL_04_CAUSED, [vec![carols], events].concat())
        };
        let busy =
            |verdict: &Verdict| matches!(verdict, Verdict::Fail(v) if v.why.contains("in no other call"));
        assert!(!busy(&judge(true)));
        assert!(busy(&judge(false)));
    }
}

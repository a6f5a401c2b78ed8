//! Oracles for what is said on a connected call: messages and audio arrive until the end.

use std::time::Duration;

use super::{Evidence, Oracle, Verdict, Violation, calls, calls::Call, worst};
use crate::{
    time::SimTime,
    trace::{CallEvent, EventKind, Trace},
};

/// Messages arrive until the end of a call.
pub const TALK_01_TO_THE_END: Oracle = Oracle {
    id: "TALK-01",
    meaning: "When the run is over, every call that had connected and that nobody ended still carries what either end says, whatever the storm did to its path.",
    source: "docs/judging.md#liveness; docs/stories.md#c-connection-state",
    check: &to_the_end,
};

/// Audio arrives until the end of a call.
pub const TALK_02_AUDIO: Oracle = Oracle {
    id: "TALK-02",
    meaning: "When the run is over, each end of every call that had connected and that nobody ended has heard audio of the other end in the last two seconds.",
    source: "docs/judging.md#liveness; RFC 3711 section 3.3",
    check: &audio,
};

/// The number of intervals at the end without a message that are tolerated.
pub(crate) const MISSED: u32 = 5;
/// The time at the end without audio that is tolerated: it comes every 60 ms, and is recorded every 250 ms.
const SILENT: Duration = Duration::from_secs(2);

fn to_the_end(Evidence { trace, plan }: Evidence<'_>) -> Verdict {
    let is_talk: IsOf = |kind, call| matches!(kind, EventKind::Heard { peer } if peer.call == call);
    match plan.talk_every() {
        Some(every) => all_hear(trace, (is_talk, "the other end"), every * MISSED),
        None => Verdict::Pass,
    }
}

fn audio(Evidence { trace, .. }: Evidence<'_>) -> Verdict {
    let is_audio: IsOf = |kind, call| matches!(kind, EventKind::HeardAudio { peer, .. } if peer.call == call);
    all_hear(trace, (is_audio, "audio of the other end"), SILENT)
}

/// Reports whether an event says that a peer of a call heard something.
type IsOf = fn(&EventKind, &str) -> bool;
/// What is to be heard, and its name.
type Sound = (IsOf, &'static str);

/// Judges whether both ends of every call that is there hear `sound` until the end, but for `patience`.
fn all_hear(trace: &Trace, sound: Sound, patience: Duration) -> Verdict {
    let Some(end) = trace.events.iter().find(|e| e.kind == EventKind::CleanUp) else {
        return Verdict::Unknown("the run was stopped before its calls were ended".into());
    };
    worst(
        calls::calls(trace)
            .iter()
            .map(|call| match is_there(trace, call, end.at) {
                true => worst(
                    [call.caller, call.callee]
                        .map(|host| hears(trace, call, host, sound, (end.at, patience))),
                ),
                false => Verdict::Pass,
            }),
    )
}

/// Reports whether `call` had connected at both ends by `end`, no user has ended it, and no app has shown that it is
/// over. CONN-01 judges whether it connects at all.
fn is_there(trace: &Trace, call: &Call<'_>, end: SimTime) -> bool {
    let over = trace
        .events
        .iter()
        .take_while(|e| e.at <= end)
        .any(|e| match &e.kind {
            EventKind::Call {
                call: of,
                what: CallEvent::Over { .. },
            } => of == call.name,
            _ => false,
        });
    let connected = |host: &str| {
        let usable = |kind: &EventKind| matches!(kind, EventKind::Usable { peer } if peer.call == call.name);
        trace
            .of(host)
            .take_while(|e| e.at <= end)
            .any(|e| usable(&e.kind))
    };
    let connected = [call.caller, call.callee].into_iter().all(connected);
    connected && !over && call.hung_up.is_none_or(|at| at > end)
}

fn hears(
    trace: &Trace,
    call: &Call<'_>,
    host: &str,
    (is_of, what): Sound,
    (end, patience): (SimTime, Duration),
) -> Verdict {
    let until_end = || trace.of(host).take_while(|e| e.at <= end);
    let usable = |kind: &EventKind| matches!(kind, EventKind::Usable { peer } if peer.call == call.name);
    match until_end().filter(|e| is_of(&e.kind, call.name)).last() {
        Some(event) if event.at + patience >= end => Verdict::Pass,
        Some(event) => Verdict::Fail(Violation::at(
            event,
            format!(
                "{host} heard {what} of {} last at {}, and the call was held until {end}",
                call.name, event.at
            ),
        )),
        None => Verdict::Fail(Violation {
            event: until_end().find(|e| usable(&e.kind)).map(|e| e.seq),
            call: Some(call.name.to_owned()),
            why: format!(
                "{host} never heard {what} of {}, and the call was held until {end}",
                call.name
            ),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::machine::testing::{decided, trace_of},
        *,
    };
    use crate::{
        fault::Plan,
        net::topology::Topology,
        trace::{CallOutcome, Intent},
    };

    fn heard_talk() -> EventKind {
        EventKind::Heard { peer: "c1".into() }
    }

    /// Judges a call of alice to herself with messages every 200 ms, held until 10 s.
    fn verdict(heard_ms: &[u64], over: Option<u64>) -> Verdict {
        let heard = heard_ms.iter().map(|ms| (*ms, heard_talk()));
        let over = over.map(|ms| {
            let outcome = CallOutcome::Dropped;
            let what = CallEvent::Over { outcome };
            let call = "c1".into();
            (ms, EventKind::Call { call, what })
        });
        held(&TALK_01_TO_THE_END, heard.chain(over))
    }

    /// Judges a call of alice to herself in which `happens`, held until 10 s.
    fn held(oracle: &Oracle, happens: impl Iterator<Item = (u64, EventKind)>) -> Verdict {
        let dialed = EventKind::Intended {
            id: 0,
            intent: Intent::Dial {
                call: "c1".into(),
                to: "alice".into(),
            },
        };
        let usable = EventKind::Usable { peer: "c1".into() };
        let events = [(0, dialed), (50, usable)].into_iter().chain(happens);
        let events = events.chain([(10_000, EventKind::CleanUp)]);
        let trace = trace_of(events.map(|(ms, kind)| (ms, "alice", kind)).collect());
        let plan = Plan {
            talk_every_ms: Some(200),
            ..Plan::new(Topology::default())
        };
        (oracle.check)(Evidence {
            trace: &trace,
            plan: &plan,
        })
    }

    #[test]
    fn whoever_is_held_is_heard_to_the_end() {
        assert_eq!(verdict(&[100, 9_000], None), Verdict::Pass);
        assert_eq!(decided(&verdict(&[100, 8_999], None)), Some(3));
        assert!(matches!(verdict(&[], None), Verdict::Fail(_)));
        assert_eq!(verdict(&[100], Some(5_000)), Verdict::Pass, "it was over");
    }

    #[test]
    fn audio_is_heard_until_the_last_two_seconds_whatever_else_is_said() {
        let judged = |heard: &[u64]| {
            let audio = |ms: &u64| {
                let peer = "c1".into();
                (*ms, EventKind::HeardAudio { peer, packets: 4 })
            };
            held(
                &TALK_02_AUDIO,
                heard.iter().map(audio).chain([(9_500, heard_talk())]),
            )
        };
        assert_eq!(judged(&[200, 8_000]), Verdict::Pass);
        assert_eq!(decided(&judged(&[200, 7_999])), Some(3));
        assert_eq!(decided(&judged(&[])), Some(1), "it was never there");
    }
}

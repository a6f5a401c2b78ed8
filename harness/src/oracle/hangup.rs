//! Oracles for hanging up: it returns soon, and then the peers of the call are closed, each once.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    Evidence, Oracle, Verdict, Violation,
    ends::{End, ended, ends},
    wanted::{Wanted, due, wanted},
    worst,
};
use crate::trace::{Event, EventKind, PeerId, Trace};

/// A hangup returns.
pub const HANG_01_RETURNS: Oracle = Oracle {
    id: "HANG-01",
    meaning: "A hangup, of one call or of a group, returns within three seconds of simulated time, whatever the call is at.",
    source: "docs/stories.md#b-rapid-dial-and-hangup; docs/hazards.md#2-dial-and-accept-that-never-return; docs/hazards.md#3-closing-inside-a-callback; docs/hazards.md#4-waiting-inside-a-callback",
    check: &returns,
};

/// A peer is closed at most once.
pub const TEAR_03_CLOSED_ONCE: Oracle = Oracle {
    id: "TEAR-03",
    meaning: "A client closes each of its peers at most once.",
    source: "docs/stories.md#b-rapid-dial-and-hangup; docs/hazards.md#25-closing-twice-and-a-close-that-is-cancelled",
    check: &closed_once,
};

/// The peers are closed before the hangup returns.
pub const TEAR_04_CLOSED_FIRST: Oracle = Oracle {
    id: "TEAR-04",
    meaning: "When a hangup has returned, every peer of its call is closed at that end.",
    source: "docs/stories.md#b-rapid-dial-and-hangup",
    check: &closed_first,
};

/// The time that a hangup may take: one second more than the peer may take to close.
const PATIENCE: Duration = Duration::from_secs(3);

fn returns(evidence: Evidence<'_>) -> Verdict {
    let Evidence { trace, plan } = evidence;
    worst(wanted(trace).iter().filter(|w| w.ends()).map(|hangup| {
        let Wanted {
            event,
            host,
            call,
            id,
            ..
        } = hangup;
        let by = due(plan, host, event.at, PATIENCE);
        let mut later = trace.of(host).filter(|e| e.seq > event.seq);
        let returned =
            later.find(|e| e.kind == EventKind::Obeyed { id: *id } || e.kind == EventKind::Crashed);
        let fail = |how: String| {
            Verdict::Fail(Violation::at(
                event,
                format!("{call} at {host} was hung up at {}, which {how}", event.at),
            ))
        };
        match returned {
            Some(returned) if returned.at <= by => Verdict::Pass,
            Some(returned) => fail(format!("took {} ms", (returned.at - event.at).as_millis())),
            None if ended(evidence) <= by => {
                Verdict::Unknown(format!("the run ended while {call} was hung up"))
            }
            None => fail("never returned".to_owned()),
        }
    }))
}

fn closed_once(evidence: Evidence<'_>) -> Verdict {
    let mut closed = BTreeSet::new();
    for event in &evidence.trace.events {
        let (EventKind::Closing { peer }, Some(host)) = (&event.kind, event.host.as_deref()) else {
            continue;
        };
        if !closed.insert((host, peer)) {
            return Verdict::Fail(Violation::at(
                event,
                format!("{host} closed {peer} again at {}", event.at),
            ));
        }
    }
    Verdict::Pass
}

fn closed_first(evidence: Evidence<'_>) -> Verdict {
    let trace = evidence.trace;
    worst(ends(trace).iter().map(|end| match end.hangup_returned(trace) {
        Some(returned) => all_closed(trace, end, returned),
        None => Verdict::Pass,
    }))
}

fn all_closed(trace: &Trace, end: &End<'_>, returned: &Event) -> Verdict {
    let mut open: BTreeMap<&PeerId, bool> = BTreeMap::new();
    for event in trace.of(end.host).filter(|e| e.seq < returned.seq) {
        match &event.kind {
            // A crash closes all peers, unseen.
            EventKind::Crashed => open.clear(),
            kind => {
                if let Some(peer) = kind.peer().filter(|p| p.call == end.call) {
                    *open.entry(peer).or_default() |= matches!(kind, EventKind::Closed { .. });
                }
            }
        }
    }
    match open.iter().find(|(_, closed)| !**closed) {
        Some((peer, _)) => end.fail(
            Some(returned),
            &format!(
                "was over when its hangup returned at {}, and its peer {peer} was not closed",
                returned.at
            ),
        ),
        None => Verdict::Pass,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{ends::testing::*, machine::testing::*},
        *,
    };

    #[test]
    fn a_hangup_that_takes_too_long_or_never_returns_fails() {
        let took = |ms| judged_timed(&HANG_01_RETURNS, vec![(0, hung_up()), (ms, returned())]);
        assert_eq!(took(3_000), Verdict::Pass);
        assert_eq!(decided(&took(3_001)), Some(0));
        let never = |ms| {
            judged_timed(
                &HANG_01_RETURNS,
                vec![(0, hung_up()), (0, rings()), (ms, closed())],
            )
        };
        assert_eq!(decided(&never(5_000)), Some(0));
        assert!(matches!(never(100), Verdict::Unknown(_)));
    }

    #[test]
    fn a_second_close_fails() {
        assert_eq!(
            judged(&TEAR_03_CLOSED_ONCE, vec![closing(), closed()]),
            Verdict::Pass
        );
        let twice = vec![closing(), closed(), closing()];
        assert_eq!(decided(&judged(&TEAR_03_CLOSED_ONCE, twice)), Some(2));
    }

    #[test]
    fn a_peer_that_is_closed_after_the_hangup_returned_fails() {
        let hangs_up = |rest: [EventKind; 3]| {
            let begin = [dialed(), described(false, "a"), hung_up()];
            judged(&TEAR_04_CLOSED_FIRST, begin.into_iter().chain(rest).collect())
        };
        assert_eq!(hangs_up([closing(), closed(), returned()]), Verdict::Pass);
        assert_eq!(decided(&hangs_up([returned(), closing(), closed()])), Some(3));
        assert_eq!(decided(&hangs_up([closing(), returned(), closed()])), Some(4));
    }
}

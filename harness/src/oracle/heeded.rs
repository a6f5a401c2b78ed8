//! An oracle for users' intents: each takes effect in time, unless it no longer can.
//!
//! Effects are read from adapters (peers, descriptions, messages) and from what the app shows; the app's confirmation
//! is no effect.

use std::time::Duration;

use super::{
    Evidence, Oracle, Verdict, Violation,
    ends::{cleaned_up, run_over},
    wanted::{Want, Wanted, due, is_live_at, rings_at, wanted},
    worst,
};
use crate::{
    time::SimTime,
    trace::{CallEvent, Event, EventKind, SignalDirection},
};

/// Intents take effect.
pub const INT_01_HEEDED: Oracle = Oracle {
    id: "INT-01",
    meaning: "What a user wants takes effect within three seconds (of the healing, if it takes the network), or cannot any more, because the call is over, was never there, or does not ring.",
    source: "docs/stories.md#b-rapid-dial-and-hangup",
    check: &heeded,
};

/// The time that an app may take to carry out an intent: closing a peer may take two seconds of it.
const PATIENCE: Duration = Duration::from_secs(3);

fn heeded(evidence: Evidence<'_>) -> Verdict {
    let cleaned_up = cleaned_up(evidence.trace);
    let wanted = wanted(evidence.trace);
    worst(
        wanted
            .iter()
            .filter(|w| w.event.seq < cleaned_up)
            .map(|w| judge(evidence, w)),
    )
}

fn judge(evidence: Evidence<'_>, wanted: &Wanted<'_>) -> Verdict {
    let Evidence { trace, plan } = evidence;
    let live = || is_live_at(trace, wanted.host, wanted.call, wanted.event);
    let healed = wanted.event.at.max(plan.heal_at());
    let by = |from| due(plan, wanted.host, from, PATIENCE);
    match wanted.want {
        // A client that is not online yet has to connect first.
        Want::Dial { .. } => expect(evidence, wanted, by(healed), "nothing was done about it", |e| {
            is_over(e, wanted.call) || creates_peer(e, wanted.call) || sends(e, wanted.call, "dial")
        }),
        Want::Retry if live() => expect(evidence, wanted, by(healed), "no other attempt began", |e| {
            is_over(e, wanted.call)
                || matches!(&e.kind, EventKind::DescriptionCreated { peer, kind, .. }
                    if peer.call == wanted.call && kind == "offer")
        }),
        Want::HangUp if live() => {
            let by = by(wanted.event.at);
            expect(evidence, wanted, by, "the call was not over", |e| {
                is_over(e, wanted.call)
            })
        }
        Want::Reject if rings_at(trace, wanted) => {
            let by = by(wanted.event.at);
            expect(evidence, wanted, by, "the call was not over", |e| {
                is_over(e, wanted.call)
            })
        }
        Want::Accept if rings_at(trace, wanted) => picked_up(evidence, wanted),
        // There was nothing to hang up, reject, accept or retry.
        _ => Verdict::Pass,
    }
}

/// Judges an accept: the phone stops ringing, and an answer follows once there is an offer.
fn picked_up(evidence: Evidence<'_>, wanted: &Wanted<'_>) -> Verdict {
    let Evidence { trace, plan } = evidence;
    let by = |from| due(plan, wanted.host, from, PATIENCE);
    let silent = expect(evidence, wanted, by(wanted.event.at), "it rang on", |e| {
        matches!(&e.kind, EventKind::Call { call, what: CallEvent::Silent | CallEvent::Over { .. } }
            if call == wanted.call)
    });
    let crashed = |e: &&Event| e.kind == EventKind::Crashed && e.seq < wanted.event.seq;
    let began = trace.of(wanted.host).filter(crashed).last().map_or(0, |e| e.seq);
    let this_life = trace.of(wanted.host).filter(|e| e.seq >= began);
    let offered = this_life.into_iter().find(|e| match &e.kind {
        EventKind::Signal {
            direction: SignalDirection::Received,
            message,
            ..
        } => message == "offer" && e.kind.call() == Some(wanted.call),
        EventKind::PushDelivered { call, .. } => call == wanted.call,
        EventKind::PeerCreated { peer, .. } => peer.call == wanted.call,
        _ => false,
    });
    let Some(offered) = offered else { return silent };
    let from = offered.at.max(wanted.event.at).max(plan.heal_at());
    let answered = expect(evidence, wanted, by(from), "it was not answered", |e| {
        is_over(e, wanted.call)
            || matches!(&e.kind, EventKind::DescriptionCreated { peer, kind, .. }
                if peer.call == wanted.call && kind == "answer")
    });
    worst([silent, answered])
}

/// Judges whether `is` holds for an event on the user's host between the intent and `by`.
fn expect(
    evidence: Evidence<'_>,
    wanted: &Wanted<'_>,
    by: SimTime,
    otherwise: &str,
    is: impl Fn(&Event) -> bool,
) -> Verdict {
    let later = evidence
        .trace
        .of(wanted.host)
        .filter(|e| e.seq > wanted.event.seq);
    // A phone that crashes has forgotten the intent.
    let effect = later
        .take_while(|e| e.at <= by)
        .find(|e| is(e) || e.kind == EventKind::Crashed);
    let what = |why: &str| {
        format!(
            "the user of {} wanted at {} to {} {}, and by {by} {why}",
            wanted.host,
            wanted.event.at,
            name(wanted.want),
            wanted.call
        )
    };
    match effect {
        Some(_) => Verdict::Pass,
        None if cut_off(evidence, by) => Verdict::Unknown(what("the run was over")),
        None => Verdict::Fail(Violation::at(wanted.event, what(otherwise))),
    }
}

/// Reports whether the run ended, or was cleaned up, before `by`.
fn cut_off(evidence: Evidence<'_>, by: SimTime) -> bool {
    run_over(evidence) < by
}

fn name(want: Want<'_>) -> &'static str {
    match want {
        Want::Dial { .. } => "dial",
        Want::Accept => "pick up",
        Want::Reject => "refuse",
        Want::HangUp => "hang up",
        Want::Retry => "try again",
    }
}

fn is_over(event: &Event, call: &str) -> bool {
    matches!(&event.kind, EventKind::Call { call: c, what: CallEvent::Over { .. } } if c == call)
}

fn creates_peer(event: &Event, call: &str) -> bool {
    matches!(&event.kind, EventKind::PeerCreated { peer, .. } if peer.call == call)
}

fn sends(event: &Event, call: &str, what: &str) -> bool {
    matches!(&event.kind, EventKind::Signal { direction: SignalDirection::Sent, message, call: Some(c), .. }
        if message == what && c == call)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{ends::testing::*, machine::testing::*},
        *,
    };
    use crate::trace::CallOutcome;

    fn verdict(events: Vec<(u64, &'static str, EventKind)>) -> Verdict {
        let until = (60_000, "alice", EventKind::CleanUp);
        judged_on(&INT_01_HEEDED, events.into_iter().chain([until]).collect())
    }

    #[test]
    fn a_dial_is_heeded_by_a_peer_or_a_message_in_time() {
        let dial = (0, "alice", dialed());
        assert_eq!(decided(&verdict(vec![dial.clone()])), Some(0));
        assert_eq!(
            verdict(vec![dial.clone(), (2_900, "alice", peer(true))]),
            Verdict::Pass
        );
        assert_eq!(
            decided(&verdict(vec![dial.clone(), (3_100, "alice", peer(true))])),
            Some(0)
        );
        assert_eq!(
            decided(&verdict(vec![dial, (10, "bob", peer(true))])),
            Some(0),
            "elsewhere"
        );
    }

    #[test]
    fn a_hangup_ends_a_live_call_in_time_and_is_moot_for_any_other() {
        let call = [(0, "alice", dialed()), (1, "alice", peer(true))];
        let with = |more: Vec<_>| verdict(call.iter().cloned().chain(more).collect());
        let hangup = (100, "alice", hung_up());
        assert_eq!(decided(&with(vec![hangup.clone()])), Some(2));
        let ends = |at| (at, "alice", over(CallOutcome::Cancelled));
        assert_eq!(with(vec![hangup.clone(), ends(3_000)]), Verdict::Pass);
        assert_eq!(decided(&with(vec![hangup.clone(), ends(3_200)])), Some(2));
        assert_eq!(with(vec![ends(50), hangup]), Verdict::Pass, "it was over already");
        assert_eq!(
            with(vec![(100, "bob", hung_up())]),
            Verdict::Pass,
            "it never rang"
        );
    }

    #[test]
    fn who_picks_up_hears_no_ring_and_answers() {
        let ring = [
            (0, "bob", rings()),
            (1, "bob", peer(false)),
            (100, "bob", accepted()),
        ];
        let with = |more: Vec<_>| verdict(ring.iter().cloned().chain(more).collect());
        let silent = (101, "bob", happens(CallEvent::Silent));
        let answers = (200, "bob", creates("answer"));
        assert_eq!(with(vec![silent.clone(), answers.clone()]), Verdict::Pass);
        assert_eq!(decided(&with(vec![silent])), Some(2), "no answer");
        assert_eq!(decided(&with(vec![answers])), Some(2), "it rang on");
        let gone = (101, "bob", over(CallOutcome::Cancelled));
        assert_eq!(with(vec![gone]), Verdict::Pass);
    }

    #[test]
    fn refusing_and_trying_again_take_effect() {
        let ring = [(0, "bob", rings()), (100, "bob", rejected())];
        assert_eq!(decided(&verdict(ring.to_vec())), Some(1));
        let over = (101, "bob", over(CallOutcome::Rejected));
        assert_eq!(verdict(ring.into_iter().chain([over]).collect()), Verdict::Pass);
        let call = [
            (0, "alice", dialed()),
            (1, "alice", peer(true)),
            (50, "alice", retried()),
        ];
        assert_eq!(decided(&verdict(call.to_vec())), Some(2));
        let again = (60, "alice", creates("offer"));
        assert_eq!(verdict(call.into_iter().chain([again]).collect()), Verdict::Pass);
    }

    #[test]
    fn a_crash_takes_with_it_what_was_wanted() {
        let events = vec![(0, "alice", dialed()), (5, "alice", EventKind::Crashed)];
        assert_eq!(verdict(events), Verdict::Pass);
    }
}

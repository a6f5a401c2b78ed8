//! An oracle for an app's signaling messages: each is sent once.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    Evidence, Oracle, Verdict, Violation,
    wanted::{Want, due, wanted},
    worst,
};
use crate::{
    time::SimTime,
    trace::{EventKind, SERVICE, SignalDirection, Trace},
};

/// Apps do not repeat messages.
pub const SAID_01_ONCE: Oracle = Oracle {
    id: "SAID-01",
    meaning: "An app says each thing of a call once: one dial, one offer, answer and candidate of each generation, one end; only who does not know that a call is over is told again.",
    source: "docs/stories.md#b-rapid-dial-and-hangup; RFC 8838 section 13",
    check: &once,
};

/// The messages that end a call.
const ENDINGS: [&str; 5] = ["hangup", "reject", "busy", "glare", "elsewhere"];
/// The messages that an app may repeat: it asks for another attempt whenever one fails.
const REPEATED: [&str; 3] = ["try-again", "register", "error"];

/// The time for which a message may have been in preparation when the app learned that its call is over.
const IN_HAND: Duration = Duration::from_millis(500);

/// The time after a retry in which only the user's intent makes an app offer again.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A sent message: the message, the call, the generation and the candidate.
type Said<'a> = (&'a str, &'a str, &'a str, Option<&'a str>);

fn once(evidence: Evidence<'_>) -> Verdict {
    let hosts: BTreeSet<&str> = evidence
        .trace
        .events
        .iter()
        .filter(|e| matches!(&e.kind, EventKind::Signal { with, .. } if with == SERVICE))
        .filter_map(|e| e.host.as_deref())
        .collect();
    let each = hosts.into_iter().map(|host| judge(evidence, host));
    worst(each.chain([tried_once(evidence.trace)]))
}

/// Judges that a retry leads to one offer.
fn tried_once(trace: &Trace) -> Verdict {
    let retries = wanted(trace).into_iter().filter(|w| w.want == Want::Retry);
    worst(retries.map(|retry| {
        let later = trace.of(retry.host).filter(|e| e.seq > retry.event.seq);
        let soon = later.take_while(|e| e.at <= retry.event.at + AT_ONCE);
        let mut offers = soon.filter(|e| {
            matches!(&e.kind, EventKind::DescriptionCreated { peer, kind, .. }
                if peer.call == retry.call && kind == "offer")
        });
        match (offers.next(), offers.next()) {
            (Some(_), Some(again)) => Verdict::Fail(Violation::at(
                again,
                format!(
                    "{} tried {} again at {}, and offered twice",
                    retry.host, retry.call, retry.event.at
                ),
            )),
            _ => Verdict::Pass,
        }
    }))
}

fn judge(Evidence { trace, plan }: Evidence<'_>, host: &str) -> Verdict {
    // A phone that sleeps has in hand what it had when it fell asleep.
    let in_hand = |since: SimTime| due(plan, host, since, IN_HAND);
    let mut said: BTreeMap<Said<'_>, u64> = BTreeMap::new();
    // For each call, when the app first had it in hand to say that it is over, and when it had come online before; and when messages
    // arrived that it answers with that.
    let mut ended: BTreeMap<&str, (SimTime, SimTime)> = BTreeMap::new();
    let mut asked: BTreeMap<&str, Vec<SimTime>> = BTreeMap::new();
    let mut rings: BTreeMap<&str, u64> = BTreeMap::new();
    // Since when the app has been sending without a pause, and when it sent last: what it says now may have waited behind the rest.
    let mut busy: Option<(SimTime, SimTime)> = None;
    // Messages of an app waited for a connection until then.
    let mut offline_until = SimTime::ZERO;
    for event in trace.of(host) {
        match &event.kind {
            // After a crash, the next life does not know what was sent.
            EventKind::Crashed => {
                said.clear();
                busy = None;
            }
            EventKind::PushDelivered { call, .. } => asked.entry(call).or_default().push(event.at),
            EventKind::Signal {
                direction: SignalDirection::Received,
                message,
                call: Some(call),
                ..
            } => match message.as_str() {
                "ring" => *rings.entry(call).or_default() += 1,
                "candidate" | "end-of-candidates" => {}
                _ => asked.entry(call).or_default().push(event.at),
            },
            EventKind::Signal {
                direction: SignalDirection::Received,
                message,
                ..
            } if message == "registered" => offline_until = event.at,
            EventKind::Signal {
                direction: SignalDirection::Sent,
                message,
                call: Some(call),
                ufrag,
                candidate,
                ..
            } if !REPEATED.contains(&message.as_str()) => {
                let began = busy.filter(|(_, last)| event.at <= in_hand(*last));
                let began = began.map_or(event.at, |(began, _)| began);
                busy = Some((began, event.at));
                let is_ending = ENDINGS.contains(&message.as_str());
                let name = if is_ending { "an end" } else { message.as_str() };
                let candidate = candidate.as_ref().map(|c| c.attribute.as_str());
                let key = (
                    name,
                    call.as_str(),
                    ufrag.as_deref().unwrap_or_default(),
                    candidate,
                );
                let times = said.entry(key).or_default();
                *times += 1;
                let may = match name {
                    "an end" => {
                        let (since, online) = *ended.entry(call).or_insert((began, offline_until));
                        let later = asked.get(call.as_str()).into_iter().flatten();
                        let waits = |at: &&SimTime| in_hand(**at) >= since || **at <= online;
                        1 + later.filter(waits).count() as u64
                    }
                    "ringing" => rings.get(call.as_str()).copied().unwrap_or(0).max(1),
                    _ => 1,
                };
                if *times > may {
                    return Verdict::Fail(Violation::at(
                        event,
                        format!("{host} said {message} of {call} again at {}", event.at),
                    ));
                }
            }
            _ => {}
        }
    }
    Verdict::Pass
}

#[cfg(test)]
mod tests {
    use super::{
        super::{ends::testing::*, machine::testing::*},
        *,
    };
    use crate::{
        fault::{Plan, host_sleep},
        net::topology::Topology,
        trace::CallOutcome,
    };

    fn passes(direction: SignalDirection, message: &str, ufrag: Option<&str>) -> EventKind {
        EventKind::Signal {
            direction,
            with: "server".into(),
            message: message.into(),
            call: Some("c1".into()),
            ufrag: ufrag.map(str::to_owned),
            candidate: None,
        }
    }

    fn says(message: &str, ufrag: Option<&str>) -> EventKind {
        passes(SignalDirection::Sent, message, ufrag)
    }

    #[test]
    fn nothing_is_said_twice_but_of_another_generation_or_another_life() {
        let judged = |events| decided(&judged(&SAID_01_ONCE, events));
        assert_eq!(judged(vec![says("dial", None), says("dial", None)]), Some(1));
        assert_eq!(
            judged(vec![says("offer", Some("a")), says("offer", Some("b"))]),
            None
        );
        assert_eq!(
            judged(vec![says("answer", Some("a")), says("answer", Some("a"))]),
            Some(1)
        );
        assert_eq!(
            judged(vec![says("dial", None), EventKind::Crashed, says("dial", None)]),
            None
        );
    }

    #[test]
    fn who_does_not_know_that_a_call_is_over_is_told_again() {
        let judged = |events| decided(&judged(&SAID_01_ONCE, events));
        let over = || over(CallOutcome::Cancelled);
        let answer = || passes(SignalDirection::Received, "answer", None);
        assert_eq!(
            judged(vec![says("hangup", None), over(), says("hangup", None)]),
            Some(2)
        );
        assert_eq!(
            judged(vec![says("hangup", None), over(), answer(), says("hangup", None)]),
            None
        );
    }

    #[test]
    fn what_is_said_again_may_wait_behind_other_messages_of_the_app() {
        let judged = |others: &[u64], asked: bool| {
            let mut events: Vec<(u64, EventKind)> = asked
                .then(|| (10, passes(SignalDirection::Received, "answer", None)))
                .into_iter()
                .collect();
            let candidates = ["a", "b", "c", "d"];
            let other = |(at, of): (&u64, &&str)| (*at, says("candidate", Some(of)));
            events.extend(others.iter().zip(&candidates).map(other));
            events.extend([(1_500, says("hangup", None)), (1_600, says("hangup", None))]);
            decided(&judged_timed(&SAID_01_ONCE, events))
        };
        assert_eq!(judged(&[200, 600, 1_050], true), None);
        assert_eq!(judged(&[200, 600, 1_050], false), Some(4), "nobody asked");
        assert_eq!(
            judged(&[200, 600], true),
            Some(4),
            "it had nothing to do for long"
        );
    }

    #[test]
    fn a_phone_that_sleeps_has_in_hand_what_it_had_when_it_fell_asleep() {
        let mut plan = Plan {
            heal_at_ms: 9_000,
            ..Plan::new(Topology::default())
        };
        plan.inject(host_sleep("alice", 200, 2_900));
        let asks = passes(SignalDirection::Received, "offer", None);
        let events = [
            (100, asks),
            (2_900, says("glare", None)),
            (2_906, says("glare", None)),
        ];
        let trace = &trace_of(events.map(|(at, kind)| (at, "alice", kind)).into());
        assert_eq!(once(Evidence { trace, plan: &plan }), Verdict::Pass);
        plan.faults.clear();
        let awake = once(Evidence { trace, plan: &plan });
        assert_eq!(decided(&awake), Some(2));
    }
}

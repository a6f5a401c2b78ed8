//! Oracles for a call that rings on several devices of a user: one device gets it, and the others stop ringing.

use super::{
    Evidence, Oracle, Verdict,
    ends::{End, end_of, ended, ends},
    wanted::{Wanted, wanted},
    worst,
};
use crate::trace::{CallEvent, CallOutcome, Event, EventKind, Intent, Trace, leg_of};

/// At most one device has the call.
pub const CALL_06_ONE: Oracle = Oracle {
    id: "CALL-06",
    meaning: "A call that rings on several devices of a user is connected on one of them at most; whoever has talked there is not told that another device has it, and not all of them are told so.",
    source: "docs/hazards.md#several-devices",
    check: &one_has_it,
};

/// A call accepted on one device stops ringing on the others.
pub const RING_02_ANSWERED: Oracle = Oracle {
    id: "RING-02",
    meaning: "When a call is picked up on one device of a user, the others fall silent within the budget after healing.",
    source: "docs/hazards.md#several-devices; docs/judging.md#liveness",
    check: &silent_when_answered,
};

/// A call rejected on one device stops ringing on the others.
pub const RING_03_REFUSED: Oracle = Oracle {
    id: "RING-03",
    meaning: "When a call is refused on one device of a user, the others fall silent within the budget after healing. An app may think otherwise: then it does not hold this.",
    source: "docs/hazards.md#several-devices; docs/judging.md#liveness",
    check: &silent_when_refused,
};

/// A call to a user with several devices: it has a leg to each.
pub(super) struct Fork<'a> {
    /// The host of the caller.
    pub caller: &'a str,
    /// The name of the call.
    call: &'a str,
    devices: &'a [String],
    dialed: &'a Event,
}

impl<'a> Fork<'a> {
    /// Iterates over the devices, with the name of the leg to each.
    pub fn legs(&self) -> impl Iterator<Item = (&'a str, String)> {
        let call = self.call;
        let legs = self.devices.iter();
        legs.map(move |device| (device.as_str(), leg_of(call, device)))
    }

    /// Reports whether `call` is a leg of this call.
    pub fn has_leg(&self, call: &str) -> bool {
        self.legs().any(|(_, leg)| leg == call)
    }
}

/// Returns the calls to users with several devices, in order.
pub(super) fn forks(trace: &Trace) -> Vec<Fork<'_>> {
    trace.events.iter().filter_map(dialed).collect()
}

fn dialed(event: &Event) -> Option<Fork<'_>> {
    match &event.kind {
        EventKind::Intended {
            intent: Intent::DialUser { call, devices, .. },
            ..
        } => Some(Fork {
            caller: event.host.as_deref()?,
            call,
            devices,
            dialed: event,
        }),
        _ => None,
    }
}

/// Reports whether the intent accepted or rejected a ringing call before `over`.
pub(super) fn took_it(trace: &Trace, wanted: &Wanted<'_>, over: &Event) -> bool {
    wanted.event.seq < over.seq && (wanted.answers_something(trace) || wanted.ends_something(trace))
}

fn one_has_it(evidence: Evidence<'_>) -> Verdict {
    let trace = evidence.trace;
    let ends = ends(trace);
    worst(forks(trace).iter().map(|fork| {
        let talked: Vec<(&str, String, &Event)> = fork
            .legs()
            .filter_map(|(device, leg)| {
                let usable = usable(trace, fork.caller, device, &leg)?;
                Some((device, leg, usable))
            })
            .collect();
        if let [(first, ..), (device, leg, usable), ..] = &talked[..]
            && let Some(end) = end_of(&ends, leg, device)
        {
            return end.fail(Some(usable), &format!("was connected, and on {first} too"));
        }
        let elsewhere = |host: &str, leg: &str| {
            let end = end_of(&ends, leg, host)?;
            let told = end
                .outcomes()
                .into_iter()
                .find(|(_, o)| *o == CallOutcome::Elsewhere)?;
            Some((end, told.0))
        };
        for (device, leg, _) in &talked {
            if let Some((end, told)) = elsewhere(fork.caller, leg).or_else(|| elsewhere(device, leg)) {
                return end.fail(Some(told), "was connected, and then said to be elsewhere");
            }
        }
        let told: Option<Vec<_>> = fork.legs().map(|(_, leg)| elsewhere(fork.caller, &leg)).collect();
        match told.as_deref().and_then(<[_]>::last) {
            Some((end, event)) => end.fail(Some(event), "was elsewhere, and so was every other device"),
            None => Verdict::Pass,
        }
    }))
}

/// Returns the event at which a message had gone both ways over `leg`, at either end.
fn usable<'a>(trace: &'a Trace, caller: &str, device: &str, leg: &str) -> Option<&'a Event> {
    trace.events.iter().find(|e| {
        let there = e.host.as_deref().is_some_and(|h| h == caller || h == device);
        there && matches!(&e.kind, EventKind::Usable { peer } if peer.call == leg)
    })
}

fn silent_when_answered(evidence: Evidence<'_>) -> Verdict {
    others_fall_silent(evidence, "was picked up", |w| w.answers_something(evidence.trace))
}

fn silent_when_refused(evidence: Evidence<'_>) -> Verdict {
    others_fall_silent(evidence, "was refused", |w| w.refuses_something(evidence.trace))
}

/// Judges that after an act for which `is` holds on one device, the others stop ringing in time; `what` names the act.
fn others_fall_silent(evidence: Evidence<'_>, what: &str, is: impl Fn(&Wanted<'_>) -> bool) -> Verdict {
    let trace = evidence.trace;
    let (ends, wanted) = (ends(trace), wanted(trace));
    worst(forks(trace).iter().flat_map(|fork| {
        let acts = fork.legs().filter_map(|(device, leg)| {
            let act = wanted
                .iter()
                .find(|w| w.host == device && w.call == leg && is(w))?;
            Some((device, leg, act.event))
        });
        let first = acts.min_by_key(|(_, _, event)| event.seq);
        let Some((device, _, act)) = first else {
            return Vec::new();
        };
        let others = fork.legs().filter(|(other, _)| *other != device);
        let judge = |(other, leg): (&str, String)| match end_of(&ends, &leg, other) {
            // A device that a crash took out of the call cannot tell the others, or be told.
            Some(end)
                if !crashed(trace, &[fork.caller], fork.dialed) && !crashed(trace, &[device, other], act) =>
            {
                let why = format!("though it {what} on {device} at {}", act.at);
                silent(evidence, end, act, &why)
            }
            _ => Verdict::Pass,
        };
        others.map(judge).collect()
    }))
}

/// Reports whether one of `hosts` crashed after `event`.
fn crashed(trace: &Trace, hosts: &[&str], event: &Event) -> bool {
    let later = trace.events.iter().filter(|e| e.seq > event.seq);
    let mut crashes = later.filter(|e| e.kind == EventKind::Crashed);
    crashes.any(|e| e.host.as_deref().is_some_and(|h| hosts.contains(&h)))
}

/// Judges whether `end` stops ringing in time after `act`.
fn silent(evidence: Evidence<'_>, end: &End<'_>, act: &Event, why: &str) -> Verdict {
    let by = act.at.max(evidence.plan.heal_at()) + evidence.plan.budget();
    let Some(ring) = end.first(|w| matches!(w, CallEvent::Rings { .. })) else {
        return Verdict::Pass;
    };
    match end.first(|w| matches!(w, CallEvent::Silent | CallEvent::Over { .. })) {
        Some(silent) if silent.at <= by.max(ring.at) => Verdict::Pass,
        Some(silent) => end.fail(Some(silent), &format!("rang until {}, {why}", silent.at)),
        None if ended(evidence) <= by => Verdict::Unknown(format!("the run ended while {} rang", end.host)),
        None => end.fail(Some(ring), &format!("never fell silent, {why}")),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            causes::CALL_04_CAUSED,
            machine::testing::{decided, judged_on},
        },
        *,
    };

    const LEGS: [(&str, &str); 2] = [("phone", "c1.phone"), ("laptop", "c1.laptop")];

    fn wants(id: u64, intent: Intent) -> EventKind {
        EventKind::Intended { id, intent }
    }

    fn shows(leg: &str, what: CallEvent) -> EventKind {
        let call = leg.into();
        EventKind::Call { call, what }
    }

    fn over(leg: &str, outcome: CallOutcome) -> EventKind {
        shows(leg, CallEvent::Over { outcome })
    }

    fn usable_on(leg: &str) -> EventKind {
        EventKind::Usable { peer: leg.into() }
    }

    fn picks_up(leg: &str) -> EventKind {
        wants(1, Intent::Accept { call: leg.into() })
    }

    fn refuses(leg: &str) -> EventKind {
        wants(2, Intent::Reject { call: leg.into() })
    }

    /// Judges a trace in which alice dials bob on his phone and on his laptop, both ring, and then `more` happens; the
    /// budget is one millisecond.
    fn judged(oracle: &Oracle, more: Vec<(u64, &'static str, EventKind)>) -> Verdict {
        let devices = LEGS.map(|(device, _)| device.to_owned()).into();
        let (call, to) = ("c1".into(), "bob".into());
        let mut events = vec![(0, "alice", wants(0, Intent::DialUser { call, to, devices }))];
        for (device, leg) in LEGS {
            let (call, to) = (leg.into(), device.into());
            events.push((0, "alice", wants(0, Intent::Dial { call, to })));
        }
        for (device, leg) in LEGS {
            let from = "alice".into();
            events.push((1, device, shows(leg, CallEvent::Rings { from })));
        }
        events.extend(more);
        events.push((60_000, "alice", EventKind::CleanUp));
        judged_on(oracle, events)
    }

    #[test]
    fn one_device_has_the_call_and_keeps_it() {
        let judged = |more| decided(&judged(&CALL_06_ONE, more));
        let talks = (3, "phone", usable_on("c1.phone"));
        let too = (4, "laptop", usable_on("c1.laptop"));
        let gone = |host, leg| (5, host, over(leg, CallOutcome::Elsewhere));
        assert_eq!(judged(vec![talks.clone(), gone("alice", "c1.laptop")]), None);
        assert_eq!(judged(vec![talks.clone(), too]), Some(6));
        assert_eq!(judged(vec![talks, gone("phone", "c1.phone")]), Some(6));
        let both = vec![gone("alice", "c1.phone"), gone("alice", "c1.laptop")];
        assert_eq!(judged(both), Some(6), "somebody must have it");
    }

    #[test]
    fn the_others_fall_silent_when_one_picks_up_or_refuses() {
        let silent = |at| (at, "laptop", shows("c1.laptop", CallEvent::Silent));
        for (oracle, act, other) in [
            (&RING_02_ANSWERED, picks_up("c1.phone"), refuses("c1.phone")),
            (&RING_03_REFUSED, refuses("c1.phone"), picks_up("c1.phone")),
        ] {
            let act = (2, "phone", act);
            assert_eq!(judged(oracle, vec![act.clone(), silent(3)]), Verdict::Pass);
            assert_eq!(
                decided(&judged(oracle, vec![act.clone(), silent(9_000)])),
                Some(6)
            );
            assert_eq!(
                decided(&judged(oracle, vec![act.clone()])),
                Some(4),
                "it rings on"
            );
            let crash = (3, "laptop", EventKind::Crashed);
            assert_eq!(judged(oracle, vec![act, crash]), Verdict::Pass);
            assert_eq!(judged(oracle, vec![(2, "phone", other)]), Verdict::Pass);
        }
    }

    #[test]
    fn elsewhere_takes_another_device_that_picked_up_or_refused() {
        let told = (4, "laptop", over("c1.laptop", CallOutcome::Elsewhere));
        let after = |more: Vec<_>| {
            let events = more.into_iter().chain([told.clone()]).collect();
            decided(&judged(&CALL_04_CAUSED, events))
        };
        assert_eq!(after(vec![]), Some(5));
        assert_eq!(
            after(vec![(2, "laptop", picks_up("c1.laptop"))]),
            Some(6),
            "itself"
        );
        assert_eq!(after(vec![(2, "phone", picks_up("c1.phone"))]), None);
        assert_eq!(after(vec![(2, "phone", refuses("c1.phone"))]), None);
        let busy = vec![(2, "phone", over("c1.phone", CallOutcome::Busy))];
        assert!(after(busy).is_some());
    }
}

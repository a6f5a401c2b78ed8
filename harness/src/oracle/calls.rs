//! The oracle for connecting, and calls as users see them.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Evidence, Oracle, Verdict, Violation,
    wanted::{Want, wanted},
    worst,
};
use crate::{
    time::SimTime,
    trace::{CallEvent, CallOutcome, Event, EventKind, Machine, Stop, Trace},
};

/// Every dialed call connects.
pub const CONN_01_CONNECTS: Oracle = Oracle {
    id: "CONN-01",
    meaning: "Every call that nobody hangs up connects within its budget: a message crosses it both ways.",
    source: "docs/stories.md#a-lost-candidates; docs/judging.md#liveness",
    check: &connects,
};

/// A call, as its users see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// The name of the call.
    pub name: &'a str,
    /// The host of the caller.
    pub caller: &'a str,
    /// The host of the callee.
    pub callee: &'a str,
    /// The time at which the user dialed.
    pub dialed: SimTime,
    /// The time at which the user last tried again.
    pub last_try: SimTime,
    /// The time at which a user ended the call, the caller's host crashed, or an app showed an outcome that needs no
    /// user: busy, or another call instead. CALL-04 judges whether the app had a reason.
    pub hung_up: Option<SimTime>,
    /// The time at which the callee's host last crashed during the call: it has to connect again.
    pub crashed: Option<SimTime>,
}

/// Returns the calls that users dialed, in order.
pub fn calls(trace: &Trace) -> Vec<Call<'_>> {
    let wanted = wanted(trace);
    let mut calls: Vec<Call<'_>> = Vec::new();
    for want in &wanted {
        if let Want::Dial { to } = want.want {
            calls.push(Call {
                name: want.call,
                caller: want.host,
                callee: to,
                dialed: want.event.at,
                last_try: want.event.at,
                hung_up: None,
                crashed: None,
            });
        }
    }
    // A name is dialed once.
    let by_name: BTreeMap<&str, usize> = calls.iter().enumerate().map(|(n, call)| (call.name, n)).collect();
    for want in wanted {
        let takes_part = |c: &&mut Call<'_>| [c.caller, c.callee].contains(&want.host);
        let named = by_name.get(want.call).map(|n| &mut calls[*n]);
        let Some(call) = named.filter(takes_part) else {
            continue;
        };
        match want.want {
            // A hangup before the call exists ends nothing.
            Want::HangUp | Want::Reject if has_begun(trace, call, want.host, want.event.at) => {
                call.end(want.event.at);
            }
            Want::Retry => call.last_try = call.last_try.max(want.event.at),
            _ => {}
        }
    }
    for event in trace.endings() {
        match (&event.kind, event.host.as_deref()) {
            (EventKind::Crashed, Some(host)) => crash(&mut calls, host, event.at),
            (
                EventKind::Call {
                    call,
                    what: CallEvent::Over { outcome },
                },
                _,
            ) if cannot_be_had(*outcome) => {
                if let Some(n) = by_name.get(call.as_str()) {
                    calls[*n].end(event.at);
                }
            }
            _ => {}
        }
    }
    calls
}

/// Reports whether an outcome ends a call without a user's act.
fn cannot_be_had(outcome: CallOutcome) -> bool {
    matches!(
        outcome,
        CallOutcome::Busy | CallOutcome::Glare | CallOutcome::Elsewhere
    )
}

/// Reports whether `call` exists on `host` by `at`: its caller has dialed, or its callee's app has shown it or created
/// a peer.
fn has_begun(trace: &Trace, call: &Call<'_>, host: &str, at: SimTime) -> bool {
    host == call.caller
        || trace.of(host).take_while(|e| e.at <= at).any(|e| {
            matches!(&e.kind, EventKind::Call { call: c, .. } if c == call.name)
                || matches!(&e.kind, EventKind::PeerCreated { peer, .. } if peer.call == call.name)
        })
}

/// Applies a crash of `host`: calls that it made are over, calls to it have to connect again.
fn crash(calls: &mut [Call<'_>], host: &str, at: SimTime) {
    let there = calls
        .iter_mut()
        .filter(|c| c.dialed <= at && c.hung_up.is_none_or(|over| over > at));
    for call in there {
        if call.caller == host {
            call.hung_up = Some(at);
        } else if call.callee == host {
            call.crashed = Some(at);
        }
    }
}

impl Call<'_> {
    fn end(&mut self, at: SimTime) {
        self.hung_up = Some(self.hung_up.map_or(at, |before| before.min(at)));
    }
}

impl Call<'_> {
    /// Returns when a message had gone both ways for the end at `host`, after the last crash.
    pub fn connected_at(&self, trace: &Trace, host: &str) -> Option<SimTime> {
        let again = self.crashed.unwrap_or_default();
        let usable = trace
            .of(host)
            .filter(|e| e.at >= again)
            .find(|e| matches!(&e.kind, EventKind::Usable { peer } if peer.call == self.name));
        usable.map(|e| e.at)
    }

    /// Returns the time from dialing until both ends had received a message.
    pub fn time_to_connect(&self, trace: &Trace) -> Option<Duration> {
        let caller = self.connected_at(trace, self.caller)?;
        let callee = self.connected_at(trace, self.callee)?;
        Some(caller.max(callee) - self.dialed)
    }
}

fn connects(evidence: Evidence<'_>) -> Verdict {
    let Evidence { trace, plan } = evidence;
    worst(calls(trace).iter().map(|call| {
        let deadline = call.last_try.max(plan.heal_at()) + plan.budget();
        if call.hung_up.is_some_and(|at| at < deadline) {
            return Verdict::Pass;
        }
        let late = [call.caller, call.callee]
            .into_iter()
            .find(|host| call.connected_at(trace, host).is_none_or(|at| at > deadline));
        match late {
            None => Verdict::Pass,
            Some(_) if cut_short(trace, deadline) => {
                Verdict::Unknown(format!("the run ended before {} had to be connected", call.name))
            }
            Some(host) => {
                let (event, why) = why_not(trace, call, host);
                Verdict::Fail(Violation {
                    event,
                    call: Some(call.name.to_owned()),
                    why: format!("{} was not connected at {host} by {deadline}: {why}", call.name),
                })
            }
        }
    }))
}

/// Reports whether the run reached its work bound before `deadline`, so that no verdict is possible.
fn cut_short(trace: &Trace, deadline: SimTime) -> bool {
    trace.events.last().is_some_and(|e| {
        e.at < deadline
            && matches!(
                e.kind,
                EventKind::Stopped {
                    bound: Stop::Work,
                    ..
                }
            )
    })
}

/// Returns the deciding event and the reason: the first thing that went wrong, or what was missing.
fn why_not(trace: &Trace, call: &Call<'_>, late: &str) -> (Option<u64>, String) {
    let wrong = [
        lost_candidates(trace, call),
        absent(trace, call),
        failed_step(trace),
    ];
    wrong
        .into_iter()
        .flatten()
        .min_by_key(|(seq, _)| *seq)
        .or_else(|| undescribed(trace, call))
        .or_else(|| ice_failed(trace, call))
        .or_else(|| complained(trace, call))
        .unwrap_or_else(|| {
            (
                None,
                format!(
                    "nothing failed; the last word at {late} was {}",
                    last_word(trace, late)
                ),
            )
        })
}

fn failed_step(trace: &Trace) -> Option<(Option<u64>, String)> {
    trace.events.iter().find_map(|e| match &e.kind {
        EventKind::Failed { step, error } => {
            let host = e.host.as_deref().unwrap_or_default();
            Some((
                Some(e.seq),
                format!("at {} the {step} of {host} failed: {error}", e.at),
            ))
        }
        _ => None,
    })
}

fn lost_candidates(trace: &Trace, call: &Call<'_>) -> Option<(Option<u64>, String)> {
    let refused: Vec<&Event> = trace
        .events
        .iter()
        .filter(|e| matches!(&e.kind, EventKind::CandidateRefused { peer, .. } if peer.call == call.name))
        .collect();
    let first = *refused.first()?;
    let EventKind::CandidateRefused {
        candidate,
        error,
        peer,
    } = &first.kind
    else {
        return None;
    };
    let host = first.host.as_deref()?;
    let described = trace.of(host).find(|e| {
        e.at >= first.at && matches!(&e.kind, EventKind::Described { peer: p, remote: true, .. } if p == peer)
    });
    let when = match described {
        Some(d) => format!(
            "{} ms before the description that it belongs to",
            (d.at - first.at).as_millis()
        ),
        None => "and its description never came".to_owned(),
    };
    let more = match refused.len() {
        1 => String::new(),
        n => format!(" ({n} candidates were lost)"),
    };
    Some((
        Some(first.seq),
        format!(
            "{host} lost the candidate {candidate}: it came {when}, and the stack refused it ({error}){more}"
        ),
    ))
}

fn absent(trace: &Trace, call: &Call<'_>) -> Option<(Option<u64>, String)> {
    let mut gone = trace.events.iter().filter_map(|e| match &e.kind {
        EventKind::SignalUndeliverable {
            to,
            message,
            call: Some(c),
        } if c == call.name && message != "hangup" => Some((e.seq, to, message)),
        _ => None,
    });
    let (seq, to, message) = gone.next()?;
    let more = match gone.count() {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    Some((
        Some(seq),
        format!("the server had nobody to give a {message}{more} to: {to} was not connected"),
    ))
}

fn undescribed(trace: &Trace, call: &Call<'_>) -> Option<(Option<u64>, String)> {
    [call.caller, call.callee].into_iter().find_map(|host| {
        let described = trace.of(host).any(
            |e| matches!(&e.kind, EventKind::Described { peer, remote: true, .. } if peer.call == call.name),
        );
        (!described).then(|| (None, format!("{host} never got the other side's description")))
    })
}

fn ice_failed(trace: &Trace, call: &Call<'_>) -> Option<(Option<u64>, String)> {
    trace.events.iter().find_map(|e| match &e.kind {
        EventKind::State {
            peer,
            machine: Machine::Ice,
            state,
        } if state == "failed" && peer.call == call.name => {
            let host = e.host.as_deref().unwrap_or_default();
            let why = format!(
                "every candidate was applied, and ICE of {host} reported failed at {}",
                e.at
            );
            Some((Some(e.seq), why))
        }
        _ => None,
    })
}

/// Returns the first warning that an app or a server logged during `call`: no proof, but the best hint there is.
fn complained(trace: &Trace, call: &Call<'_>) -> Option<(Option<u64>, String)> {
    let end = first_end(trace, call);
    let mut during = trace.events.iter().filter(|e| e.at >= call.dialed && e.seq < end);
    during.find_map(|e| match &e.kind {
        EventKind::Line { level, message, .. } if level == "warn" || level == "error" => {
            let host = e.host.as_deref().unwrap_or_default();
            Some((Some(e.seq), format!("at {} {host} complained: {message}", e.at)))
        }
        _ => None,
    })
}

/// Returns the sequence number of the event by which `call` is over at one end, or by which the cleanup begins: later
/// events are no reason for it. The number of all events if there is none.
pub(crate) fn first_end(trace: &Trace, call: &Call<'_>) -> u64 {
    let ends = |e: &&Event| match &e.kind {
        EventKind::CleanUp => true,
        EventKind::Call { call: c, what } => c == call.name && matches!(what, CallEvent::Over { .. }),
        _ => false,
    };
    let end = trace.events.iter().find(ends);
    end.map_or(trace.events.len() as u64, |e| e.seq)
}

fn last_word(trace: &Trace, host: &str) -> String {
    let last = trace.of(host).filter_map(|e| match &e.kind {
        EventKind::State { machine, state, .. } => Some(format!("{machine} {state} at {}", e.at)),
        EventKind::Step { step, .. } => Some(format!("{step} at {}", e.at)),
        _ => None,
    });
    last.last().unwrap_or_else(|| "nothing".to_owned())
}

//! The rules of explanations, in the order in which they are asked.
//!
//! A rule looks at the deciding event and at the call that it is about, and returns nothing if they are not its
//! subject. No rule may know the id of an oracle.

use super::{Link, app, candidates, case::Case, checks, ends, leftovers, signaling, silence, states};
use crate::{
    oracle::calls::Call,
    run::RunRecord,
    trace::{CallEvent, EventKind, Intent, Trace},
};

/// A rule: explains a case; returns nothing if the case is not its subject.
type Rule = fn(&Case<'_>) -> Vec<Link>;

/// All rules. The first with a result is used.
const RULES: &[Rule] = &[
    panic,
    leftovers::of,
    never_connected,
    candidate,
    silence::of,
    silence::never_heard,
    ends::of,
];

/// Returns the clues, in no order, and whether a rule applied.
pub(super) fn chain(case: &Case<'_>) -> (Vec<Link>, bool) {
    let told = RULES
        .iter()
        .map(|rule| rule(case))
        .find(|chain| !chain.is_empty());
    if let Some(chain) = told {
        return (chain, true);
    }
    let mut chain = states::last_events(case.record, case.decided);
    if let Some(event) = case.decided {
        let host = event.host.as_deref().unwrap_or("the network");
        chain.push(Link::new(event, format!("this decided it, on {host}")));
    }
    (chain, false)
}

fn panic(case: &Case<'_>) -> Vec<Link> {
    case.decided
        .map_or_else(Vec::new, |event| states::panic(case.record, event))
}

fn candidate(case: &Case<'_>) -> Vec<Link> {
    case.decided.map_or_else(Vec::new, |event| {
        candidates::life(&case.record.plan, &case.record.trace, event)
    })
}

/// Explains why a call did not connect. Only obstacles count as understanding; the states around them do not.
fn never_connected(case: &Case<'_>) -> Vec<Link> {
    let (record, trace) = (case.record, &case.record.trace);
    let is_ours = |call: &&Call<'_>| is_late(record, call) && !rings_unheeded(trace, call);
    let Some(call) = case.call.as_ref().filter(is_ours) else {
        return Vec::new();
    };
    let mut chain = candidates::lost(&record.plan, trace, call);
    chain.extend(signaling::trouble(&record.plan, trace, call));
    chain.extend(checks::unanswered(record, call));
    if !chain.is_empty() {
        chain.extend(signaling::descriptions(trace, call));
        chain.extend(states::of_peers(trace, call));
        chain.extend(app::complaints(trace, call));
    }
    chain
}

/// Reports whether the callee's phone rang and its user did not accept: then no path was wanted.
fn rings_unheeded(trace: &Trace, call: &Call<'_>) -> bool {
    let mut of_call = trace.of(call.callee).filter(|e| e.kind.call() == Some(call.name));
    let mut rang = false;
    let accepted = of_call.any(|e| {
        rang |= matches!(
            e.kind,
            EventKind::Call {
                what: CallEvent::Rings { .. },
                ..
            }
        );
        matches!(e.kind.intent(), Some(Intent::Accept { .. }))
    });
    rang && !accepted
}

/// Reports whether `call` was not connected in time, and no user had ended it.
fn is_late(record: &RunRecord, call: &Call<'_>) -> bool {
    let deadline = call.last_try.max(record.plan.heal_at()) + record.plan.budget();
    let late = |host: &str| {
        call.connected_at(&record.trace, host)
            .is_none_or(|at| at > deadline)
    };
    call.hung_up.is_none_or(|at| at >= deadline) && [call.caller, call.callee].into_iter().any(late)
}

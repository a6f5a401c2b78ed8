//! An oracle for the path of a call: direct, by relay, or none.

use super::{Evidence, Oracle, Verdict, Violation, calls, worst};
use crate::{
    oracle::calls::Call,
    reach::{self, Reach},
    trace::{EventKind, Trace},
};

/// Calls use the path that NATs, firewalls and servers allow.
pub const REACH_01_AS_COMPUTED: Oracle = Oracle {
    id: "REACH-01",
    meaning: "A call connects directly where NATs and firewalls allow it, through a relay where only that is left, and not at all where nothing is.",
    source: "RFC 4787 sections 4 and 5; docs/nats.md#who-must-reach-whom",
    check: &as_computed,
};

/// The path of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The reachability that the path shows.
    pub reach: Reach,
    /// The types of the pair that the caller selected, such as `host-prflx`; empty without one.
    pub pair: String,
}

/// Returns the path of `call`, as the trace shows it.
pub fn carried(trace: &Trace, call: &Call<'_>) -> Carried {
    let selected = |host: &str| {
        let pairs = trace.of(host).filter_map(|e| match &e.kind {
            EventKind::PairSelected { peer, local, remote } if peer.call == call.name => {
                Some(format!("{}-{}", kind(local), kind(remote)))
            }
            _ => None,
        });
        pairs.last().unwrap_or_default()
    };
    let (caller, callee) = (selected(call.caller), selected(call.callee));
    let connected = call.time_to_connect(trace).is_some();
    let reach = match connected {
        false => Reach::Impossible,
        true if caller.contains("relay") || callee.contains("relay") => Reach::Relay,
        true => Reach::Direct,
    };
    Carried { reach, pair: caller }
}

/// Returns the type of a candidate as [`crate::trace::Candidate`] displays it.
fn kind(candidate: &str) -> &str {
    candidate.split(' ').next().unwrap_or_default()
}

fn as_computed(evidence: Evidence<'_>) -> Verdict {
    let Evidence { trace, plan } = evidence;
    worst(calls::calls(trace).iter().map(|call| {
        let must = reach::must(plan, call.caller, call.callee);
        let seen = carried(trace, call);
        if seen.reach == must {
            return Verdict::Pass;
        }
        Verdict::Fail(Violation {
            event: None,
            call: Some(call.name.to_owned()),
            why: format!(
                "{} between {} and {}: must be {must}, seen {} ({})",
                call.name,
                call.caller,
                call.callee,
                seen.reach,
                if seen.pair.is_empty() {
                    "no pair"
                } else {
                    &seen.pair
                },
            ),
        })
    }))
}

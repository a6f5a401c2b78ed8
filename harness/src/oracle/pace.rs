//! An oracle for the pace of connectivity checks.

use std::{collections::VecDeque, time::Duration};

use super::{Evidence, Oracle, Verdict, Violation, worst};
use crate::{
    time::SimTime,
    trace::{EventKind, StunLine, Trace},
};

/// Checks are paced.
pub const PACE_01_PACED: Oracle = Oracle {
    id: "PACE-01",
    meaning: "A host sends at most 400 connectivity checks in any second.",
    source: "RFC 8445 section 6.1.2.5, at most 100 pairs; RFC 8445 section 14, one check every 50 ms",
    check: &paced,
};

/// The largest number of checks in a second. At one check every 50 ms an agent sends 20; this leaves room for triggered
/// checks and for an agent that sends a whole check list every 200 ms.
const MOST: usize = 400;

fn paced(evidence: Evidence<'_>) -> Verdict {
    let trace = evidence.trace;
    let hosts = evidence.plan.topology.hosts.iter();
    worst(hosts.map(|host| judge(trace, &host.name)))
}

fn judge(trace: &Trace, host: &str) -> Verdict {
    let mut last_second = VecDeque::<SimTime>::new();
    for event in trace.of(host) {
        let EventKind::PacketSent { says, .. } = &event.kind else {
            continue;
        };
        let Some(line) = StunLine::read(says) else {
            continue;
        };
        if (line.method, line.class) != ("binding", "request") {
            continue;
        }
        last_second.push_back(event.at);
        while last_second
            .front()
            .is_some_and(|at| event.at - *at >= Duration::from_secs(1))
        {
            last_second.pop_front();
        }
        if last_second.len() > MOST {
            return Verdict::Fail(Violation::at(
                event,
                format!(
                    "{host} sent more than {MOST} checks in the second before {}",
                    event.at
                ),
            ));
        }
    }
    Verdict::Pass
}

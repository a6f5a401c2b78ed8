//! Something done to a run: what can be, in which plan it is, and what came of it. Plain data.

use serde::{Deserialize, Serialize};

use super::{
    seen::{Seen, TrialOutcome},
    subject::{Hit, Subject, Treatment},
    terms::Packet,
};
use crate::{
    fault::Plan,
    trace::{Digest, Direction},
};

/// A plan that was run, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// What was done: to one packet or message, or to two.
    pub hits: Vec<Hit>,
    /// What came of it.
    pub outcome: TrialOutcome,
    /// The hash over the trace, if the run came to its end.
    pub digest: Option<Digest>,
}

/// What can be singled out of a run of `plan`, in order. A packet is taken where it enters the network, and once more behind a NAT
/// that it passes: elsewhere it is the same to lose it on either link.
pub(super) fn subjects(seen: &Seen, plan: &Plan) -> Vec<Subject> {
    let packets = seen.packets.iter().filter(|p| p.at_ms < plan.heal_at_ms);
    let packets = packets.filter(|p| p.direction == Direction::Up || p.beyond_nat);
    let messages = seen.messages.iter().filter(|m| m.at_ms < plan.heal_at_ms);
    let mut all: Vec<(u64, Subject)> = packets
        .map(|p: &Packet| (p.at_ms, Subject::Packet(p.clone())))
        .collect();
    all.extend(messages.map(|m| {
        let subject = Subject::Message {
            client: m.client.clone(),
            message: m.message,
            name: m.name.clone(),
            nth: m.nth,
        };
        (m.at_ms, subject)
    }));
    all.sort_by_key(|(at, _)| *at);
    all.into_iter()
        .map(|(_, subject)| subject)
        .filter(|subject| fits(subject, plan))
        .collect()
}

/// Whether `plan` can be run with something done to `subject`.
fn fits(subject: &Subject, plan: &Plan) -> bool {
    let hit = Hit {
        subject: subject.clone(),
        treatment: Treatment::Lost,
    };
    with(plan, &[hit]).check().is_ok()
}

/// `plan`, in which `hits` happen.
pub(super) fn with(plan: &Plan, hits: &[Hit]) -> Plan {
    let mut plan = plan.clone();
    hits.iter().for_each(|hit| plan.inject(hit.fault()));
    plan
}

//! A treated run: its treatments, its plan and its outcome. Plain data.

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

/// A plan that was run, and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// The treatments: of one packet or message, or of two.
    pub hits: Vec<Hit>,
    /// The outcome.
    pub outcome: TrialOutcome,
    /// The digest of the trace, if the run ended.
    pub digest: Option<Digest>,
}

/// Returns the packets and messages of a run of `plan` to single out, in order. A packet counts where it enters the
/// network, and once more behind a NAT that it passes: elsewhere a loss on either link is the same.
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

/// Reports whether `plan` can be run with a treatment of `subject`.
fn fits(subject: &Subject, plan: &Plan) -> bool {
    let hit = Hit {
        subject: subject.clone(),
        treatment: Treatment::Lost,
    };
    with(plan, &[hit]).check().is_ok()
}

/// Returns `plan` with the faults of `hits`.
pub(super) fn with(plan: &Plan, hits: &[Hit]) -> Plan {
    let mut plan = plan.clone();
    hits.iter().for_each(|hit| plan.inject(hit.fault()));
    plan
}

//! Second losses that could matter.
//!
//! A random second loss among the packets of the good run says little: most of them no longer matter once the first is
//! lost. The packets that replaced the lost one kept the call alive, so those are lost next (lineage-driven fault
//! injection: Alvaro, Rosen and Hellerstein, SIGMOD 2015): the next packet of its kind from its sender, and the packets
//! of kinds that the sender, or the end that waits for it, sent more of than in the good run. Pairs whose first loss
//! cost most come first.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    seen::{Seen, TrialOutcome},
    subject::{Hit, Subject, Treatment},
    trial::{Tried, subjects},
};
use crate::fault::Plan;

/// A first loss that the call survived, and its run.
pub(super) struct Survived<'a> {
    pub first: &'a Tried,
    pub seen: &'a Seen,
}

/// Returns the first losses to examine for replacements: those that a call survived, the costly first.
pub(super) fn firsts(tried: &[Tried]) -> Vec<&Tried> {
    let lost =
        |t: &&Tried| t.hits.len() == 1 && t.hits[0].treatment == Treatment::Lost && !t.outcome.is_broken();
    let mut firsts: Vec<&Tried> = tried.iter().filter(lost).collect();
    firsts.sort_by_key(|t| std::cmp::Reverse(cost(&t.outcome)));
    firsts
}

/// Returns the cost of a loss: further attempts count before another pair, and that before time.
fn cost(outcome: &TrialOutcome) -> (u64, bool, u64) {
    match outcome {
        TrialOutcome::Differs {
            later_ms,
            closes_later_ms,
            pair,
            attempts,
        } => (
            attempts.unwrap_or(0),
            pair.is_some(),
            later_ms.unwrap_or(0) + closes_later_ms.unwrap_or(0),
        ),
        _ => (0, false, 0),
    }
}

/// Returns the second losses after `survived`: at most `most`, in turns, so that no first loss takes all of them.
pub(super) fn seconds(survived: &[Survived<'_>], good: &Seen, plan: &Plan, most: usize) -> Vec<[Hit; 2]> {
    let mut offers: Vec<Vec<[Hit; 2]>> = survived.iter().map(|s| stand_ins(s, good, plan)).collect();
    offers.iter_mut().for_each(|o| o.reverse());
    let mut seen = BTreeSet::new();
    let mut pairs = Vec::new();
    while pairs.len() < most && offers.iter().any(|o| !o.is_empty()) {
        for offer in &mut offers {
            let Some(pair) = offer.pop() else { continue };
            if pairs.len() < most && seen.insert(pair.clone().map(|hit| place(&hit.subject))) {
                pairs.push(pair);
            }
        }
    }
    pairs
}

/// Returns the place of a subject, as a fault names it.
fn place(subject: &Subject) -> (String, String, u64) {
    match subject {
        Subject::Packet(p) => (p.link.clone(), format!("{:?}", p.direction), p.ordinal),
        Subject::Message { client, message, .. } => (client.clone(), "message".to_owned(), *message),
    }
}

/// Returns the replacements of a lost packet or message, the likeliest first.
fn stand_ins(survived: &Survived<'_>, good: &Seen, plan: &Plan) -> Vec<[Hit; 2]> {
    let first = &survived.first.hits[0];
    let (usual, now) = (subjects(good, plan), subjects(survived.seen, plan));
    let from = index_of(&now, &first.subject).map_or(0, |i| i + 1);
    let mut usually: BTreeMap<(String, String), u64> = BTreeMap::new();
    for subject in &usual {
        *usually.entry(key(subject)).or_default() += 1;
    }
    let mut so_far: BTreeMap<(String, String), u64> = BTreeMap::new();
    for subject in &now[..from] {
        *so_far.entry(key(subject)).or_default() += 1;
    }
    let mut found = Vec::new();
    let mut next_alike = None;
    for subject in &now[from..] {
        let key = key(subject);
        let count = so_far.entry(key.clone()).or_default();
        *count += 1;
        if next_alike.is_none() && key == self::key(&first.subject) {
            next_alike = Some(subject);
        } else if *count > usually.get(&key).copied().unwrap_or(0) {
            found.push(subject);
        }
    }
    let second = |subject: &Subject| {
        let hit = Hit {
            subject: subject.clone(),
            treatment: Treatment::Lost,
        };
        [first.clone(), hit]
    };
    next_alike.into_iter().chain(found).map(second).collect()
}

/// Returns the index of the lost packet in the run that lost it.
fn index_of(now: &[Subject], lost: &Subject) -> Option<usize> {
    now.iter().position(|subject| place(subject) == place(lost))
}

/// Returns the sender and the kind of a packet or message.
fn key(subject: &Subject) -> (String, String) {
    let by = match subject {
        Subject::Packet(packet) => format!("{} {:?} {}", packet.by, packet.direction, packet.beyond_nat),
        Subject::Message { client, .. } => client.clone(),
    };
    (by, subject.kind())
}

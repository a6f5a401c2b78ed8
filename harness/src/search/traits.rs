//! What a plan is made of, as an ordered set of small traits, singly and in pairs: who does what when, and which faults strike what.
//!
//! Of several plans, the one whose traits have been run together the least is worth a run the most. Nothing here runs a plan.

use std::collections::{BTreeMap, BTreeSet};

use crate::fault::{Fault, Plan, Scripted, When};

/// The hash of a trait or of a pair: a collision makes a plan look a little less new than it is.
type Key = u64;

/// The traits of a plan, and their pairs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Traits {
    single: BTreeSet<Key>,
    /// Each act with each other act, and with each fault.
    pairs: Vec<Key>,
}

impl Traits {
    /// Reads them from `plan`.
    pub fn of(plan: &Plan) -> Self {
        let acts: BTreeSet<Key> = plan.script.iter().map(act).collect();
        let single: BTreeSet<Key> = acts
            .iter()
            .copied()
            .chain(plan.faults.iter().map(fault))
            .collect();
        let paired = |one: &Key, other: &Key| one.min(other).rotate_left(1) ^ one.max(other);
        let with_all = |one| {
            single
                .iter()
                .filter(move |other| *other != one)
                .map(move |other| paired(one, other))
        };
        let mut pairs: Vec<Key> = acts.iter().flat_map(with_all).collect();
        pairs.sort_unstable();
        pairs.dedup();
        Self { single, pairs }
    }
}

/// How often traits and pairs of traits were run.
#[derive(Clone, Debug, Default)]
pub(super) struct Tried {
    runs: BTreeMap<Key, u64>,
}

/// The weight of a pair that was never run: after *n* runs, it is divided by *n* + 1.
const NEW: u64 = 1 << 20;
/// How many pairs a single trait weighs.
const SINGLE: u64 = 4;

impl Tried {
    /// Returns how new `traits` are. A plan with more in it has more that can be new.
    pub fn novelty(&self, traits: &Traits) -> u64 {
        let runs = |key: &Key| self.runs.get(key).copied().unwrap_or_default();
        let weight = |key: &Key| NEW / (1 + runs(key));
        let single: u64 = traits.single.iter().map(weight).sum();
        SINGLE * single + traits.pairs.iter().map(weight).sum::<u64>()
    }

    /// Counts a run of a plan with `traits`.
    pub fn count(&mut self, traits: &Traits) {
        for key in traits.single.iter().chain(&traits.pairs) {
            *self.runs.entry(*key).or_default() += 1;
        }
    }
}

fn act(scripted: &Scripted) -> Key {
    let when = match scripted.when {
        When::At { ms } => format!("at {}", ms / 400),
        When::Rung { ms } => format!("rung {}", ms / 300),
        When::Free { .. } => "free".to_owned(),
        When::Reached { point, after_ms } => format!("{point} {}", soon(after_ms)),
        When::Over { after_ms } => format!("over {}", soon(after_ms)),
    };
    hash(&format!("{} {:?} {when}", scripted.host, scripted.act))
}

fn fault(fault: &Fault) -> Key {
    let target = fault.target.name();
    hash(&format!(
        "{} {target} {}",
        fault.spec().name,
        fault.from_ms / 1_500
    ))
}

/// Returns how soon something comes: at once, before an answer can be there, after one, later.
const fn soon(ms: u64) -> u32 {
    match ms {
        0 => 0,
        1..=15 => 1,
        16..=60 => 2,
        61..=250 => 3,
        _ => 4,
    }
}

/// FNV-1a.
fn hash(text: &str) -> Key {
    let add = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, add)
}

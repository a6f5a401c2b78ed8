//! The sum over the orders that one exploration went through. Plain data.

use std::collections::BTreeMap;

use crate::trace::Digest;

/// The sum over the orders of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explored {
    /// How many there are. Orders that differ only in steps that are independent of each other count as one.
    pub orders: u64,
    /// How many of them broke an oracle.
    pub failed: u64,
    /// How many more runs it took: they were cut off because they began to repeat another, or belong to another part.
    pub repeats: u64,
    /// The most free steps that one had.
    pub steps: u64,
    /// How often each mark was reached, over all of them.
    pub marks: BTreeMap<String, u64>,
    /// A hash over the digests of all runs, the ones that were cut off included.
    pub digest: Digest,
}

/// The name of [`Explored::orders`] among the stats of a result.
pub const ORDERS: &str = "orders";
/// The name of [`Explored::failed`].
pub const FAILED: &str = "orders_failed";
/// The name of [`Explored::repeats`].
pub const REPEATS: &str = "orders_repeated";
/// The name of [`Explored::steps`].
pub const STEPS: &str = "order_steps";

impl Explored {
    /// For the line of `results.jsonl`.
    pub(super) fn stats(&self) -> [(String, u64); 4] {
        let stats = [
            (ORDERS, self.orders),
            (FAILED, self.failed),
            (REPEATS, self.repeats),
            (STEPS, self.steps),
        ];
        stats.map(|(name, n)| (name.to_owned(), n))
    }
}

impl Default for Explored {
    fn default() -> Self {
        Self {
            orders: 0,
            failed: 0,
            repeats: 0,
            steps: 0,
            marks: BTreeMap::new(),
            digest: Digest::of(&[]),
        }
    }
}

//! One digest over all runs of a suite, whatever their order.

use crate::trace::Digest;

/// A hash over a set of lines that does not depend on their order: the sum of their hashes, lane by lane.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SumOfHashes([u64; 4]);

impl SumOfHashes {
    pub fn add(&mut self, line: &str) {
        let hash = blake3::hash(line.as_bytes());
        for (lane, bytes) in self.0.iter_mut().zip(hash.as_bytes().chunks_exact(8)) {
            let bytes = bytes.try_into().expect("chunks of eight bytes");
            *lane = lane.wrapping_add(u64::from_le_bytes(bytes));
        }
    }

    pub fn digest(self) -> Digest {
        Digest::of(&self.0.map(u64::to_le_bytes).concat())
    }
}

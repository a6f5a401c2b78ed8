//! A link of limited bandwidth with a drop-tail queue in front of it.
//!
//! The queue knows arrivals and sizes only. It must never ask whether a packet is lost or damaged afterwards: such a
//! packet used the link too, and which packets fit must not depend on which other faults are switched on.

use std::{collections::VecDeque, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::SimTime;

/// The limit of a queue. A packet that is being sent does not count: an idle link takes any packet, whatever the limit.
/// A queue that is large for its bandwidth is known as bufferbloat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueLimit {
    /// A number of packets.
    Packets(u32),
    /// A number of bytes of IP packets.
    Bytes(u64),
    /// The amount that the link sends in this many milliseconds: a packet that would wait longer does not fit.
    Ms(u64),
}

/// Returns the time that a link of `kbps` kilobits per second takes to send `bytes`, rounded up to a nanosecond. A
/// bandwidth of zero counts as 1 kbit/s.
pub fn serialisation(kbps: u64, bytes: u32) -> Duration {
    // One kilobit per second is one bit per millisecond.
    Duration::from_nanos((u64::from(bytes) * 8 * 1_000_000).div_ceil(kbps.max(1)))
}

/// The packets that wait for a link.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    free_at: SimTime,
    // For each packet, the time at which its transmission begins, and its bytes.
    waiting: VecDeque<(SimTime, u32)>,
    bytes: u64,
}

impl Queue {
    /// Reports whether a packet of `bytes` that comes at `now` fits. `now` must not decrease from call to call.
    pub fn fits(&mut self, now: SimTime, bytes: u32, limit: Option<QueueLimit>) -> bool {
        self.settle(now);
        if self.free_at <= now {
            return true;
        }
        match limit {
            None => true,
            Some(QueueLimit::Packets(most)) => self.waiting.len() < most as usize,
            Some(QueueLimit::Bytes(most)) => self.bytes + u64::from(bytes) <= most,
            Some(QueueLimit::Ms(most)) => self.free_at - now <= Duration::from_millis(most),
        }
    }

    /// Adds a packet, whether it fits or not, and returns when its last bit has left at `kbps`.
    pub fn push(&mut self, now: SimTime, bytes: u32, kbps: u64) -> SimTime {
        self.settle(now);
        let turn = self.free_at.max(now);
        self.waiting.push_back((turn, bytes));
        self.bytes += u64::from(bytes);
        self.free_at = turn + serialisation(kbps, bytes);
        self.free_at
    }

    /// Removes the packets that no longer wait.
    fn settle(&mut self, now: SimTime) {
        while let Some((_, bytes)) = self.waiting.pop_front_if(|(turn, _)| *turn <= now) {
            self.bytes -= u64::from(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> SimTime = SimTime::from_millis;

    #[test]
    fn a_packet_takes_its_bits_by_the_bandwidth() {
        assert_eq!(serialisation(1_000, 125), Duration::from_millis(1));
        assert_eq!(serialisation(100_000, 1_250), Duration::from_micros(100));
        assert_eq!(serialisation(3, 1), Duration::from_nanos(2_666_667));
        assert_eq!(serialisation(u64::MAX, u32::MAX), Duration::from_nanos(1));
    }

    /// Packets accepted at 1,000 kbit/s and 1,250 bytes each: 10 ms per packet; the first does not wait.
    fn accepted(limit: QueueLimit) -> usize {
        let mut queue = Queue::default();
        (0..10)
            .take_while(|_| {
                let fits = queue.fits(MS(5), 1_250, Some(limit));
                queue.push(MS(5), 1_250, 1_000);
                fits
            })
            .count()
    }

    #[test]
    fn each_kind_of_limit_counts_what_waits() {
        assert_eq!(accepted(QueueLimit::Packets(3)), 4);
        assert_eq!(accepted(QueueLimit::Bytes(3 * 1_250)), 4);
        assert_eq!(accepted(QueueLimit::Bytes(3 * 1_250 - 1)), 3);
        assert_eq!(accepted(QueueLimit::Ms(30)), 4);
        assert_eq!(accepted(QueueLimit::Ms(29)), 3);
        for none in [QueueLimit::Packets(0), QueueLimit::Bytes(0), QueueLimit::Ms(0)] {
            assert_eq!(accepted(none), 1, "an idle link takes any packet");
        }
    }

    #[test]
    fn packets_leave_one_after_the_other_and_the_queue_drains() {
        let mut queue = Queue::default();
        let left: Vec<SimTime> = (0..3).map(|_| queue.push(MS(0), 1_250, 1_000)).collect();
        assert_eq!(left, [MS(10), MS(20), MS(30)]);
        let one = Some(QueueLimit::Packets(1));
        assert!(!queue.fits(MS(19), 1_250, one), "the third waits until 20 ms");
        assert!(queue.fits(MS(20), 1_250, one));
        assert_eq!(
            queue.push(MS(100), 1_250, 1_000),
            MS(110),
            "an idle link begins at once"
        );
    }
}

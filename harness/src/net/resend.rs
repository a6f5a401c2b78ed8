//! When TCP sends a segment again that was lost.
//!
//! The first time comes after the round trip and 200 ms, each further one after twice as long in total, so that a connection stands still
//! after a partition for up to as long again as it took. So Linux does it with a single segment on its way, as captures of real calls show
//! (docs/reality.md): it adds 200 ms to the round trip where RFC 6298 section 2.4 has a second at least, and what is sent first is a tail
//! loss probe (RFC 8985, section 7), after which the timer does not double. A segment that opens a connection, for which Linux waits a second, is not
//! told from others. Nothing here may draw.

use std::time::Duration;

use super::profile::LinkProfile;
use crate::time::SimTime;

/// What TCP adds to the round trip, for the first retransmission of a segment.
pub const TCP_RTO: Duration = Duration::from_millis(200);
/// The time that TCP bears a partition before it gives a connection up.
pub const TCP_PATIENCE: Duration = Duration::from_secs(60);

/// Returns how long a sender waits before it sends a segment again for the first time, as far as one link of its way tells: it counts no
/// other's latency.
pub fn first_wait(profile: &LinkProfile) -> Duration {
    TCP_RTO + 2 * (profile.latency.median() + profile.jitter.median())
}

/// Returns the total wait until the retransmission `n` of a segment whose first one comes after `first_wait`; none for 0, the segment itself.
pub fn backoff(first_wait: Duration, n: u32) -> Duration {
    match n.checked_sub(1) {
        None => Duration::ZERO,
        Some(doublings) => first_wait * (1 << doublings),
    }
}

/// What TCP does on one link with the segments of a flow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stream {
    /// The arrival of the last one.
    pub last: SimTime,
    // When the oldest one that was not acknowledged gets through, after a partition.
    again: SimTime,
}

impl Stream {
    /// Returns when a segment that is sent at `now` passes a link that is blocked until `until`; nothing if TCP gives up before.
    ///
    /// What was sent first is sent again first, and takes with it what was written since.
    pub fn gets_through(&mut self, now: SimTime, until: SimTime, first_wait: Duration) -> Option<SimTime> {
        if self.again > now && self.again >= until {
            return Some(self.again);
        }
        let waits = (1..).map(|n| backoff(first_wait, n));
        let borne = waits.take_while(|wait| *wait < TCP_PATIENCE);
        self.again = borne.map(|wait| now + wait).find(|at| *at >= until)?;
        Some(self.again)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_millis(225);

    fn ms(ms: u64) -> SimTime {
        SimTime::from_millis(ms)
    }

    #[test]
    fn a_segment_is_sent_again_after_waits_that_double() {
        let through = |now, until| Stream::default().gets_through(ms(now), ms(until), WAIT);
        assert_eq!(through(1_000, 1_100), Some(ms(1_225)));
        assert_eq!(
            through(1_000, 1_225),
            Some(ms(1_225)),
            "just when the partition ends"
        );
        assert_eq!(through(1_000, 1_226), Some(ms(1_450)));
        assert_eq!(through(1_000, 2_500), Some(ms(2_800)));
        assert_eq!(through(0, 57_600), Some(ms(57_600)));
        assert_eq!(through(0, 57_601), None, "the next try would come after 115 s");
        assert_eq!(Stream::default().gets_through(ms(5), SimTime::MAX, WAIT), None);
    }

    #[test]
    fn what_is_written_meanwhile_goes_with_what_is_sent_again() {
        let mut stream = Stream::default();
        let mut through = |now, until| stream.gets_through(ms(now), ms(until), WAIT);
        assert_eq!(through(1_000, 2_500), Some(ms(2_800)));
        assert_eq!(through(2_400, 2_500), Some(ms(2_800)), "not at 2,625");
        assert_eq!(through(2_450, 3_000), Some(ms(3_350)), "another partition");
        assert_eq!(
            through(4_000, 4_100),
            Some(ms(4_225)),
            "all was acknowledged before"
        );
    }
}

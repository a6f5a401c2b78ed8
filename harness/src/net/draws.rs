//! What chance decides about one packet, drawn all at once.
//!
//! Every draw has a fixed place in the packet's window of the link's stream and is made whether it is
//! used or not, so that switching one fault off does not shift the others. A new draw goes to the end,
//! and there must never be more than the 32 that a window holds.

use std::time::Duration;

use super::{
    link::{LinkProfile, TCP_TRIES},
    loss::{Chain, GilbertElliott},
};
use crate::seed::{Ppm, Stream};

/// What chance decided about one packet.
pub(super) struct Draws {
    /// Latency and jitter.
    pub takes: Duration,
    /// Whether a datagram is lost, alone or in a burst.
    pub lost: bool,
    /// How often a TCP segment has to be sent again, [`TCP_TRIES`] at most.
    pub losses_in_a_row: u32,
    pub reordered: bool,
    pub reordered_by: Duration,
    pub duplicated: bool,
    /// The jitter of the double.
    pub double_takes: Duration,
    /// The bit that is flipped; it is among those that truncation leaves.
    pub corrupted: Option<u64>,
    /// Bytes of payload that are left, fewer than there were.
    pub truncated: Option<u32>,
}

impl Draws {
    /// Draws for a packet of `payload_len` bytes from its window, and moves `bursts` on by one packet.
    pub fn of(profile: &LinkProfile, bursts: &mut Chain, stream: &mut Stream, payload_len: u32) -> Self {
        let takes = profile.latency.draw(stream) + profile.jitter.draw(stream);
        let lost_alone = stream.chance(profile.loss);
        let reordered = stream.chance(profile.reorder);
        let reordered_by = profile.reorder_by.draw(stream);
        let duplicated = stream.chance(profile.duplicate);
        let double_takes = profile.jitter.draw(stream);
        let corrupt = stream.chance(profile.corrupt);
        let bit = stream.below(u64::from(payload_len.max(1)) * 8);
        let mut tries = tries(profile, stream);
        let lost_in_burst = bursts.step(profile.bursts.as_ref(), stream);
        tries[0] |= lost_in_burst;
        let truncate = stream.chance(profile.truncate);
        let keeps = stream.below(u64::from(payload_len.max(1))) as u32;

        let truncated = (truncate && payload_len > 0).then_some(keeps);
        let bits = u64::from(truncated.unwrap_or(payload_len)) * 8;
        Self {
            takes,
            lost: lost_alone || lost_in_burst,
            losses_in_a_row: tries.iter().take_while(|failed| **failed).count() as u32,
            reordered,
            reordered_by,
            duplicated,
            double_takes,
            corrupted: (corrupt && bit < bits).then_some(bit),
            truncated,
        }
    }
}

/// Which transmissions of a TCP segment fail, but for what a burst does to the first.
///
/// A segment with a flipped bit or a missing end fails its checksum: lost, as TCP sees it. What is sent
/// again comes so much later that it meets the link in any state: it is lost as often as the mean.
fn tries(profile: &LinkProfile, stream: &mut Stream) -> [bool; TCP_TRIES as usize] {
    let damaged = either(profile.corrupt, profile.truncate);
    let in_bursts = profile
        .bursts
        .as_ref()
        .map_or(Ppm::ZERO, GilbertElliott::mean_loss);
    let later = either(profile.loss, in_bursts);
    let mut tries = [false; TCP_TRIES as usize];
    for (n, failed) in tries.iter_mut().enumerate() {
        let lost = stream.chance(if n == 0 { profile.loss } else { later });
        let damaged = stream.chance(damaged);
        *failed = lost || damaged;
    }
    tries
}

/// How often at least one of two things happens, bounded from above by their sum: one draw decides both.
fn either(a: Ppm, b: Ppm) -> Ppm {
    Ppm::new((a.get() + b.get()).min(1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{net::latency::Latency, seed::Seed};

    /// How many draws a packet takes.
    const DRAWS: usize = 29;

    #[test]
    fn a_packet_takes_as_many_draws_whatever_is_switched_on() {
        let quiet = LinkProfile::default();
        let noisy = LinkProfile {
            latency: Latency::uniform_ms(1, 9),
            jitter: Latency::quantiles_ms(&[(0, 0), (100, 7)]),
            reorder: Ppm::ONE,
            loss: Ppm::ONE,
            bursts: Some(GilbertElliott::bursts(3, 3)),
            duplicate: Ppm::ONE,
            corrupt: Ppm::ONE,
            truncate: Ppm::ONE,
            ..LinkProfile::default()
        };
        for (profile, len) in [(&quiet, 0), (&quiet, 1_200), (&noisy, 0), (&noisy, 1_200)] {
            let mut drawn = Seed(1).stream("draws");
            Draws::of(profile, &mut Chain::default(), &mut drawn, len);
            let mut skipped = Seed(1).stream("draws");
            for _ in 0..DRAWS {
                skipped.next_u64();
            }
            assert_eq!(drawn.next_u64(), skipped.next_u64());
        }
    }

    #[test]
    fn damage_stays_within_what_is_left() {
        let profile = LinkProfile {
            corrupt: Ppm::ONE,
            truncate: Ppm::ONE,
            ..LinkProfile::default()
        };
        let mut stream = Seed(1).stream("damage");
        for len in 0..500 {
            let draws = Draws::of(&profile, &mut Chain::default(), &mut stream, len);
            assert_eq!(
                draws.truncated.is_some(),
                len > 0,
                "nothing can be cut from nothing"
            );
            let left = draws.truncated.unwrap_or(len);
            assert!(left < len || len == 0);
            assert!(draws.corrupted.is_none_or(|bit| bit < u64::from(left) * 8));
        }
    }
}

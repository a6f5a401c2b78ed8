//! All random decisions about one packet, drawn at once.
//!
//! Every draw has a fixed place in the packet's window of the link's stream and is made whether it is used or not, so
//! that switching one fault off does not shift the others. A new draw goes to the end, and there must never be more
//! than the 32 that a window holds.

use std::time::Duration;

use super::{
    loss::{Chain, GilbertElliott},
    profile::LinkProfile,
};
use crate::{
    seed::{Ppm, Stream},
    trace::Effect,
};

/// The number of losses in a row after which TCP gives a connection up.
pub const TCP_TRIES: u32 = 8;
/// The reason why a link loses a transmission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Independent loss.
    Loss,
    /// Loss in a burst.
    Burst,
    /// A flipped bit, which fails the checksum.
    Corrupt,
    /// A missing end, which fails the checksum.
    Truncate,
}

impl Failure {
    pub fn effect(self) -> Effect {
        match self {
            Self::Loss => Effect::Loss,
            Self::Burst => Effect::Burst,
            Self::Corrupt => Effect::Corrupt,
            Self::Truncate => Effect::Truncate,
        }
    }
}

/// The random decisions about one packet.
pub(super) struct Draws {
    /// The delay on the link: latency and jitter.
    pub takes: Duration,
    /// The reason why a datagram is lost, if it is: independent loss or a burst.
    pub lost: Option<Failure>,
    /// The number of failed transmissions of a TCP segment in a row, at most [`TCP_TRIES`].
    pub losses_in_a_row: u32,
    /// The reason why the first transmission of a TCP segment fails, if it does.
    pub first_failure: Option<Failure>,
    pub reordered: bool,
    pub reordered_by: Duration,
    pub duplicated: bool,
    /// The jitter of the duplicate.
    pub double_takes: Duration,
    /// The index of the flipped bit, within the part that truncation leaves.
    pub corrupted: Option<u64>,
    /// The number of payload bytes left after truncation, fewer than before.
    pub truncated: Option<u32>,
}

impl Draws {
    /// Draws the decisions for a packet of `payload_len` bytes from its window, and advances `bursts` by one packet.
    pub fn of(profile: &LinkProfile, bursts: &mut Chain, stream: &mut Stream, payload_len: u32) -> Self {
        let takes = profile.latency.draw(stream) + profile.jitter.draw(stream);
        let lost_alone = stream.chance(profile.loss);
        let reordered = stream.chance(profile.reorder);
        let reordered_by = profile.reorder_by.draw(stream);
        let duplicated = stream.chance(profile.duplicate);
        let double_takes = profile.jitter.draw(stream);
        let corrupt = stream.chance(profile.corrupt);
        let bit = stream.below(u64::from(payload_len.max(1)) * 8);
        let (mut tries, first_failure) = tries(profile, stream);
        let lost_in_burst = bursts.step(profile.bursts.as_ref(), stream);
        tries[0] |= lost_in_burst;
        let burst = lost_in_burst.then_some(Failure::Burst);
        let truncate = stream.chance(profile.truncate);
        let keeps = stream.below(u64::from(payload_len.max(1))) as u32;

        let truncated = (truncate && payload_len > 0).then_some(keeps);
        let bits = u64::from(truncated.unwrap_or(payload_len)) * 8;
        Self {
            takes,
            lost: lost_alone.then_some(Failure::Loss).or(burst),
            first_failure: first_failure.or(burst),
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

/// Draws which transmissions of a TCP segment fail, apart from bursts on the first one, and why the first one does.
///
/// A segment with a flipped bit or a missing end fails its checksum and counts as lost. A retransmission comes so much
/// later that it meets the link in any state: it is lost at the mean rate.
fn tries(profile: &LinkProfile, stream: &mut Stream) -> ([bool; TCP_TRIES as usize], Option<Failure>) {
    let damaged = either(profile.corrupt, profile.truncate);
    let in_bursts = profile
        .bursts
        .as_ref()
        .map_or(Ppm::ZERO, GilbertElliott::mean_loss);
    let later = either(profile.loss, in_bursts);
    let damage = match profile.corrupt {
        Ppm::ZERO => Failure::Truncate,
        _ => Failure::Corrupt,
    };
    let (mut tries, mut first_failure) = ([false; TCP_TRIES as usize], None);
    for (n, failed) in tries.iter_mut().enumerate() {
        let lost = stream.chance(if n == 0 { profile.loss } else { later });
        let damaged = stream.chance(damaged);
        *failed = lost || damaged;
        if n == 0 {
            first_failure = lost.then_some(Failure::Loss).or(damaged.then_some(damage));
        }
    }
    (tries, first_failure)
}

/// Returns an upper bound of the probability that `a` or `b` happens: their sum. One draw decides both.
fn either(a: Ppm, b: Ppm) -> Ppm {
    Ppm::new((a.get() + b.get()).min(1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{net::latency::Latency, seed::Seed};

    /// The number of draws that a packet takes.
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

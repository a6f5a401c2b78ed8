//! Loss in bursts: the Gilbert-Elliott model.
//!
//! A fading radio loses several packets in a row and then none for long. The chain moves once per packet, with numbers
//! drawn for that packet, and takes as many numbers when it is switched off. It must never draw from anywhere else:
//! packet *n* has to meet the same draws whatever else is in the plan.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::seed::{Ppm, Stream};

/// A link that alternates between a good and a bad state (E. N. Gilbert, "Capacity of a Burst-Noise Channel", 1960; E.
/// O. Elliott, "Estimates of Error Rates for Codes on Burst-Noise Channels", 1963).
///
/// The time in a state is geometrically distributed, in packets that enter the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GilbertElliott {
    /// The mean length of the good state, in packets; at least 1.
    pub good_packets: u32,
    /// The mean length of the bad state, in packets; at least 1.
    pub bad_packets: u32,
    /// The loss probability in the good state; 0 if a file does not say.
    #[serde(default)]
    pub good_loss: Ppm,
    /// The loss probability in the bad state; 1 if a file does not say.
    #[serde(default = "always")]
    pub bad_loss: Ppm,
}

fn always() -> Ppm {
    Ppm::ONE
}

impl GilbertElliott {
    /// A model that loses everything for `bad_packets` packets on average, then nothing for `good_packets`.
    pub const fn bursts(good_packets: u32, bad_packets: u32) -> Self {
        Self {
            good_packets,
            bad_packets,
            good_loss: Ppm::ZERO,
            bad_loss: Ppm::ONE,
        }
    }

    /// Returns the long-run share of lost packets, rounded down to parts per million.
    pub fn mean_loss(&self) -> Ppm {
        let (good, bad) = (
            u64::from(self.good_packets.max(1)),
            u64::from(self.bad_packets.max(1)),
        );
        let lost = good * u64::from(self.good_loss.get()) + bad * u64::from(self.bad_loss.get());
        Ppm::new((lost / (good + bad)) as u32)
    }

    /// Checks a model that was read from a file.
    ///
    /// # Errors
    /// Returns a sentence that says what is wrong.
    pub fn check(&self) -> Result<(), String> {
        if self.good_packets == 0 || self.bad_packets == 0 {
            return Err("good_packets and bad_packets must be 1 at least".into());
        }
        Ok(())
    }
}

/// The state of a link in the Gilbert-Elliott model; good at first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    bad: bool,
}

impl Chain {
    /// Advances by one packet and returns whether that packet is lost.
    ///
    /// Takes two numbers from `stream`, with a model or without: the first decides whether the state changes before the
    /// packet, the second whether the packet is lost in the resulting state.
    pub fn step(&mut self, model: Option<&GilbertElliott>, stream: &mut Stream) -> bool {
        let Some(model) = model else {
            stream.next_u64();
            stream.next_u64();
            self.bad = false;
            return false;
        };
        let sojourn = if self.bad {
            model.bad_packets
        } else {
            model.good_packets
        };
        // One chance in `sojourn` to leave before each packet: `sojourn` packets on average.
        self.bad ^= stream.below(u64::from(sojourn.max(1))) == 0;
        stream.chance(if self.bad { model.bad_loss } else { model.good_loss })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn a_step_takes_two_draws_with_a_model_and_without() {
        for model in [
            None,
            Some(GilbertElliott::bursts(1, 1)),
            Some(GilbertElliott::bursts(9, 4)),
        ] {
            let mut stepped = Seed(1).stream("chain");
            Chain::default().step(model.as_ref(), &mut stepped);
            let mut skipped = Seed(1).stream("chain");
            skipped.next_u64();
            skipped.next_u64();
            assert_eq!(stepped.next_u64(), skipped.next_u64());
        }
    }

    #[test]
    fn states_that_last_one_packet_alternate() {
        let (mut chain, mut stream) = (Chain::default(), Seed(1).stream("chain"));
        let model = GilbertElliott::bursts(1, 1);
        let lost: Vec<bool> = (0..4).map(|_| chain.step(Some(&model), &mut stream)).collect();
        assert_eq!(lost, [true, false, true, false]);
    }

    #[test]
    fn both_states_may_lose_and_the_mean_weighs_them_by_their_length() {
        let model = GilbertElliott {
            good_packets: 300,
            bad_packets: 100,
            good_loss: Ppm::percent(2),
            bad_loss: Ppm::percent(50),
        };
        assert_eq!(model.mean_loss(), Ppm::percent(14));
        assert_eq!(GilbertElliott::bursts(98, 2).mean_loss(), Ppm::percent(2));
    }

    #[test]
    fn a_file_may_leave_the_loss_of_the_states_out() {
        let read = serde_json::from_str::<GilbertElliott>(r#"{"good_packets": 40, "bad_packets": 2}"#);
        assert_eq!(read.unwrap(), GilbertElliott::bursts(40, 2));
        assert!(GilbertElliott::bursts(0, 2).check().is_err());
        assert!(GilbertElliott::bursts(2, 0).check().is_err());
    }
}

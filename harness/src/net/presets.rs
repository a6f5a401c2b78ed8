//! Link profiles by name, such as a "3G" or a "hotel" network.
//!
//! These are presets of tools, and some are chosen by this project; none of them is a measurement of the
//! world, and nothing here must be presented as one. Each says where its numbers come from. They describe
//! one access link: two hosts on the same preset are twice its delay apart. Delays are one way, a delay of
//! 5 ± 2 ms is uniform from 3 to 7 ms, and bursts are "mean packets between, mean packets lost".
//!
//! Where the source limits the bandwidth and does not speak of the queue, this project chose one second of
//! it; where it does not speak of the MTU, there is none. Reordering, duplication and damage are in no
//! preset: a plan adds them.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    latency::Latency,
    link::LinkProfile,
    loss::GilbertElliott,
    queue::QueueLimit::{self, Ms, Packets},
};
use crate::seed::Ppm;

const CHOSEN: &str = "chosen by this project";
const ATC: &str = "facebook/augmented-traffic-control profiles";
const STR0M: &str = "str0m netem presets";

/// A kind of network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Preset {
    /// 0.2 ms, 1 Gbit/s, MTU 1500. Chosen by this project.
    Lan,
    /// 5 ± 2 ms, bursts 200/2 (1 %), 100 Mbit/s. str0m netem presets, "Wi-Fi".
    HomeWifi,
    /// 15 ± 10 ms, bursts 40/2 (5 %), 50 Mbit/s. str0m netem presets, "Lossy Wi-Fi".
    LossyWifi,
    /// 8 ms and a tail of jitter (median 10 ms, 90 % 40 ms, at most 200 ms), bursts 60/3 (5 %), 5 Mbit/s
    /// behind half a second of queue. Chosen by this project.
    CongestedWifi,
    /// 2 ms, 6,000 kbit/s down and 1,000 up. Augmented Traffic Control, "Cable".
    Cable,
    /// 5 ms, 2,000 kbit/s down and 256 up. Augmented Traffic Control, "DSL".
    Dsl,
    /// 50 ± 15 ms, bursts 100/2 (2 %), 30 Mbit/s. str0m netem presets, "Cellular".
    FourG,
    /// 100 ms, 780 kbit/s down and 330 up. Augmented Traffic Control, "3G average".
    ThreeG,
    /// 100 ms, 1 % lost, 250 kbit/s behind a queue of 10 packets. Full-stack tests of libwebrtc.
    WeakThreeG,
    /// 400 ms down and 440 up, 1 % lost, 240 kbit/s down and 200 up. Augmented Traffic Control, "EDGE
    /// lossy".
    Edge,
    /// 650 ms, 2 % lost, 20 kbit/s down and 18 up. Augmented Traffic Control, "2G rural".
    TwoG,
    /// 600 ms, 3 % lost, 3,000 kbit/s down and 500 up. As commonly labelled: light needs 240 ms up to a
    /// geostationary satellite and down again, so these 600 ms one way are on the pessimistic side.
    Satellite,
    /// 40 ms and up to 3 more, 0.01 % lost, 1 Gbit/s, MTU 1500. Chosen by this project.
    Transatlantic,
    /// 50 ms and up to 30 more, 4,000 kbit/s behind 300 ms of queue. RFC 8867 and the bandwidth estimation
    /// tests of libwebrtc.
    Rmcat,
    /// 20 ± 5 ms, 5 % lost one by one. Chosen by this project.
    Lossy,
    /// 30 ms and up to 40 more, bursts 147/3 (2 %), 1,000 kbit/s down and 500 up behind two seconds of
    /// queue, MTU 1400 as behind a tunnel. Chosen by this project.
    Hotel,
    /// 500 ms, 10 % lost, 1,000 kbit/s. Apple's Network Link Conditioner, "Very Bad Network".
    VeryBad,
}

impl Preset {
    /// All presets.
    pub const ALL: [Self; 17] = [
        Self::Lan,
        Self::HomeWifi,
        Self::LossyWifi,
        Self::CongestedWifi,
        Self::Cable,
        Self::Dsl,
        Self::FourG,
        Self::ThreeG,
        Self::WeakThreeG,
        Self::Edge,
        Self::TwoG,
        Self::Satellite,
        Self::Transatlantic,
        Self::Rmcat,
        Self::Lossy,
        Self::Hotel,
        Self::VeryBad,
    ];

    /// Returns the name, such as `home-wifi`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lan => "lan",
            Self::HomeWifi => "home-wifi",
            Self::LossyWifi => "lossy-wifi",
            Self::CongestedWifi => "congested-wifi",
            Self::Cable => "cable",
            Self::Dsl => "dsl",
            Self::FourG => "4g",
            Self::ThreeG => "3g",
            Self::WeakThreeG => "weak-3g",
            Self::Edge => "edge",
            Self::TwoG => "2g",
            Self::Satellite => "satellite",
            Self::Transatlantic => "transatlantic",
            Self::Rmcat => "rmcat",
            Self::Lossy => "lossy",
            Self::Hotel => "hotel",
            Self::VeryBad => "very-bad",
        }
    }

    /// Returns the source of the numbers.
    pub const fn source(self) -> &'static str {
        match self {
            Self::Lan | Self::CongestedWifi | Self::Transatlantic | Self::Lossy | Self::Hotel => CHOSEN,
            Self::HomeWifi | Self::LossyWifi | Self::FourG => STR0M,
            Self::Cable | Self::Dsl | Self::ThreeG | Self::Edge | Self::TwoG => ATC,
            Self::WeakThreeG => "libwebrtc full-stack tests",
            Self::Satellite => "as commonly labelled",
            Self::Rmcat => "RFC 8867, libwebrtc bwe tests",
            Self::VeryBad => "Apple Network Link Conditioner",
        }
    }

    /// Returns the profile from the host to the network.
    pub fn up(self) -> LinkProfile {
        match self {
            Self::Cable => narrow(ms(2), 1_000, Ms(1_000)),
            Self::Dsl => narrow(ms(5), 256, Ms(1_000)),
            Self::ThreeG => narrow(ms(100), 330, Ms(1_000)),
            Self::Edge => lossy(10_000, narrow(ms(440), 200, Ms(1_000))),
            Self::TwoG => lossy(20_000, narrow(ms(650), 18, Ms(1_000))),
            Self::Satellite => lossy(30_000, narrow(ms(600), 500, Ms(1_000))),
            Self::Hotel => LinkProfile {
                bandwidth_kbps: Some(500),
                ..self.down()
            },
            _ => self.down(),
        }
    }

    /// Returns the profile from the network to the host.
    pub fn down(self) -> LinkProfile {
        match self {
            Self::Lan => mtu(1_500, narrow(us(200), 1_000_000, Ms(1_000))),
            Self::HomeWifi => bursty(200, 2, narrow(about(5, 2), 100_000, Ms(1_000))),
            Self::LossyWifi => bursty(40, 2, narrow(about(15, 10), 50_000, Ms(1_000))),
            Self::CongestedWifi => LinkProfile {
                jitter: Latency::quantiles_ms(&[(0, 0), (50, 10), (90, 40), (100, 200)]),
                ..bursty(60, 3, narrow(ms(8), 5_000, Ms(500)))
            },
            Self::Cable => narrow(ms(2), 6_000, Ms(1_000)),
            Self::Dsl => narrow(ms(5), 2_000, Ms(1_000)),
            Self::FourG => bursty(100, 2, narrow(about(50, 15), 30_000, Ms(1_000))),
            Self::ThreeG => narrow(ms(100), 780, Ms(1_000)),
            Self::WeakThreeG => lossy(10_000, narrow(ms(100), 250, Packets(10))),
            Self::Edge => lossy(10_000, narrow(ms(400), 240, Ms(1_000))),
            Self::TwoG => lossy(20_000, narrow(ms(650), 20, Ms(1_000))),
            Self::Satellite => lossy(30_000, narrow(ms(600), 3_000, Ms(1_000))),
            Self::Transatlantic => {
                let path = narrow(between(40, 43), 1_000_000, Ms(1_000));
                mtu(1_500, lossy(100, path))
            }
            Self::Rmcat => narrow(between(50, 80), 4_000, Ms(300)),
            Self::Lossy => lossy(50_000, about(20, 5)),
            Self::Hotel => mtu(1_400, bursty(147, 3, narrow(between(30, 70), 1_000, Ms(2_000)))),
            Self::VeryBad => lossy(100_000, narrow(ms(500), 1_000, Ms(1_000))),
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl TryFrom<String> for Preset {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        name.parse()
    }
}

impl From<Preset> for String {
    fn from(preset: Preset) -> Self {
        preset.to_string()
    }
}

impl FromStr for Preset {
    type Err = String;

    /// # Errors
    /// Returns a sentence that lists all names.
    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|p| p.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no network preset '{name}', only {names}")
        })
    }
}

fn us(us: u64) -> LinkProfile {
    LinkProfile::good(Latency::Constant { us })
}

fn ms(ms: u64) -> LinkProfile {
    LinkProfile::good(Latency::constant_ms(ms))
}

/// A link with a delay from `min` to `max` milliseconds.
fn between(min: u64, max: u64) -> LinkProfile {
    LinkProfile {
        jitter: Latency::uniform_ms(0, max - min),
        ..ms(min)
    }
}

/// A link with a delay of `delay` ± `jitter` milliseconds.
fn about(delay: u64, jitter: u64) -> LinkProfile {
    between(delay - jitter, delay + jitter)
}

fn narrow(link: LinkProfile, kbps: u64, queue: QueueLimit) -> LinkProfile {
    LinkProfile {
        bandwidth_kbps: Some(kbps),
        queue: Some(queue),
        ..link
    }
}

fn lossy(ppm: u32, link: LinkProfile) -> LinkProfile {
    LinkProfile {
        loss: Ppm::new(ppm),
        ..link
    }
}

fn bursty(good: u32, bad: u32, link: LinkProfile) -> LinkProfile {
    LinkProfile {
        bursts: Some(GilbertElliott::bursts(good, bad)),
        ..link
    }
}

fn mtu(mtu: u32, link: LinkProfile) -> LinkProfile {
    LinkProfile {
        mtu: Some(mtu),
        ..link
    }
}

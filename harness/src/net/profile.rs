//! How one direction of an access link treats packets, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{latency::Latency, loss::GilbertElliott, queue::QueueLimit};
use crate::seed::Ppm;

/// The smallest MTU, in bytes, that every link of the Internet has (RFC 791, section 3.2).
pub const MIN_MTU: u32 = 68;

/// How a link treats packets.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkProfile {
    /// How long it takes.
    pub latency: Latency,
    /// What each packet takes on top. Without reordering, a packet waits for the one before it.
    pub jitter: Latency,
    /// How often a datagram leaves its place in the order.
    pub reorder: Ppm,
    /// How much later than its turn such a datagram comes.
    pub reorder_by: Latency,
    /// How often a packet is lost, each for itself.
    pub loss: Ppm,
    /// Losses in bursts, on top of those.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bursts: Option<GilbertElliott>,
    /// How often a datagram arrives twice.
    pub duplicate: Ppm,
    /// How often one bit of a datagram is flipped.
    pub corrupt: Ppm,
    /// How often a datagram loses its end: it arrives with a part of its payload, or with none.
    pub truncate: Ppm,
    /// Kilobits per second (1,000 bits) of IP packets, at least 1; without limit if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bandwidth_kbps: Option<u64>,
    /// How much may wait for the bandwidth; any amount if there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueLimit>,
    /// The largest IP packet that a datagram may be, in bytes with its headers; at least [`MIN_MTU`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
}

impl Default for LinkProfile {
    /// A good link: 10 ms, nothing lost.
    fn default() -> Self {
        Self::good(Latency::constant_ms(10))
    }
}

impl LinkProfile {
    /// A link that takes `latency` and does nothing else.
    pub const fn good(latency: Latency) -> Self {
        Self {
            latency,
            jitter: Latency::NONE,
            reorder: Ppm::ZERO,
            reorder_by: Latency::NONE,
            loss: Ppm::ZERO,
            bursts: None,
            duplicate: Ppm::ZERO,
            corrupt: Ppm::ZERO,
            truncate: Ppm::ZERO,
            bandwidth_kbps: None,
            queue: None,
            mtu: None,
        }
    }

    /// The same link after the chaos phase: as slow, as narrow and with the same MTU, but what it takes it
    /// delivers once, whole and in order.
    pub fn healed(&self) -> Self {
        Self {
            jitter: self.jitter.clone(),
            bandwidth_kbps: self.bandwidth_kbps,
            queue: self.queue,
            mtu: self.mtu,
            ..Self::good(self.latency.clone())
        }
    }

    /// Says what is wrong with a profile that was read from a file.
    ///
    /// # Errors
    /// The field and a sentence.
    pub fn check(&self) -> Result<(), String> {
        for (field, latency) in [
            ("latency", &self.latency),
            ("jitter", &self.jitter),
            ("reorder_by", &self.reorder_by),
        ] {
            latency.check().map_err(|e| format!("{field}: {e}"))?;
        }
        if let Some(bursts) = &self.bursts {
            bursts.check().map_err(|e| format!("bursts: {e}"))?;
        }
        if self.bandwidth_kbps == Some(0) {
            return Err(
                "bandwidth_kbps: must be 1 at least; a link that carries nothing is a partition".into(),
            );
        }
        if self.queue.is_some() && self.bandwidth_kbps.is_none() {
            return Err("queue: needs bandwidth_kbps, without which nothing waits".into());
        }
        if let Some(mtu) = self.mtu.filter(|mtu| *mtu < MIN_MTU) {
            return Err(format!("mtu: {mtu} is below {MIN_MTU}"));
        }
        Ok(())
    }
}

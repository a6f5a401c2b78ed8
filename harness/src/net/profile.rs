//! The profile of one direction of an access link, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{latency::Latency, loss::GilbertElliott, queue::QueueLimit};
use crate::seed::Ppm;

/// The MTU that every link of the Internet has at least, in bytes (RFC 791, section 3.2).
pub const MIN_MTU: u32 = 68;

/// The way a link treats packets.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinkProfile {
    /// The latency of the link.
    pub latency: Latency,
    /// The extra delay of each packet. Without reordering, a packet waits for the one before it.
    pub jitter: Latency,
    /// The probability that a datagram leaves its place in the order.
    pub reorder: Ppm,
    /// The extra delay of a reordered datagram.
    pub reorder_by: Latency,
    /// The probability that a packet is lost, independently of the others.
    pub loss: Ppm,
    /// Loss in bursts, in addition to independent loss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bursts: Option<GilbertElliott>,
    /// The probability that a datagram arrives twice.
    pub duplicate: Ppm,
    /// The probability that one bit of a datagram is flipped.
    pub corrupt: Ppm,
    /// The probability that a datagram is truncated: it arrives with a part of its payload, or with none.
    pub truncate: Ppm,
    /// The bandwidth in kilobits per second (1,000 bits) of IP packets, at least 1; `None` for no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bandwidth_kbps: Option<u64>,
    /// The length of the queue in front of the bandwidth; `None` for no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueLimit>,
    /// The largest IP packet that a datagram may be, in bytes with its headers; at least [`MIN_MTU`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
}

impl Default for LinkProfile {
    /// A good link: 10 ms, no loss.
    fn default() -> Self {
        Self::good(Latency::constant_ms(10))
    }
}

impl LinkProfile {
    /// A link that takes `latency` and has no impairments.
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

    /// Returns the profile after the chaos phase: the same latency, jitter, bandwidth, queue and MTU, but every packet
    /// that is taken is delivered once, whole and in order.
    pub fn healed(&self) -> Self {
        Self {
            jitter: self.jitter.clone(),
            bandwidth_kbps: self.bandwidth_kbps,
            queue: self.queue,
            mtu: self.mtu,
            ..Self::good(self.latency.clone())
        }
    }

    /// Checks a profile that was read from a file.
    ///
    /// # Errors
    /// Returns the field and a sentence.
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

//! One direction of an access link: what it does to each packet.
//!
//! Datagrams are lost, delayed, reordered, duplicated, corrupted and truncated one by one. TCP segments are
//! not: an application never sees those, only a retransmission that holds back what follows it, so a
//! segment that would be lost, damaged or dropped by a full queue arrives late instead, and its flow keeps
//! its order. A segment is never larger than the MTU: TCP has agreed on its size.
//!
//! A datagram meets, in this order: a partition, the MTU, the queue and the bandwidth, loss, and what
//! happens on the way. A lost datagram has used the bandwidth; a double is made behind the queue and uses
//! none, and neither does a retransmission.
//!
//! What happens to packet *n* of a link is drawn from (seed, link, *n*), so that removing one fault from
//! a plan moves no other. Nothing here may draw from another stream or look at a clock.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    draws::Draws,
    latency::Latency,
    loss::{Chain, GilbertElliott},
    queue::{Queue, QueueLimit},
    weather::Weather,
};
use crate::{
    seed::{IndexedStream, Ppm, Seed},
    time::SimTime,
    trace::{Cause, CauseKind, Flow, Proto},
};

/// The first retransmission of TCP; each further one waits twice as long (RFC 6298, section 5.5; Linux
/// waits 200 ms at least).
pub const TCP_RTO: Duration = Duration::from_millis(200);
/// Losses in a row after which TCP gives a connection up.
pub const TCP_TRIES: u32 = 8;
/// How long TCP bears a partition before it gives a connection up.
pub const TCP_PATIENCE: Duration = Duration::from_secs(60);

/// The smallest MTU, in bytes, that every link of the Internet has (RFC 791, section 3.2).
pub const MIN_MTU: u32 = 68;

/// How a link treats packets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// A copy of a packet on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// When it reaches the end of the link.
    pub at: SimTime,
    /// What made it later than its turn, and by how much.
    pub delayed: Option<(Cause, Duration)>,
    /// What flipped a bit of the payload, and which; if it is truncated too, a bit that is left.
    pub corrupted: Option<(Cause, u64)>,
    /// What cut the end of the payload off, and how many bytes are left.
    pub truncated: Option<(Cause, u32)>,
}

impl Copy {
    fn plain(at: SimTime) -> Self {
        Self {
            at,
            delayed: None,
            corrupted: None,
            truncated: None,
        }
    }
}

/// What a link decided for a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is gone.
    Dropped(Cause),
    /// It arrives, once or twice.
    Carried {
        /// The packet.
        first: Copy,
        /// Its double, which is whole: what made it, and when it reaches the end of the link.
        second: Option<(Cause, SimTime)>,
    },
    /// TCP gives up at that time: both ends get a reset.
    Reset(SimTime, Cause),
}

/// One direction of an access link.
#[derive(Clone, Debug)]
pub struct Link {
    name: String,
    profile: LinkProfile,
    draws: IndexedStream,
    packets: u64,
    bursts: Chain,
    queue: Queue,
    last_in_order: SimTime,
    flows: BTreeMap<Flow, SimTime>,
}

impl Link {
    /// The link `name` of the run of `seed`.
    pub fn new(seed: Seed, name: String, profile: LinkProfile) -> Self {
        Self {
            draws: seed.indexed(&format!("link/{name}")),
            name,
            profile,
            packets: 0,
            bursts: Chain::default(),
            queue: Queue::default(),
            last_in_order: SimTime::ZERO,
            flows: BTreeMap::new(),
        }
    }

    /// The name, such as `alice->net`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// From now on the link is good.
    pub fn heal(&mut self) {
        self.profile = self.profile.healed();
    }

    /// Decides what happens to a packet of `payload_len` bytes that enters the link at `now`. Moments must
    /// not run backwards from call to call.
    pub fn carry(&mut self, now: SimTime, flow: Flow, payload_len: u32, weather: &Weather) -> Fate {
        let window = self.draws.at(self.packets);
        let draws = Draws::of(&self.profile, &mut self.bursts, window, payload_len);
        self.packets += 1;
        let bytes = ip_len(flow, payload_len);
        match flow.proto {
            Proto::Udp => self.carry_datagram(now, bytes, &draws, weather),
            Proto::Tcp => self.carry_segment(now, flow, bytes, &draws, weather),
        }
    }

    fn cause(&self, kind: CauseKind) -> Cause {
        Cause {
            kind,
            place: self.name.clone(),
        }
    }

    /// Whether the queue has room, and when a packet that enters it at that moment has left it.
    ///
    /// With `must`, the packet goes in whether there is room or not.
    fn enqueue(&mut self, at: SimTime, bytes: u32, must: bool) -> (bool, SimTime) {
        let Some(kbps) = self.profile.bandwidth_kbps else {
            return (true, at);
        };
        let fits = self.queue.fits(at, bytes, self.profile.queue);
        if fits || must {
            (fits, self.queue.push(at, bytes, kbps))
        } else {
            (false, at)
        }
    }

    fn carry_datagram(&mut self, now: SimTime, bytes: u32, draws: &Draws, weather: &Weather) -> Fate {
        if let Some((cause, _)) = &weather.partition {
            return Fate::Dropped(cause.clone());
        }
        if self.profile.mtu.is_some_and(|mtu| bytes > mtu) {
            return Fate::Dropped(self.cause(CauseKind::TooLarge));
        }
        let held = weather.hold.as_ref();
        let enters = held.map_or(now, |(_, until)| now.max(*until));
        // What a hold keeps waits elsewhere: the hold has promised to release it.
        let (fits, left) = self.enqueue(enters, bytes, held.is_some());
        if !fits && held.is_none() {
            return Fate::Dropped(self.cause(CauseKind::QueueFull));
        }
        if draws.lost {
            return Fate::Dropped(self.cause(CauseKind::Loss));
        }
        let turn = (left + draws.takes).max(self.last_in_order);
        let at = if draws.reordered {
            turn + draws.reordered_by
        } else {
            self.last_in_order = turn;
            turn
        };
        let delayed = match held {
            Some((cause, until)) => Some((cause.clone(), *until - now)),
            None if draws.reordered => Some((self.cause(CauseKind::Reorder), draws.reordered_by)),
            None => None,
        };
        Fate::Carried {
            first: Copy {
                at,
                delayed,
                corrupted: draws.corrupted.map(|bit| (self.cause(CauseKind::Corrupt), bit)),
                truncated: draws.truncated.map(|len| (self.cause(CauseKind::Truncate), len)),
            },
            second: draws
                .duplicated
                .then(|| (self.cause(CauseKind::Duplicate), turn + draws.double_takes)),
        }
    }

    fn carry_segment(
        &mut self,
        now: SimTime,
        flow: Flow,
        bytes: u32,
        draws: &Draws,
        weather: &Weather,
    ) -> Fate {
        if let Some((cause, until)) = &weather.partition
            && *until - now >= TCP_PATIENCE
        {
            return Fate::Reset(now + TCP_PATIENCE, cause.clone());
        }
        let faults = [&weather.partition, &weather.hold];
        let blocked = faults.into_iter().flatten().max_by_key(|(_, until)| *until);
        let enters = blocked.map_or(now, |(_, until)| now.max(*until));
        // A segment that does not fit takes its place all the same and pays for it with a
        // retransmission: so a flow never exceeds the bandwidth.
        let (fits, left) = self.enqueue(enters, bytes, true);
        let overflows = !fits && blocked.is_none();
        let retransmissions = draws.losses_in_a_row + u32::from(overflows);
        if retransmissions >= TCP_TRIES {
            return Fate::Reset(enters + backoff(TCP_TRIES), self.cause(CauseKind::Reset));
        }
        let behind = self.flows.entry(flow).or_default();
        let at = (left + draws.takes + backoff(retransmissions)).max(*behind);
        *behind = at;
        let delayed = match blocked {
            Some((cause, until)) => Some((cause.clone(), *until - now)),
            None if overflows => Some((self.cause(CauseKind::QueueFull), backoff(retransmissions))),
            None if retransmissions > 0 => Some((self.cause(CauseKind::Loss), backoff(retransmissions))),
            None => None,
        };
        Fate::Carried {
            first: Copy {
                delayed,
                ..Copy::plain(at)
            },
            second: None,
        }
    }
}

/// The length of an IP packet without options that carries `payload_len` bytes (RFC 791, 8200, 768, 9293).
fn ip_len(flow: Flow, payload_len: u32) -> u32 {
    let ip = if flow.src.is_ipv4() { 20 } else { 40 };
    let transport = match flow.proto {
        Proto::Udp => 8,
        Proto::Tcp => 20,
    };
    payload_len.saturating_add(ip + transport)
}

/// How long TCP has waited after `n` retransmissions, each twice as late as the one before.
fn backoff(n: u32) -> Duration {
    TCP_RTO * ((1 << n) - 1)
}

//! One direction of an access link: what it does to each packet.
//!
//! Datagrams are lost, delayed, reordered, duplicated and corrupted one by one. TCP segments are not:
//! an application never sees those, only a retransmission that holds back what follows it, so a segment
//! that would be lost or corrupted arrives late instead, and its flow keeps its order.
//!
//! What happens to packet *n* of a link is drawn from (seed, link, *n*), so that removing one fault from
//! a plan moves no other.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{latency::Latency, weather::Weather};
use crate::{
    seed::{IndexedStream, Ppm, Seed, Stream},
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
    /// How often a packet is lost.
    pub loss: Ppm,
    /// How often a datagram arrives twice.
    pub duplicate: Ppm,
    /// How often one bit of a datagram is flipped.
    pub corrupt: Ppm,
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
            duplicate: Ppm::ZERO,
            corrupt: Ppm::ZERO,
        }
    }

    /// The same link after the chaos phase: as slow, but it delivers everything once and in order.
    pub fn healed(&self) -> Self {
        Self {
            jitter: self.jitter.clone(),
            ..Self::good(self.latency.clone())
        }
    }
}

/// A copy of a packet on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// When it reaches the end of the link.
    pub at: SimTime,
    /// What made it later than its turn, and by how much.
    pub delayed: Option<(Cause, Duration)>,
    /// What flipped a bit of the payload, and which.
    pub corrupted: Option<(Cause, u64)>,
}

impl Copy {
    fn plain(at: SimTime) -> Self {
        Self {
            at,
            delayed: None,
            corrupted: None,
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
        /// Its double, and what made it.
        second: Option<(Cause, Copy)>,
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

    /// Decides what happens to a packet of `payload_len` bytes that enters the link at `now`.
    pub fn carry(&mut self, now: SimTime, flow: Flow, payload_len: u32, weather: &Weather) -> Fate {
        let mut draws = Draws::of(&self.profile, self.draws.at(self.packets), payload_len);
        self.packets += 1;
        match flow.proto {
            Proto::Udp => self.carry_datagram(now, &draws, weather),
            Proto::Tcp => self.carry_segment(now, flow, &mut draws, weather),
        }
    }

    fn cause(&self, kind: CauseKind) -> Cause {
        Cause {
            kind,
            place: self.name.clone(),
        }
    }

    fn carry_datagram(&mut self, now: SimTime, draws: &Draws, weather: &Weather) -> Fate {
        if let Some((cause, _)) = &weather.partition {
            return Fate::Dropped(cause.clone());
        }
        if draws.lost {
            return Fate::Dropped(self.cause(CauseKind::Loss));
        }
        let enters = weather.hold.as_ref().map_or(now, |(_, until)| now.max(*until));
        let turn = (enters + draws.takes).max(self.last_in_order);
        let at = if draws.reordered {
            turn + draws.reordered_by
        } else {
            turn
        };
        if !draws.reordered {
            self.last_in_order = at;
        }
        let delayed = if let Some((cause, until)) = &weather.hold {
            Some((cause.clone(), *until - now))
        } else if draws.reordered {
            Some((self.cause(CauseKind::Reorder), draws.reordered_by))
        } else {
            None
        };
        Fate::Carried {
            first: Copy {
                at,
                delayed,
                corrupted: draws.corrupted.map(|bit| (self.cause(CauseKind::Corrupt), bit)),
            },
            second: draws.duplicated.then(|| {
                (
                    self.cause(CauseKind::Duplicate),
                    Copy::plain(turn + draws.double_takes),
                )
            }),
        }
    }

    fn carry_segment(&mut self, now: SimTime, flow: Flow, draws: &mut Draws, weather: &Weather) -> Fate {
        if let Some((cause, until)) = &weather.partition
            && *until - now >= TCP_PATIENCE
        {
            return Fate::Reset(now + TCP_PATIENCE, cause.clone());
        }
        let blocked = weather.partition.as_ref().or(weather.hold.as_ref());
        let enters = blocked.map_or(now, |(_, until)| now.max(*until));
        let retransmissions = draws.losses_in_a_row;
        if retransmissions >= TCP_TRIES {
            return Fate::Reset(enters + backoff(TCP_TRIES), self.cause(CauseKind::Reset));
        }
        let behind = self.flows.entry(flow).or_default();
        let at = (enters + draws.takes + backoff(retransmissions)).max(*behind);
        *behind = at;
        let delayed = match blocked {
            Some((cause, until)) => Some((cause.clone(), *until - now)),
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

/// How long TCP has waited after `n` retransmissions, each twice as late as the one before.
fn backoff(n: u32) -> Duration {
    TCP_RTO * ((1 << n) - 1)
}

/// Everything that is drawn for one packet, whether it is used or not: the draws of a packet have fixed
/// places, so that switching one fault off does not shift the others.
struct Draws {
    takes: Duration,
    lost: bool,
    losses_in_a_row: u32,
    reordered: bool,
    reordered_by: Duration,
    duplicated: bool,
    double_takes: Duration,
    corrupted: Option<u64>,
}

impl Draws {
    fn of(profile: &LinkProfile, stream: &mut Stream, payload_len: u32) -> Self {
        let takes = profile.latency.draw(stream) + profile.jitter.draw(stream);
        let lost = stream.chance(profile.loss);
        let reordered = stream.chance(profile.reorder);
        let reordered_by = profile.reorder_by.draw(stream);
        let duplicated = stream.chance(profile.duplicate);
        let double_takes = profile.jitter.draw(stream);
        let corrupt = stream.chance(profile.corrupt);
        let bit = stream.below(u64::from(payload_len.max(1)) * 8);
        let mut losses_in_a_row = 0;
        for _ in 0..TCP_TRIES {
            // A segment with a flipped bit fails its checksum: lost, as TCP sees it.
            if !(stream.chance(profile.loss) || stream.chance(profile.corrupt)) {
                break;
            }
            losses_in_a_row += 1;
        }
        Self {
            takes,
            lost,
            losses_in_a_row,
            reordered,
            reordered_by,
            duplicated,
            double_takes,
            corrupted: (corrupt && payload_len > 0).then_some(bit),
        }
    }
}

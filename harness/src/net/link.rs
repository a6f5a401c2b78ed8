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
//! Faults of the plan lie over a link as conditions, which say what blocks it, what it holds back, what becomes of a single
//! packet, and how the profile differs meanwhile.
//!
//! What happens to packet *n* of a link is drawn from (seed, link, *n*), so that removing one fault from
//! a plan moves no other. Nothing here may draw from another stream or look at a clock.

use std::{collections::BTreeMap, fmt, time::Duration};

pub use super::profile::{LinkProfile, MIN_MTU};
use super::{
    conditions::{Blame, Condition, Conditions, PacketVerdict},
    draws::Draws,
    loss::Chain,
    queue::Queue,
};
use crate::{
    seed::{IndexedStream, Seed},
    time::SimTime,
    trace::{Cause, Direction, Effect, FaultId, Flow, Proto},
};

/// The first retransmission of TCP; each further one waits twice as long (RFC 6298, section 5.5; Linux
/// waits 200 ms at least).
pub const TCP_RTO: Duration = Duration::from_millis(200);
/// Losses in a row after which TCP gives a connection up.
pub const TCP_TRIES: u32 = 8;
/// How long TCP bears a partition before it gives a connection up.
pub const TCP_PATIENCE: Duration = Duration::from_secs(60);

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

/// The name of one direction of an access link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkEnd {
    /// The link: `alice`, or `alice/wlan0` where a host has several interfaces.
    pub link: String,
    /// The direction.
    pub direction: Direction,
}

impl fmt::Display for LinkEnd {
    /// `alice->net` or `net->alice`, which is also what its stream of random numbers is called by.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.direction {
            Direction::Up => write!(f, "{}->net", self.link),
            Direction::Down => write!(f, "net->{}", self.link),
        }
    }
}

/// One direction of an access link.
#[derive(Clone, Debug)]
pub struct Link {
    end: LinkEnd,
    // What it does without faults, and what it does now.
    base: LinkProfile,
    profile: LinkProfile,
    blame: Blame,
    conditions: Conditions,
    draws: IndexedStream,
    packets: u64,
    bursts: Chain,
    queue: Queue,
    last_in_order: SimTime,
    flows: BTreeMap<Flow, SimTime>,
}

impl Link {
    /// The link `end` of the run of `seed`, over which nothing lies.
    pub fn new(seed: Seed, end: LinkEnd, profile: LinkProfile) -> Self {
        Self {
            draws: seed.indexed(&format!("link/{end}")),
            end,
            base: profile.clone(),
            profile,
            blame: Blame::default(),
            conditions: Conditions::default(),
            packets: 0,
            bursts: Chain::default(),
            queue: Queue::default(),
            last_in_order: SimTime::ZERO,
            flows: BTreeMap::new(),
        }
    }

    /// What it is called.
    pub fn end(&self) -> &LinkEnd {
        &self.end
    }

    /// How many packets have entered it.
    pub fn entered(&self) -> u64 {
        self.packets
    }

    /// From now on the link is good, but for what still lies over it.
    pub fn heal(&mut self) {
        self.base = self.base.healed();
        self.reshape();
    }

    /// `fault` lays `condition` over the link.
    pub fn lay(&mut self, fault: FaultId, condition: Condition) {
        self.conditions.lay(fault, condition);
        self.reshape();
    }

    /// Takes away what `fault` laid over the link.
    pub fn lift(&mut self, fault: FaultId) {
        if self.conditions.lift(fault) {
            self.reshape();
        }
    }

    /// The interface of the link is dark because of a fault, until a time; or it is up.
    pub fn set_dark(&mut self, dark: Option<(FaultId, SimTime)>) {
        self.conditions.set_dark(dark);
    }

    fn reshape(&mut self) {
        (self.profile, self.blame) = self.conditions.reshape(self.end.direction, &self.base);
    }

    /// Decides what happens to a packet of `payload_len` bytes that enters the link at `now`. Moments must
    /// not run backwards from call to call.
    pub fn carry(&mut self, now: SimTime, flow: Flow, payload_len: u32) -> Fate {
        let window = self.draws.at(self.packets);
        let draws = Draws::of(&self.profile, &mut self.bursts, window, payload_len);
        let verdict = self.conditions.verdict(self.packets);
        self.packets += 1;
        let packet = Entering {
            now,
            flow,
            payload_len,
            verdict,
        };
        match flow.proto {
            Proto::Udp => self.carry_datagram(packet, &draws),
            Proto::Tcp => self.carry_segment(packet, &draws),
        }
    }

    fn cause(&self, effect: Effect) -> Cause {
        let blame = &self.blame;
        let fault = match effect {
            Effect::Loss => blame.loss,
            Effect::Burst => blame.burst,
            Effect::Reorder => blame.reorder,
            Effect::Duplicate => blame.duplicate,
            Effect::Corrupt => blame.corrupt,
            Effect::Truncate => blame.truncate,
            Effect::QueueFull => blame.queue,
            Effect::TooLarge => blame.mtu,
            Effect::GivenUp => None,
        };
        Cause::Link {
            link: self.end.link.clone(),
            direction: self.end.direction,
            effect,
            fault,
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

    fn carry_datagram(&mut self, packet: Entering, draws: &Draws) -> Fate {
        let (now, bytes) = (packet.now, packet.ip_len());
        if let Some((fault, _)) = self.conditions.blocked() {
            return Fate::Dropped(Cause::Fault { fault });
        }
        if self.profile.mtu.is_some_and(|mtu| bytes > mtu) {
            return Fate::Dropped(self.cause(Effect::TooLarge));
        }
        let held = self.conditions.held();
        let enters = held.map_or(now, |(_, until)| now.max(until));
        // What a hold keeps waits elsewhere: the hold has promised to release it.
        let (fits, left) = self.enqueue(enters, bytes, held.is_some());
        if !fits && held.is_none() {
            return Fate::Dropped(self.cause(Effect::QueueFull));
        }
        if let Some(lost) = draws.lost {
            return Fate::Dropped(self.cause(lost.effect()));
        }
        let turn = (left + draws.takes).max(self.last_in_order);
        let at = if draws.reordered {
            turn + draws.reordered_by
        } else {
            self.last_in_order = turn;
            turn
        };
        let delayed = match held {
            Some((fault, until)) => Some((Cause::Fault { fault }, until - now)),
            None if draws.reordered => Some((self.cause(Effect::Reorder), draws.reordered_by)),
            None => None,
        };
        let first = Copy {
            at,
            delayed,
            corrupted: draws.corrupted.map(|bit| (self.cause(Effect::Corrupt), bit)),
            truncated: draws.truncated.map(|len| (self.cause(Effect::Truncate), len)),
        };
        let second = draws
            .duplicated
            .then(|| (self.cause(Effect::Duplicate), turn + draws.double_takes));
        packet.befall(first, second)
    }

    fn carry_segment(&mut self, packet: Entering, draws: &Draws) -> Fate {
        let (now, bytes) = (packet.now, packet.ip_len());
        let (blocked, held) = (self.conditions.blocked(), self.conditions.held());
        if let Some((fault, until)) = blocked
            && until - now >= TCP_PATIENCE
        {
            return Fate::Reset(now + TCP_PATIENCE, Cause::Fault { fault });
        }
        let stops = [blocked, held]
            .into_iter()
            .flatten()
            .max_by_key(|(_, until)| *until);
        let enters = stops.map_or(now, |(_, until)| now.max(until));
        // A segment that does not fit takes its place all the same and pays for it with a
        // retransmission: so a flow never exceeds the bandwidth.
        let (fits, left) = self.enqueue(enters, bytes, true);
        let overflows = !fits && stops.is_none();
        let (singled_out, takes_longer) = packet.segment_verdict();
        let retransmissions = draws.losses_in_a_row
            + u32::from(overflows)
            + u32::from(singled_out.is_some() && takes_longer.is_zero());
        if retransmissions >= TCP_TRIES {
            return Fate::Reset(enters + backoff(TCP_TRIES), self.cause(Effect::GivenUp));
        }
        let behind = self.flows.entry(packet.flow).or_default();
        let waits = backoff(retransmissions) + takes_longer;
        let at = (left + draws.takes + waits).max(*behind);
        *behind = at;
        let delayed = match (stops, singled_out, draws.first_failure) {
            (Some((fault, until)), ..) => Some((Cause::Fault { fault }, until - now)),
            (None, Some(fault), _) => Some((Cause::Fault { fault }, waits)),
            (None, None, _) if overflows => Some((self.cause(Effect::QueueFull), waits)),
            (None, None, Some(failure)) => Some((self.cause(failure.effect()), waits)),
            (None, None, None) => None,
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

/// A packet that enters a link.
#[derive(Clone, Copy)]
struct Entering {
    now: SimTime,
    flow: Flow,
    payload_len: u32,
    // What a fault wants of this very packet.
    verdict: Option<(FaultId, PacketVerdict)>,
}

impl Entering {
    /// Its length with its headers.
    fn ip_len(&self) -> u32 {
        ip_len(self.flow, self.payload_len)
    }

    /// What becomes of a datagram of which the link made `first` and `second`.
    fn befall(self, mut first: Copy, mut second: Option<(Cause, SimTime)>) -> Fate {
        let Some((fault, verdict)) = self.verdict else {
            return Fate::Carried { first, second };
        };
        let cause = Cause::Fault { fault };
        match verdict {
            PacketVerdict::Drop => return Fate::Dropped(cause),
            PacketVerdict::Duplicate => second = Some((cause, first.at)),
            PacketVerdict::Delay { ms } => {
                let late = Duration::from_millis(ms);
                first.at = first.at + late;
                first.delayed = Some((cause, late));
            }
            PacketVerdict::Truncate { bytes } if bytes < self.payload_len => {
                first.truncated = Some((cause, bytes));
                first.corrupted = first.corrupted.filter(|(_, bit)| bit / 8 < u64::from(bytes));
            }
            PacketVerdict::Flip { bit } => {
                let left = first.truncated.as_ref().map_or(self.payload_len, |(_, len)| *len);
                if bit / 8 < u64::from(left) {
                    first.corrupted = Some((cause, bit));
                }
            }
            PacketVerdict::Truncate { .. } => {}
        }
        Fate::Carried { first, second }
    }

    /// The fault that singles a segment out, and how much longer it takes; no time for one that has to be sent again.
    fn segment_verdict(&self) -> (Option<FaultId>, Duration) {
        match self.verdict {
            // TCP throws a double away.
            None | Some((_, PacketVerdict::Duplicate)) => (None, Duration::ZERO),
            Some((fault, PacketVerdict::Delay { ms })) => (Some(fault), Duration::from_millis(ms)),
            Some((fault, _)) => (Some(fault), Duration::ZERO),
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

//! One direction of an access link: decides what happens to each packet.
//!
//! Datagrams are lost, delayed, reordered, duplicated, corrupted and truncated one by one. TCP segments are not: an
//! application sees only a retransmission that holds back what follows it, so a segment that would be lost, damaged or
//! dropped by a full queue, or meets a partition, arrives late instead, and its flow keeps its order. A segment is never
//! larger than the MTU: TCP has agreed on its size.
//!
//! A datagram meets, in this order: a partition, the MTU, the queue and the bandwidth, loss, and the impairments on the
//! way. A lost datagram has used the bandwidth; a duplicate is made behind the queue and uses none, and neither does a
//! retransmission.
//!
//! Faults of the plan act on a link as conditions: they block it, hold packets back, single out one packet, or change
//! its profile for a while.
//!
//! What happens to packet *n* of a link is drawn from (seed, link, *n*), so that removing one fault from
//! a plan moves no other. Nothing here may draw from another stream or look at a clock.

use std::{collections::BTreeMap, fmt, time::Duration};

use super::{
    conditions::{Blame, Condition, Conditions, PacketVerdict},
    draws::Draws,
    loss::Chain,
    queue::Queue,
    resend::{self, Stream, backoff},
};
pub use super::{
    draws::TCP_TRIES,
    profile::{LinkProfile, MIN_MTU},
    resend::{TCP_PATIENCE, TCP_RTO},
};
use crate::{
    seed::{IndexedStream, Seed},
    time::SimTime,
    trace::{Cause, Direction, Effect, FaultId, Flow, Proto},
};

/// A copy of a packet on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// The time at which the copy reaches the end of the link.
    pub at: SimTime,
    /// The cause and the length of an extra delay.
    pub delayed: Option<(Cause, Duration)>,
    /// The cause of a flipped bit, and the index of the payload bit; with truncation, a bit that is left.
    pub corrupted: Option<(Cause, u64)>,
    /// The cause of a truncation, and the number of payload bytes left.
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

/// The decision of a link about a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The packet is lost.
    Dropped(Cause),
    /// The packet arrives, once or twice.
    Carried {
        /// The first copy.
        first: Copy,
        /// An undamaged duplicate: its cause, and the time at which it reaches the end of the link.
        second: Option<(Cause, SimTime)>,
    },
    /// TCP gives up at that time: both ends get a reset.
    Reset(SimTime, Cause),
}

/// The name of one direction of an access link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkEnd {
    /// The link: `alice`, or `alice/wlan0` on a host with several interfaces.
    pub link: String,
    /// The direction of the link.
    pub direction: Direction,
}

impl fmt::Display for LinkEnd {
    /// Writes `alice->net` or `net->alice`, which is also the label of the link's random stream.
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
    // The profile without faults, and the profile in force.
    base: LinkProfile,
    profile: LinkProfile,
    blame: Blame,
    conditions: Conditions,
    draws: IndexedStream,
    packets: u64,
    bursts: Chain,
    queue: Queue,
    last_in_order: SimTime,
    flows: BTreeMap<Flow, Stream>,
}

impl Link {
    /// Creates the link `end` for the run of `seed`, without fault conditions.
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

    /// Returns the name of this direction of the link.
    pub fn end(&self) -> &LinkEnd {
        &self.end
    }

    /// Returns the number of packets that have entered the link.
    pub fn entered(&self) -> u64 {
        self.packets
    }

    /// Makes the base profile a good one; fault conditions stay in force.
    pub fn heal(&mut self) {
        self.base = self.base.healed();
        self.reshape();
    }

    /// Applies `condition` to the link on behalf of `fault`.
    pub fn lay(&mut self, fault: FaultId, condition: Condition) {
        self.conditions.lay(fault, condition);
        self.reshape();
    }

    /// Removes the conditions of `fault`.
    pub fn lift(&mut self, fault: FaultId) {
        if self.conditions.lift(fault) {
            self.reshape();
        }
    }

    /// Marks the interface as dark because of a fault, until a time; `None` marks it as up.
    pub fn set_dark(&mut self, dark: Option<(FaultId, SimTime)>) {
        self.conditions.set_dark(dark);
    }

    fn reshape(&mut self) {
        (self.profile, self.blame) = self.conditions.reshape(self.end.direction, &self.base);
    }

    /// Decides what happens to a packet of `payload_len` bytes that enters the link at `now`. `now` must not decrease
    /// from call to call.
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

    /// Puts a packet in the queue at `at`; returns whether there was room, and when the packet has left the queue.
    ///
    /// With `must`, the packet is queued even if there is no room.
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
        // Packets that a hold keeps do not take queue space: the hold has promised to release them.
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
        let first_wait = resend::first_wait(&self.profile);
        let stream = self.flows.entry(packet.flow).or_default();
        let sent_again =
            match blocked.map(|(fault, until)| (fault, stream.gets_through(now, until, first_wait))) {
                Some((fault, None)) => return Fate::Reset(now + TCP_PATIENCE, Cause::Fault { fault }),
                Some((fault, Some(at))) => Some((fault, at)),
                None => None,
            };
        let stops = [sent_again, held]
            .into_iter()
            .flatten()
            .max_by_key(|(_, until)| *until);
        let enters = stops.map_or(now, |(_, until)| now.max(until));
        // A segment that does not fit still takes its place and pays with a retransmission, so that a flow never
        // exceeds the bandwidth.
        let (fits, left) = self.enqueue(enters, bytes, true);
        let overflows = !fits && stops.is_none();
        let (singled_out, takes_longer) = packet.segment_verdict();
        let retransmissions = draws.losses_in_a_row
            + u32::from(overflows)
            + u32::from(singled_out.is_some() && takes_longer.is_zero());
        if retransmissions >= TCP_TRIES {
            return Fate::Reset(
                enters + backoff(first_wait, TCP_TRIES),
                self.cause(Effect::GivenUp),
            );
        }
        let behind = self.flows.entry(packet.flow).or_default();
        let waits = backoff(first_wait, retransmissions) + takes_longer;
        let at = (left + draws.takes + waits).max(behind.last);
        behind.last = at;
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
    // The verdict of a fault on this packet.
    verdict: Option<(FaultId, PacketVerdict)>,
}

impl Entering {
    /// Returns the length of the IP packet, headers included.
    fn ip_len(&self) -> u32 {
        ip_len(self.flow, self.payload_len)
    }

    /// Applies the packet's verdict to the copies `first` and `second` of a datagram.
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

    /// Returns the fault that singles a segment out, and its extra delay; zero for a segment that is retransmitted
    /// instead.
    fn segment_verdict(&self) -> (Option<FaultId>, Duration) {
        match self.verdict {
            // TCP discards a duplicate.
            None | Some((_, PacketVerdict::Duplicate)) => (None, Duration::ZERO),
            Some((fault, PacketVerdict::Delay { ms })) => (Some(fault), Duration::from_millis(ms)),
            Some((fault, _)) => (Some(fault), Duration::ZERO),
        }
    }
}

/// Returns the length of an IP packet without options that carries `payload_len` bytes (RFC 791, 8200, 768, 9293).
fn ip_len(flow: Flow, payload_len: u32) -> u32 {
    let ip = if flow.src.is_ipv4() { 20 } else { 40 };
    let transport = match flow.proto {
        Proto::Udp => 8,
        Proto::Tcp => 20,
    };
    payload_len.saturating_add(ip + transport)
}

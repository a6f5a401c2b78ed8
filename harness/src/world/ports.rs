//! The UDP ports that network interfaces of peers hold, beside those of the kernels' sockets.
//!
//! A kernel of `turmoil-net` 0.1.0 copies each datagram twice, and is asked for packets socket by socket, together with
//! those of all other hosts (`src/fabric.rs:94`). An interface has no app behind it that needs a socket: what it sends
//! goes to the pump as it is, and what arrives for one of its ports is put into its inbox. Whether a packet arrives is
//! decided elsewhere, for these as for all others.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    sync::{Mutex, MutexGuard},
};

use bytes::Bytes;
use tokio::sync::mpsc::UnboundedSender;
use turmoil_net::Packet;

use crate::trace::Flow;

/// The number of ports that one interface has for the candidates of its peer: the stack takes them at random, as from
/// the ephemeral range of a real machine.
pub const PORTS: u16 = 128;

/// The ports that hosts hand out to interfaces, below those that kernels hand out to sockets (49,152 and above).
const HANDED_OUT: RangeInclusive<u16> = 16_384..=49_151;

/// A datagram that reached its host.
pub(crate) struct Arrived {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub payload: Bytes,
}

/// The ports of all hosts that interfaces hold, and the datagrams that these have sent.
#[derive(Default)]
pub(super) struct PortTable {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    // The ranges that are handed out, by the index of the host.
    ranges: BTreeMap<usize, Ranges>,
    // The ports that are held, by the first of each range.
    held: BTreeMap<SocketAddr, Holder>,
    // The held ports from which something was sent.
    used: BTreeSet<SocketAddr>,
    sent: Vec<Packet>,
}

#[derive(Default)]
struct Ranges {
    // Where the range begins that was handed out last.
    last: u16,
    taken: BTreeSet<u16>,
}

struct Holder {
    last: u16,
    // Whether it counts as closed.
    lingers: bool,
    inbox: UnboundedSender<Arrived>,
}

impl PortTable {
    /// Takes the datagrams that interfaces have sent since the last call.
    pub(super) fn take_sent(&self) -> Vec<Packet> {
        std::mem::take(&mut self.state().sent)
    }

    /// Puts a datagram into the inbox of the interface that holds its destination; reports whether one does.
    pub(super) fn put(&self, flow: Flow, payload: &Bytes) -> bool {
        let state = self.state();
        let Some((_, holder)) = state.holder(flow.dst) else {
            return false;
        };
        // An interface that is going down reads no more.
        let _ = holder.inbox.send(Arrived {
            from: flow.src,
            to: flow.dst,
            payload: payload.clone(),
        });
        true
    }

    /// Keeps a datagram for the pump.
    pub(super) fn send(&self, from: SocketAddr, datagram: Packet) {
        let mut state = self.state();
        state.used.insert(from);
        state.sent.push(datagram);
    }

    /// Returns the held ports of `addresses` from which something was sent, and that do not linger.
    pub(super) fn used(&self, addresses: &[IpAddr]) -> Vec<SocketAddr> {
        let state = self.state();
        let is_open = |at: &&SocketAddr| {
            addresses.contains(&at.ip()) && state.holder(**at).is_some_and(|(_, holder)| !holder.lingers)
        };
        state.used.iter().filter(is_open).copied().collect()
    }

    /// Names the ports of `addresses` that are held, for reports: those from which something was sent, and ranges of which none
    /// was used.
    pub(super) fn names(&self, addresses: &[IpAddr]) -> Vec<String> {
        let used = self.used(addresses);
        let state = self.state();
        let idle = state.held.iter().filter(|(first, holder)| {
            let is_used = used.iter().any(|at| holder.has(first, at));
            !holder.lingers && addresses.contains(&first.ip()) && !is_used
        });
        let idle = idle.map(|(first, holder)| format!("udp {first} to {} held", holder.last));
        used.iter()
            .map(|at| format!("udp {at} bound"))
            .chain(idle)
            .collect()
    }

    /// Hands out a range of [`PORTS`] ports of `host` that `is_free`, and returns its first: not one of before, until all have
    /// had their turn.
    pub(super) fn hand_out(&self, host: usize, is_free: impl Fn(u16) -> bool) -> Option<u16> {
        let mut state = self.state();
        let Ranges { last, taken } = state.ranges.entry(host).or_default();
        let starts = || HANDED_OUT.step_by(PORTS.into());
        let later = starts().filter(|first| *first > *last);
        let first = later
            .chain(starts())
            .find(|first| !taken.contains(first) && is_free(*first))?;
        *last = first;
        taken.insert(first);
        Some(first)
    }

    /// Takes a range back.
    pub(super) fn give_back(&self, host: usize, first: u16) {
        if let Some(ranges) = self.state().ranges.get_mut(&host) {
            ranges.taken.remove(&first);
        }
    }

    /// Lets what arrives at the ports from `first` to `last` go to `inbox`.
    pub(super) fn hold(&self, first: SocketAddr, last: u16, inbox: UnboundedSender<Arrived>) {
        let holder = Holder {
            last,
            lingers: false,
            inbox,
        };
        self.state().held.insert(first, holder);
    }

    /// Makes held ports count as closed, or as open again, for those who ask what is open.
    pub(super) fn linger(&self, first: &SocketAddr, lingers: bool) {
        if let Some(holder) = self.state().held.get_mut(first) {
            holder.lingers = lingers;
        }
    }

    /// Ends what [`PortTable::hold`] began.
    pub(super) fn release(&self, first: &SocketAddr) {
        let mut state = self.state();
        if let Some(holder) = state.held.remove(first) {
            state.used.retain(|at| !holder.has(first, at));
        }
    }

    /// Returns the inbox of the interface that holds `at`.
    pub(super) fn inbox_of(&self, at: SocketAddr) -> Option<UnboundedSender<Arrived>> {
        self.state().holder(at).map(|(_, holder)| holder.inbox.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while it is held")
    }
}

impl State {
    fn holder(&self, at: SocketAddr) -> Option<(&SocketAddr, &Holder)> {
        let below = self.held.range(..=at).next_back();
        below.filter(|(first, holder)| holder.has(first, &at))
    }
}

impl Holder {
    /// Reports whether `at` is among its ports, of which `first` is the first.
    fn has(&self, first: &SocketAddr, at: &SocketAddr) -> bool {
        first.ip() == at.ip() && (first.port()..=self.last).contains(&at.port())
    }
}

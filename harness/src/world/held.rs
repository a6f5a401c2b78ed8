//! What a network interface of a peer has of its host: a range of ports, what it sends from them and what arrives there.
//!
//! It carries nothing: datagrams go to the pump, and come from there.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{
    Host,
    packet::datagram,
    ports::{Arrived, PORTS},
};
use crate::trace::{Flow, Proto};

/// The largest packet that an interface sends, in bytes, and the headers in it for either version of IP.
const MTU: usize = 1_500;
const HEADERS: [usize; 2] = [20 + 8, 40 + 8];

/// What arrives at the ports of an interface, in order.
pub(crate) type Inbox = UnboundedReceiver<Arrived>;

/// Ports that a host has handed out to one interface; dropping it gives them back.
pub(crate) struct PortRange {
    host: Host,
    first: u16,
}

impl PortRange {
    /// Returns the first and the last port.
    pub(crate) fn ports(&self) -> (u16, u16) {
        (self.first, self.first + (PORTS - 1))
    }

    /// Holds the ports of each of `addresses`.
    pub(crate) fn hold(&self, addresses: &[IpAddr]) -> (Held, Inbox) {
        let (inbox, arrived) = unbounded_channel();
        let mut held = Held {
            host: self.host.clone(),
            inbox,
            firsts: Vec::new(),
            lingers: false,
        };
        let (first, last) = self.ports();
        for address in addresses {
            held.take(SocketAddr::new(*address, first), last);
        }
        (held, arrived)
    }
}

impl Drop for PortRange {
    fn drop(&mut self) {
        self.host.sim().ports().give_back(self.host.index(), self.first);
    }
}

/// Held ports; dropping it releases them.
pub(crate) struct Held {
    host: Host,
    inbox: UnboundedSender<Arrived>,
    firsts: Vec<SocketAddr>,
    // Whether they count as closed, those too that are taken later.
    lingers: bool,
}

impl Held {
    /// Sends a datagram. One that no interface would carry, or from a port that somebody else has, is lost.
    pub(crate) fn send(&mut self, from: SocketAddr, to: SocketAddr, payload: Vec<u8>) {
        if payload.len() + HEADERS[usize::from(to.is_ipv6())] > MTU || !self.owns(from) {
            return;
        }
        let flow = Flow {
            proto: Proto::Udp,
            src: from,
            dst: to,
        };
        let sim = self.host.sim();
        sim.ports().send(from, datagram(flow, payload.into()));
        sim.wake_pump();
    }

    /// Makes the ports count as closed, or as open again, for those who ask what is open.
    pub(crate) fn linger(&mut self, lingers: bool) {
        self.lingers = lingers;
        let ports = self.host.sim().ports();
        self.firsts.iter().for_each(|first| ports.linger(first, lingers));
    }

    /// Reports whether `at` is held here; takes it first if nobody has it. TURN clients bind ports outside the range.
    fn owns(&mut self, at: SocketAddr) -> bool {
        match self.host.sim().ports().inbox_of(at) {
            Some(inbox) => inbox.same_channel(&self.inbox),
            None if self.host.has_socket(at.port()..=at.port()) => false,
            None => {
                self.take(at, at.port());
                true
            }
        }
    }

    fn take(&mut self, first: SocketAddr, last: u16) {
        let ports = self.host.sim().ports();
        ports.hold(first, last, self.inbox.clone());
        if self.lingers {
            ports.linger(&first, true);
        }
        self.firsts.push(first);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let ports = self.host.sim().ports();
        self.firsts.iter().for_each(|first| ports.release(first));
    }
}

impl Host {
    /// Hands out [`PORTS`] ports of the host.
    ///
    /// # Errors
    /// Fails if the host has no ports left.
    pub(crate) fn hand_out_ports(&self) -> io::Result<PortRange> {
        let is_free = |first: u16| !self.has_socket(first..=first + (PORTS - 1));
        let first = self
            .sim()
            .ports()
            .hand_out(self.index(), is_free)
            .ok_or_else(|| {
                let why = format!("no ports left on {}: peers hold them all", self.name());
                io::Error::new(io::ErrorKind::AddrInUse, why)
            })?;
        Ok(PortRange {
            host: self.clone(),
            first,
        })
    }

    /// Fails as the system does if a peer holds `address`, or its port on any address if it names none.
    ///
    /// # Errors
    /// Fails with `AddrInUse`.
    pub(crate) fn free_of_peers(&self, address: SocketAddr) -> io::Result<()> {
        let named = |own: &&IpAddr| address.ip().is_unspecified() || **own == address.ip();
        let mut own = self.addresses().iter().filter(named);
        let is_held = |own: &IpAddr| {
            let at = SocketAddr::new(*own, address.port());
            self.sim().ports().inbox_of(at).is_some()
        };
        match own.any(is_held) {
            true => Err(io::ErrorKind::AddrInUse.into()),
            false => Ok(()),
        }
    }

    /// Reports whether a UDP socket of the host is bound to one of `ports`.
    fn has_socket(&self, ports: RangeInclusive<u16>) -> bool {
        let sockets = turmoil_net::netstat(self.addresses()[0]).entries;
        // Only a TCP socket has a state.
        let mut bound = sockets.iter().filter(|s| s.state.is_none());
        bound.any(|s| ports.contains(&s.local.port()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        net::{
            latency::Latency,
            link::LinkProfile,
            topology::{HostSpec, Topology},
        },
        seed::Seed,
        socket::UdpSocket,
        trace::{Event, EventKind},
        world::{self, Sim, WorldSpec},
    };

    /// Calls `act` with a host of a world.
    fn on_a_host<F: Future<Output = ()> + Send>(act: impl FnOnce(Host) -> F + Send + 'static) {
        let link = LinkProfile::good(Latency::constant_ms(10));
        let alone = Topology::new([HostSpec::new("alice", "10.0.0.1", link)]);
        let story = async move |sim: Sim| act(sim.host("alice")).await;
        let ending = world::run(WorldSpec::new(Seed(1), alone), story).expect("a run");
        let panicked = |e: &Event| matches!(e.kind, EventKind::Panicked { .. });
        assert!(
            !ending.trace.events.iter().any(panicked),
            "{:?}",
            ending.trace.events
        );
    }

    #[test]
    fn ranges_take_turns_and_come_back_when_they_are_free() {
        on_a_host(async |host| {
            let first = host.hand_out_ports().expect("free").ports();
            assert_eq!(first, (16_384, 16_511));
            let rest: Vec<PortRange> = (0..255).map(|_| host.hand_out_ports().expect("free")).collect();
            assert!(
                !rest.iter().any(|range| range.ports() == first),
                "not at once again"
            );
            let last = host.hand_out_ports().expect("the first one is free again");
            assert_eq!(last.ports(), first);
            assert!(host.hand_out_ports().is_err(), "all are taken");
        });
    }

    #[test]
    fn sockets_and_interfaces_keep_out_of_each_others_ports() {
        on_a_host(async |host| {
            let address = host.addresses()[0];
            let range = host.hand_out_ports().expect("free");
            let (mut held, _inbox) = range.hold(&[address]);
            let bind = async |port| UdpSocket::bind(&host, SocketAddr::new(address, port)).await;
            let refused = bind(range.ports().1).await.err().map(|e| e.kind());
            assert_eq!(refused, Some(io::ErrorKind::AddrInUse));
            let app = bind(range.ports().1 + 1).await.expect("beside the range");
            assert_eq!(
                host.hand_out_ports().expect("free").ports().0,
                range.ports().0 + 2 * PORTS
            );
            let elsewhere = SocketAddr::new(address, 9);
            held.send(app.local_addr(), elsewhere, vec![1]);
            assert!(
                host.sim().ports().used(&[address]).is_empty(),
                "the port is the app's"
            );
        });
    }

    #[test]
    fn what_is_held_has_a_name_until_it_is_dropped() {
        on_a_host(async |host| {
            let address = host.addresses()[0];
            let range = host.hand_out_ports().expect("free");
            let names = || host.sim().ports().names(&[address]);
            let (mut held, _inbox) = range.hold(&[address]);
            assert_eq!(names(), ["udp 10.0.0.1:16384 to 16511 held"]);
            let at = |port| SocketAddr::new(address, port);
            held.send(at(16_400), at(9), vec![0; 1_472]);
            held.send(at(16_401), at(9), vec![0; 1_473]);
            held.send(at(5_000), at(9), vec![1]);
            assert_eq!(names(), ["udp 10.0.0.1:5000 bound", "udp 10.0.0.1:16400 bound"]);
            held.linger(true);
            assert!(names().is_empty(), "they count as closed");
            held.send(at(5_001), at(9), vec![1]);
            assert!(names().is_empty(), "and so does what is taken since");
            drop(held);
            assert!(names().is_empty());
        });
    }
}

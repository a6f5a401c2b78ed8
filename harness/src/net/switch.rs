//! The interface of each TCP connection on a host that changes its network, such as a phone that leaves its Wi-Fi.
//!
//! The link that the host leaves goes dark. UDP sockets are bound to one address each and share its fate; a later query
//! of the host's addresses returns those whose interfaces are up. A new TCP connection takes the interface that is up
//! when it is opened, whatever address the simulated kernel chose for it (it always takes the first): [`Routes`]
//! substitutes the right one, on the way out and on the way back. A connection that was opened before ends: a phone's
//! system destroys the sockets of a network that it has lost (Android's `netd` does), and the other end is not told.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use crate::trace::{Flow, Proto};

/// The interface of each TCP connection of hosts that change their network.
#[derive(Debug, Default)]
pub struct Routes {
    // By each address of such a host: the address of the interface that is up.
    up: BTreeMap<IpAddr, IpAddr>,
    // By the address and port that the kernel chose, and by those that the network sees.
    outside: BTreeMap<SocketAddr, SocketAddr>,
    inside: BTreeMap<SocketAddr, SocketAddr>,
}

impl Routes {
    /// Makes the host that has `addresses` open its connections over `up` from now on.
    pub fn lead(&mut self, addresses: impl IntoIterator<Item = IpAddr>, up: IpAddr) {
        self.up.extend(addresses.into_iter().map(|address| (address, up)));
    }

    /// Translates a packet that leaves its host's kernel; returns its addresses as they leave the host. `opens` says
    /// whether the packet opens a TCP connection.
    pub fn outbound(&mut self, flow: Flow, opens: bool) -> Flow {
        if flow.proto == Proto::Udp {
            return flow;
        }
        if opens && let Some(address) = self.up.get(&flow.src.ip()) {
            let outside = SocketAddr::new(*address, flow.src.port());
            if let Some(before) = self.outside.insert(flow.src, outside) {
                self.inside.remove(&before);
            }
            self.inside.insert(outside, flow.src);
        }
        Flow {
            src: self.outside.get(&flow.src).copied().unwrap_or(flow.src),
            ..flow
        }
    }

    /// Translates a packet that reaches its host; returns its addresses as the kernel knows them.
    pub fn inbound(&self, flow: Flow) -> Flow {
        let inside = match flow.proto {
            Proto::Tcp => self.inside.get(&flow.dst).copied(),
            Proto::Udp => None,
        };
        Flow {
            dst: inside.unwrap_or(flow.dst),
            ..flow
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(src: &str, dst: &str) -> Flow {
        Flow {
            proto: Proto::Tcp,
            src: src.parse().unwrap(),
            dst: dst.parse().unwrap(),
        }
    }

    #[test]
    fn new_connections_take_the_interface_that_is_up_and_old_ones_never_move() {
        let [wifi, cellular] = ["10.1.0.1", "10.1.1.1"].map(|a| a.parse::<IpAddr>().unwrap());
        let mut routes = Routes::default();
        let (old, new) = (tcp("10.1.0.1:1", "10.9.0.1:80"), tcp("10.1.0.1:2", "10.9.0.1:80"));
        routes.lead([wifi, cellular], wifi);
        assert_eq!(routes.outbound(old, true), old);
        routes.lead([wifi, cellular], cellular);
        let moved = tcp("10.1.1.1:2", "10.9.0.1:80");
        assert_eq!(routes.outbound(new, true), moved);
        assert_eq!(routes.outbound(new, false), moved);
        assert_eq!(routes.inbound(moved.reversed()), new.reversed());
        assert_eq!(routes.outbound(old, false), old);
        assert_eq!(routes.inbound(old.reversed()), old.reversed());
        let datagram = Flow {
            proto: Proto::Udp,
            ..new
        };
        assert_eq!(routes.outbound(datagram, true), datagram, "bound to its address");
        let other = tcp("10.9.0.1:3", "10.1.1.1:4");
        assert_eq!(routes.outbound(other, true), other, "has one interface");
    }
}

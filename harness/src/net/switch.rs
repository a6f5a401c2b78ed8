//! Network switches: a host leaves one interface for good and goes on over another, as a phone that leaves its Wi-Fi.
//!
//! The link goes dark. UDP sockets are bound to an address each and share its fate; who asks the host for its addresses
//! later is told those whose interfaces are up. A new TCP connection takes the interface that is up when it is opened, whatever address the
//! simulated kernel chose for it (it always takes the first): [`Routes`] puts the right one in its place, on the
//! way out and on the way back. A connection that was opened before ends: a phone's system destroys the sockets of a
//! network that it has lost (Android's `netd` does), and the other end is not told.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use serde::{Deserialize, Serialize};

use super::topology::{HostSpec, Topology};
use crate::{
    time::SimTime,
    trace::{Flow, Proto},
};

/// A host changes its interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSwitch {
    /// The host.
    pub host: String,
    /// The interface that it leaves, which is dark from then on.
    pub from: String,
    /// The interface that it goes on over, which is dark until then.
    pub to: String,
    /// When, in milliseconds.
    pub at_ms: u64,
}

impl NetworkSwitch {
    /// When.
    pub fn at(&self) -> SimTime {
        SimTime::from_millis(self.at_ms)
    }

    /// What the switch is called in the trace, where `index` is its place in the plan.
    pub fn name(&self, index: usize) -> String {
        let Self { host, from, to, .. } = self;
        format!("#{index} network-switch {host} from {from} to {to}")
    }

    /// Says what is wrong with switches that were read from a file.
    ///
    /// # Errors
    /// The path of the offending field and a sentence.
    pub fn check(switches: &[Self], topology: &Topology) -> Result<(), String> {
        for (i, switch) in switches.iter().enumerate() {
            let at = format!("network_switches[{i}]");
            let Some(host) = topology.host(&switch.host) else {
                return Err(format!("{at}.host: there is no host '{}'", switch.host));
            };
            for (field, name) in [("from", &switch.from), ("to", &switch.to)] {
                if !host.interfaces.iter().any(|interface| interface.name == *name) {
                    return Err(format!("{at}.{field}: {} has no interface '{name}'", switch.host));
                }
            }
            if switch.from == switch.to {
                return Err(format!("{at}.to: that is where it comes from"));
            }
            let before = switches[..i].iter().rfind(|other| other.host == switch.host);
            if let Some(before) = before {
                if before.to != switch.from {
                    return Err(format!("{at}.from: {} is on {} by then", switch.host, before.to));
                }
                if before.at_ms >= switch.at_ms {
                    return Err(format!("{at}.at_ms: not after the switch before it"));
                }
            }
        }
        Ok(())
    }
}

/// The switch of `switches` that keeps the link `link` dark at `now`, by its index, and until when; forever without
/// a time.
pub(super) fn darkens(
    switches: &[NetworkSwitch],
    link: &str,
    now: SimTime,
) -> Option<(usize, Option<SimTime>)> {
    let (host, interface) = link.split_once('/')?;
    let mut own = switches.iter().enumerate().filter(|(_, s)| s.host == host);
    let concerns = |s: &NetworkSwitch| s.from == interface || s.to == interface;
    let last = own.clone().rfind(|(_, s)| concerns(s) && s.at() <= now);
    let next = own.find(|(_, s)| concerns(s) && s.at() > now);
    match (last, next) {
        (Some((index, left)), next) if left.from == interface => Some((index, next.map(|(_, s)| s.at()))),
        (None, Some((index, coming))) if coming.to == interface => Some((index, Some(coming.at()))),
        _ => None,
    }
}

/// The addresses of `host` whose interfaces are up at `now`.
pub fn up(switches: &[NetworkSwitch], host: &HostSpec, now: SimTime) -> Vec<IpAddr> {
    let interfaces = host.interfaces.iter().enumerate();
    let up = interfaces.filter(|(i, _)| darkens(switches, &host.link_base(*i), now).is_none());
    up.map(|(_, interface)| interface.address).collect()
}

/// Over which interface each TCP connection of a host goes that switches.
#[derive(Debug)]
pub struct Routes {
    hosts: Vec<Switching>,
    // By the address and port that the kernel chose, and by those that the network sees.
    outside: BTreeMap<SocketAddr, SocketAddr>,
    inside: BTreeMap<SocketAddr, SocketAddr>,
}

/// A host that switches.
#[derive(Debug)]
struct Switching {
    addresses: Vec<IpAddr>,
    // From when on which is up, in order of time.
    up: Vec<(SimTime, IpAddr)>,
}

impl Routes {
    /// The routes of `topology` when nothing has been sent.
    pub fn new(switches: &[NetworkSwitch], topology: &Topology) -> Self {
        let switching = topology.hosts.iter().filter_map(|host| {
            let address = |name: &str| host.interfaces.iter().find(|i| i.name == name).map(|i| i.address);
            let own: Vec<&NetworkSwitch> = switches.iter().filter(|s| s.host == host.name).collect();
            let first = own
                .first()
                .and_then(|s| Some((SimTime::ZERO, address(&s.from)?)))?;
            let then = own.iter().filter_map(|s| Some((s.at(), address(&s.to)?)));
            Some(Switching {
                addresses: host.addresses().collect(),
                up: [first].into_iter().chain(then).collect(),
            })
        });
        Self {
            hosts: switching.collect(),
            outside: BTreeMap::new(),
            inside: BTreeMap::new(),
        }
    }

    /// A packet leaves its host's kernel: gives its addresses as they leave the host. `opens` says whether it
    /// opens a TCP connection.
    pub fn outbound(&mut self, now: SimTime, flow: Flow, opens: bool) -> Flow {
        if flow.proto == Proto::Udp {
            return flow;
        }
        if opens && let Some(address) = self.up(now, flow.src.ip()) {
            let outside = SocketAddr::new(address, flow.src.port());
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

    /// A packet reaches its host: gives its addresses as the kernel knows them.
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

    /// The address of the host of `address` that is up at `now`, if the host switches.
    fn up(&self, now: SimTime, address: IpAddr) -> Option<IpAddr> {
        let host = self.hosts.iter().find(|h| h.addresses.contains(&address))?;
        let (_, up) = host.up.iter().rfind(|(from, _)| *from <= now)?;
        Some(*up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::link::LinkProfile;

    fn topology() -> Topology {
        let phone = HostSpec {
            interfaces: Vec::new(),
            ..HostSpec::new("alice", "10.1.0.1", LinkProfile::default())
        };
        let phone = phone
            .interface("wlan0", "10.1.0.1", LinkProfile::default())
            .interface("rmnet0", "10.1.1.1", LinkProfile::default());
        Topology::new([phone, HostSpec::new("server", "10.9.0.1", LinkProfile::default())])
    }

    fn switch(from: &str, to: &str, at_ms: u64) -> NetworkSwitch {
        NetworkSwitch {
            host: "alice".into(),
            from: from.into(),
            to: to.into(),
            at_ms,
        }
    }

    fn there_and_back() -> [NetworkSwitch; 2] {
        [switch("wlan0", "rmnet0", 1_000), switch("rmnet0", "wlan0", 2_000)]
    }

    fn tcp(src: &str, dst: &str) -> Flow {
        Flow {
            proto: Proto::Tcp,
            src: src.parse().unwrap(),
            dst: dst.parse().unwrap(),
        }
    }

    #[test]
    fn one_of_the_two_interfaces_is_dark_at_any_time() {
        let ms = SimTime::from_millis;
        let dark = |link, at| darkens(&there_and_back(), link, ms(at));
        assert_eq!(dark("alice/wlan0", 999), None);
        assert_eq!(dark("alice/rmnet0", 999), Some((0, Some(ms(1_000)))));
        assert_eq!(dark("alice/wlan0", 1_000), Some((0, Some(ms(2_000)))));
        assert_eq!(dark("alice/rmnet0", 1_999), None);
        assert_eq!(dark("alice/wlan0", 2_000), None);
        assert_eq!(dark("alice/rmnet0", 2_000), Some((1, None)));
        assert_eq!(dark("server", 2_000), None);
        let addresses = |at| up(&there_and_back(), &topology().hosts[0], ms(at));
        let [wifi, cellular] = ["10.1.0.1", "10.1.1.1"].map(|a| a.parse::<IpAddr>().unwrap());
        assert_eq!(addresses(999), [wifi]);
        assert_eq!(addresses(1_000), [cellular]);
        assert_eq!(up(&[], &topology().hosts[0], ms(0)), [wifi, cellular]);
    }

    #[test]
    fn new_connections_take_the_interface_that_is_up_and_old_ones_never_move() {
        let mut routes = Routes::new(&there_and_back(), &topology());
        let (old, new) = (tcp("10.1.0.1:1", "10.9.0.1:80"), tcp("10.1.0.1:2", "10.9.0.1:80"));
        let (before, after) = (SimTime::from_millis(500), SimTime::from_millis(1_500));
        assert_eq!(routes.outbound(before, old, true), old);
        let moved = tcp("10.1.1.1:2", "10.9.0.1:80");
        assert_eq!(routes.outbound(after, new, true), moved);
        assert_eq!(routes.outbound(after, new, false), moved);
        assert_eq!(routes.inbound(moved.reversed()), new.reversed());
        assert_eq!(routes.outbound(after, old, false), old);
        assert_eq!(routes.inbound(old.reversed()), old.reversed());
        let datagram = Flow {
            proto: Proto::Udp,
            ..new
        };
        assert_eq!(
            routes.outbound(after, datagram, true),
            datagram,
            "bound to its address"
        );
        let other = tcp("10.9.0.1:3", "10.1.1.1:4");
        assert_eq!(routes.outbound(after, other, true), other, "has one interface");
    }

    #[test]
    fn switches_are_checked_and_named_by_their_path() {
        let wrong = |switches: &[NetworkSwitch]| {
            NetworkSwitch::check(switches, &topology()).expect_err("they cannot be carried out")
        };
        assert_eq!(NetworkSwitch::check(&there_and_back(), &topology()), Ok(()));
        assert_eq!(
            wrong(&[switch("wlan0", "eth0", 1)]),
            "network_switches[0].to: alice has no interface 'eth0'"
        );
        assert!(wrong(&[switch("wlan0", "wlan0", 1)]).starts_with("network_switches[0].to: "));
        let twice = [switch("wlan0", "rmnet0", 1), switch("wlan0", "rmnet0", 2)];
        assert_eq!(
            wrong(&twice),
            "network_switches[1].from: alice is on rmnet0 by then"
        );
        let backwards = [switch("wlan0", "rmnet0", 2), switch("rmnet0", "wlan0", 2)];
        assert!(wrong(&backwards).starts_with("network_switches[1].at_ms: "));
    }
}

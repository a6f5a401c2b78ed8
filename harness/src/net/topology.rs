//! Hosts, their interfaces and how they reach the network, as data.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{firewall::FirewallSpec, link::LinkProfile, nat::NatSpec};

/// All hosts of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topology {
    /// The hosts, in the order in which they were added.
    pub hosts: Vec<HostSpec>,
    /// The NATs between the hosts.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub nats: Vec<NatBox>,
}

/// A NAT with its place in the network.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NatBox {
    /// The name, unique among NATs.
    pub name: String,
    /// The external address, unique in the run.
    pub external: IpAddr,
    /// The behaviour of the NAT.
    pub spec: NatSpec,
    /// The outer NAT (a carrier's) that this one is behind; `None` on the open network.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub behind: Option<String>,
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostSpec {
    /// The name, unique among hosts.
    pub name: String,
    /// The network interfaces, at least one.
    pub interfaces: Vec<InterfaceSpec>,
    /// The NAT that all interfaces are behind, if any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nat: Option<String>,
    /// The firewall, if any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub firewall: Option<FirewallSpec>,
    /// Whether the host runs a server of the app under test, which belongs to no user and is always needed.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub serves: bool,
    /// The processing time for each packet that reaches the host, one after the other, in microseconds. 0 by default: a
    /// simulated processor takes no time.
    #[serde(skip_serializing_if = "takes_no_time", default)]
    pub packet_us: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands over a reference
fn takes_no_time(us: &u64) -> bool {
    *us == 0
}

/// A network interface with its access link.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterfaceSpec {
    /// The name, unique on its host.
    pub name: String,
    /// The address, unique in the run.
    pub address: IpAddr,
    /// The link profile from the host to the network.
    pub up: LinkProfile,
    /// The link profile from the network to the host.
    pub down: LinkProfile,
}

impl HostSpec {
    /// Creates a host with one interface `eth0` at `address`, over `link` both ways, without a firewall.
    ///
    /// # Panics
    /// Panics if `address` is not an IP address.
    pub fn new(name: &str, address: &str, link: LinkProfile) -> Self {
        Self {
            name: name.into(),
            interfaces: Vec::new(),
            nat: None,
            firewall: None,
            serves: false,
            packet_us: 0,
        }
        .interface("eth0", address, link)
    }

    /// Adds another interface.
    ///
    /// # Panics
    /// Panics if `address` is not an IP address.
    pub fn interface(mut self, name: &str, address: &str, link: LinkProfile) -> Self {
        self.interfaces.push(InterfaceSpec {
            name: name.into(),
            address: address.parse().unwrap_or_else(|e| panic!("'{address}': {e}")),
            up: link.clone(),
            down: link,
        });
        self
    }

    /// Puts the host behind `firewall`.
    pub fn behind(mut self, firewall: FirewallSpec) -> Self {
        self.firewall = Some(firewall);
        self
    }

    /// Marks the host as a server of the app under test: shrinking never removes it.
    pub fn serving(mut self) -> Self {
        self.serves = true;
        self
    }

    /// Makes the host's processor take `us` microseconds over each packet.
    pub fn busy(mut self, us: u64) -> Self {
        self.packet_us = us;
        self
    }

    /// Puts the host behind the NAT called `nat`.
    pub fn inside(mut self, nat: &str) -> Self {
        self.nat = Some(nat.to_owned());
        self
    }

    /// Returns the base name of a link: the host's name with a single interface, else host and interface.
    pub fn link_base(&self, interface: usize) -> String {
        if self.interfaces.len() == 1 {
            self.name.clone()
        } else {
            format!("{}/{}", self.name, self.interfaces[interface].name)
        }
    }

    /// Iterates over the host's addresses.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.interfaces.iter().map(|i| i.address)
    }
}

impl Topology {
    /// Creates a network of `hosts`.
    pub fn new(hosts: impl IntoIterator<Item = HostSpec>) -> Self {
        Self {
            hosts: hosts.into_iter().collect(),
            nats: Vec::new(),
        }
    }

    /// Adds a NAT on the open network.
    ///
    /// # Panics
    /// Panics if `external` is not an IP address.
    pub fn with_nat(mut self, name: &str, external: &str, spec: NatSpec) -> Self {
        self.nats.push(NatBox {
            name: name.to_owned(),
            external: external.parse().unwrap_or_else(|e| panic!("'{external}': {e}")),
            spec,
            behind: None,
        });
        self
    }

    /// Puts the NAT added last behind the NAT called `outer`.
    pub fn nested_in(mut self, outer: &str) -> Self {
        if let Some(inner) = self.nats.last_mut() {
            inner.behind = Some(outer.to_owned());
        }
        self
    }

    /// Iterates over all addresses of hosts and all external addresses of NATs.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.hosts
            .iter()
            .flat_map(HostSpec::addresses)
            .chain(self.nats.iter().map(|n| n.external))
    }

    /// Returns the host called `name`.
    pub fn host(&self, name: &str) -> Option<&HostSpec> {
        self.hosts.iter().find(|h| h.name == name)
    }

    /// Checks a topology that was read from a file.
    ///
    /// # Errors
    /// Returns the path of the offending field and a sentence.
    pub fn check(&self) -> Result<(), String> {
        let mut addresses = Vec::new();
        self.check_nats(&mut addresses)?;
        for (h, host) in self.hosts.iter().enumerate() {
            let at = format!("topology.hosts[{h}]");
            if self.hosts[..h].iter().any(|other| other.name == host.name) {
                return Err(format!("{at}.name: there is another host '{}'", host.name));
            }
            if let Some(nat) = &host.nat
                && !self.nats.iter().any(|n| n.name == *nat)
            {
                return Err(format!("{at}.nat: there is no NAT '{nat}'"));
            }
            if host.interfaces.is_empty() {
                return Err(format!("{at}.interfaces: a host needs at least one"));
            }
            for (i, interface) in host.interfaces.iter().enumerate() {
                let at = format!("{at}.interfaces[{i}]");
                if addresses.contains(&interface.address) {
                    return Err(format!("{at}.address: {} is taken", interface.address));
                }
                if interface.address.is_loopback() || interface.address.is_unspecified() {
                    return Err(format!("{at}.address: {} cannot be a host's", interface.address));
                }
                addresses.push(interface.address);
                for (direction, link) in [("up", &interface.up), ("down", &interface.down)] {
                    link.check().map_err(|e| format!("{at}.{direction}.{e}"))?;
                }
            }
        }
        Ok(())
    }

    fn check_nats(&self, addresses: &mut Vec<IpAddr>) -> Result<(), String> {
        for (n, nat) in self.nats.iter().enumerate() {
            let (at, before) = (format!("topology.nats[{n}]"), &self.nats[..n]);
            if before.iter().any(|other| other.name == nat.name) {
                return Err(format!("{at}.name: there is another NAT '{}'", nat.name));
            }
            // An outer NAT comes before the ones inside it, which also rules out loops.
            if let Some(outer) = &nat.behind
                && !before.iter().any(|other| other.name == *outer)
            {
                return Err(format!("{at}.behind: there is no NAT '{outer}' before it"));
            }
            if addresses.contains(&nat.external) {
                return Err(format!("{at}.external: {} is taken", nat.external));
            }
            addresses.push(nat.external);
            nat.spec.check().map_err(|e| format!("{at}.spec.{e}"))?;
        }
        Ok(())
    }
}

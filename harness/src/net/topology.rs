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
    /// The NATs between them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub nats: Vec<NatBox>,
}

/// A NAT with its place in the network.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NatBox {
    /// Its name, unique among NATs.
    pub name: String,
    /// Its address on the outside, unique in the run.
    pub external: IpAddr,
    /// How it behaves.
    pub spec: NatSpec,
    /// The NAT that its outside lies behind: a carrier's. Without one it faces the open network.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub behind: Option<String>,
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostSpec {
    /// Its name, unique.
    pub name: String,
    /// Its ways to the network, at least one.
    pub interfaces: Vec<InterfaceSpec>,
    /// The NAT that all its interfaces are behind, if any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nat: Option<String>,
    /// Its firewall, if it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub firewall: Option<FirewallSpec>,
    /// Whether a server of the app under test runs here, which everybody needs and no user holds.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub serves: bool,
    /// How long its processor takes over each packet that reaches it, one after the other, in microseconds. None by default: a
    /// simulated processor takes no time.
    #[serde(skip_serializing_if = "takes_no_time", default)]
    pub packet_us: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands over a reference
fn takes_no_time(us: &u64) -> bool {
    *us == 0
}

/// A way to the network.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterfaceSpec {
    /// Its name, unique on its host.
    pub name: String,
    /// Its address, unique in the run.
    pub address: IpAddr,
    /// From the host to the network.
    pub up: LinkProfile,
    /// From the network to the host.
    pub down: LinkProfile,
}

impl HostSpec {
    /// A host with one interface `eth0` at `address`, over `link` both ways, without a firewall.
    ///
    /// # Panics
    /// If `address` is none.
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

    /// The same host with another interface.
    ///
    /// # Panics
    /// If `address` is none.
    pub fn interface(mut self, name: &str, address: &str, link: LinkProfile) -> Self {
        self.interfaces.push(InterfaceSpec {
            name: name.into(),
            address: address.parse().unwrap_or_else(|e| panic!("'{address}': {e}")),
            up: link.clone(),
            down: link,
        });
        self
    }

    /// The same host behind `firewall`.
    pub fn behind(mut self, firewall: FirewallSpec) -> Self {
        self.firewall = Some(firewall);
        self
    }

    /// The same host, with a server of the app under test: shrinking never takes it away.
    pub fn serving(mut self) -> Self {
        self.serves = true;
        self
    }

    /// The same host, whose processor takes `us` microseconds over each packet.
    pub fn busy(mut self, us: u64) -> Self {
        self.packet_us = us;
        self
    }

    /// The same host on the inside of the NAT called `nat`.
    pub fn inside(mut self, nat: &str) -> Self {
        self.nat = Some(nat.to_owned());
        self
    }

    /// What its links are called: by the host alone where there is one, by host and interface where
    /// there are several.
    pub fn link_base(&self, interface: usize) -> String {
        if self.interfaces.len() == 1 {
            self.name.clone()
        } else {
            format!("{}/{}", self.name, self.interfaces[interface].name)
        }
    }

    /// Its addresses.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.interfaces.iter().map(|i| i.address)
    }
}

impl Topology {
    /// A network of `hosts`.
    pub fn new(hosts: impl IntoIterator<Item = HostSpec>) -> Self {
        Self {
            hosts: hosts.into_iter().collect(),
            nats: Vec::new(),
        }
    }

    /// The same network with a NAT that faces the open network.
    ///
    /// # Panics
    /// If `external` is no address.
    pub fn with_nat(mut self, name: &str, external: &str, spec: NatSpec) -> Self {
        self.nats.push(NatBox {
            name: name.to_owned(),
            external: external.parse().unwrap_or_else(|e| panic!("'{external}': {e}")),
            spec,
            behind: None,
        });
        self
    }

    /// The same network where the NAT added last lies behind the NAT called `outer`.
    pub fn nested_in(mut self, outer: &str) -> Self {
        if let Some(inner) = self.nats.last_mut() {
            inner.behind = Some(outer.to_owned());
        }
        self
    }

    /// Every address that a host or the outside of a NAT has.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.hosts
            .iter()
            .flat_map(HostSpec::addresses)
            .chain(self.nats.iter().map(|n| n.external))
    }

    /// The host called `name`.
    pub fn host(&self, name: &str) -> Option<&HostSpec> {
        self.hosts.iter().find(|h| h.name == name)
    }

    /// Says what is wrong with a topology that was read from a file.
    ///
    /// # Errors
    /// The path of the offending field and a sentence.
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
            // An outer NAT comes before the ones inside it, which also rules circles out.
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

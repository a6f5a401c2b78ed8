//! Hosts, their interfaces and how they reach the network, as data.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{firewall::FirewallSpec, link::LinkProfile};

/// All hosts of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topology {
    /// The hosts, in the order in which they were added.
    pub hosts: Vec<HostSpec>,
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostSpec {
    /// Its name, unique.
    pub name: String,
    /// Its ways to the network, at least one.
    pub interfaces: Vec<InterfaceSpec>,
    /// Its firewall, if it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub firewall: Option<FirewallSpec>,
}

/// A way to the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
            firewall: None,
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
        }
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
        for (h, host) in self.hosts.iter().enumerate() {
            let at = format!("topology.hosts[{h}]");
            if self.hosts[..h].iter().any(|other| other.name == host.name) {
                return Err(format!("{at}.name: there is another host '{}'", host.name));
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
}

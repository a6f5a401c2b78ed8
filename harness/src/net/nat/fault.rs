//! Faults of NATs, as data: what happens to the mappings of a NAT at a moment.
//!
//! Pure data and its check. The pump carries them out.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Nat;
use crate::{net::topology::Topology, time::SimTime};

/// What happens to a NAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum NatEvent {
    /// Every mapping is forgotten, and its next packet gets another external port: how a carrier's NAT moves its
    /// customers about ([`Nat::rebind`]).
    Rebind,
    /// Every mapping is forgotten, and ports are given as after switching it on ([`Nat::reboot`]).
    Reboot,
    /// It gets another address outside, and every mapping is forgotten: a new lease ([`Nat::change_address`]).
    ChangeAddress {
        /// The new address, which nobody else ever has in the run.
        to: IpAddr,
    },
}

/// A fault of a NAT with its place and its moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NatFault {
    /// What.
    pub fault: NatEvent,
    /// The name of the NAT.
    pub nat: String,
    /// When, in milliseconds.
    pub at_ms: u64,
}

impl NatFault {
    /// When.
    pub fn at(&self) -> SimTime {
        SimTime::from_millis(self.at_ms)
    }

    /// The address that it brings into the network.
    pub fn brings(&self) -> Option<IpAddr> {
        match self.fault {
            NatEvent::ChangeAddress { to } => Some(to),
            NatEvent::Rebind | NatEvent::Reboot => None,
        }
    }

    /// What the fault is called in the trace, where `index` is its place in the plan.
    pub fn name(&self, index: usize) -> String {
        let nat = &self.nat;
        match self.fault {
            NatEvent::Rebind => format!("#{index} nat-rebind {nat}"),
            NatEvent::Reboot => format!("#{index} nat-reboot {nat}"),
            NatEvent::ChangeAddress { to } => format!("#{index} nat-change-address {nat} to {to}"),
        }
    }

    /// Carries it out on its NAT.
    pub fn befall(&self, nat: &mut Nat) {
        match self.fault {
            NatEvent::Rebind => nat.rebind(),
            NatEvent::Reboot => nat.reboot(),
            NatEvent::ChangeAddress { to } => nat.change_address(to),
        }
    }

    /// Says what is wrong with faults that were read from a file.
    ///
    /// # Errors
    /// The path of the offending field and a sentence.
    pub fn check(faults: &[Self], topology: &Topology) -> Result<(), String> {
        for (i, fault) in faults.iter().enumerate() {
            let at = format!("nat_faults[{i}]");
            let Some(own) = topology.nats.iter().find(|n| n.name == fault.nat) else {
                return Err(format!("{at}.nat: there is no NAT '{}'", fault.nat));
            };
            let Some(to) = fault.brings() else { continue };
            let of_others = |other: &Self| other.nat != fault.nat && other.brings() == Some(to);
            let taken = topology.addresses().any(|a| a == to && a != own.external)
                || faults[..i].iter().any(of_others);
            if taken || to.is_loopback() || to.is_unspecified() {
                return Err(format!(
                    "{at}.fault.change-address.to: {to} cannot be an address of '{}'",
                    fault.nat
                ));
            }
        }
        Ok(())
    }
}

//! What the plan does to the network, and when: faults that begin and end, and the healing.
//!
//! Draws nothing and carries nothing: it keeps the order of what is to come and writes down that it came.

use std::{collections::VecDeque, net::SocketAddr};

use super::{
    WorldSpec,
    packet::{Stage, reset},
    pump::Pump,
};
use crate::{
    net::{
        nat::NatFault,
        switch::NetworkSwitch,
        weather::{LinkFault, Schedule},
    },
    time::SimTime,
    trace::{EventKind, Flow},
};

/// Something that the plan does, by its index there. What falls on the same moment happens in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// A fault of a link ends.
    Ends(usize),
    /// A fault of a link begins.
    Begins(usize),
    /// Something happens to a NAT.
    Nat(usize),
    /// A host changes its interface.
    Switch(usize),
}

/// Everything that the plan does to the network.
pub(super) struct Turns {
    schedule: Schedule,
    nat_faults: Vec<NatFault>,
    switches: Vec<NetworkSwitch>,
    to_come: VecDeque<(SimTime, Turn)>,
    heal_at: Option<SimTime>,
}

impl Turns {
    /// What `spec` says. Faults end with the chaos phase; where a host is, is no fault.
    pub fn new(spec: &WorldSpec) -> Self {
        let mut faults = spec.faults.clone();
        if let Some(heal_at) = spec.heal_at {
            for fault in &mut faults {
                fault.until_ms = fault.until_ms.min(heal_at.as_millis());
            }
        }
        let schedule = Schedule::new(faults, spec.switches.clone());
        let edges = schedule.edges().into_iter().map(|e| match e.begins {
            true => (e.at, Turn::Begins(e.index)),
            false => (e.at, Turn::Ends(e.index)),
        });
        let nats = spec.nat_faults.iter().enumerate();
        let nats = nats.filter(|(_, f)| spec.heal_at.is_none_or(|at| f.at() < at));
        let switches = spec.switches.iter().enumerate();
        let mut to_come: Vec<(SimTime, Turn)> = edges
            .chain(nats.map(|(index, f)| (f.at(), Turn::Nat(index))))
            .chain(switches.map(|(index, s)| (s.at(), Turn::Switch(index))))
            .collect();
        to_come.sort_unstable();
        Self {
            schedule,
            nat_faults: spec.nat_faults.clone(),
            switches: spec.switches.clone(),
            to_come: to_come.into(),
            heal_at: spec.heal_at,
        }
    }

    /// What lies over the links.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// When the next thing happens.
    pub fn next(&self) -> Option<SimTime> {
        let turn = self.to_come.front().map(|(at, _)| *at);
        turn.into_iter().chain(self.heal_at).min()
    }
}

impl Pump<'_> {
    /// Does what the plan says of the time up to `now`.
    pub(super) fn turn(&mut self, now: SimTime) {
        while let Some((_, turn)) = self.turns.to_come.pop_front_if(|(at, _)| *at <= now) {
            match turn {
                Turn::Begins(index) => {
                    self.begun(self.turns.schedule.name(index));
                    if self.turns.schedule.fault(index).fault == LinkFault::Reset {
                        self.reset_connections(now, index);
                    }
                }
                Turn::Ends(index) => self.ended(self.turns.schedule.name(index)),
                Turn::Nat(index) => {
                    let fault = &self.turns.nat_faults[index];
                    self.begun(fault.name(index));
                    if let Some(nat) = self.path.nat_mut(&fault.nat) {
                        fault.befall(nat);
                    }
                    self.ended(fault.name(index));
                }
                Turn::Switch(index) => {
                    // Which links are dark, the schedule knows.
                    self.begun(self.turns.switches[index].name(index));
                    self.abandon_connections(now, index);
                }
            }
        }
        if self.turns.heal_at.is_some_and(|at| at <= now) {
            self.turns.heal_at = None;
            self.path.heal();
            self.sim.record(EventKind::Healed);
        }
    }

    fn begun(&self, fault: String) {
        self.sim.record(EventKind::FaultStarted { fault });
    }

    fn ended(&self, fault: String) {
        self.sim.record(EventKind::FaultEnded { fault });
    }

    fn reset_connections(&mut self, now: SimTime, fault: usize) {
        let link = &self.turns.schedule.fault(fault).link;
        let over_link: Vec<Flow> = self
            .connections
            .iter()
            .filter(|f| self.ends_at(**f, link))
            .copied()
            .collect();
        for flow in over_link {
            self.inject_resets(now, flow, Stage::InjectRouted, Stage::Inject);
        }
    }

    /// Ends the connections over the interface that a host leaves, as its system does: the other ends are not told.
    fn abandon_connections(&mut self, now: SimTime, switch: usize) {
        let left = &self.turns.switches[switch];
        let link = format!("{}/{}", left.host, left.from);
        let towards_host = self.connections.iter().flat_map(|f| [*f, f.reversed()]);
        let abandoned: Vec<Flow> = towards_host.filter(|f| self.is_over(f.dst, &link)).collect();
        for flow in abandoned {
            self.push(now, Stage::Inject, 0, reset(flow));
        }
    }

    fn ends_at(&self, flow: Flow, link: &str) -> bool {
        self.is_over(flow.src, link) || self.is_over(flow.dst, link)
    }

    fn is_over(&self, end: SocketAddr, link: &str) -> bool {
        let place = self.path.place(end.ip());
        place.is_some_and(|p| self.topology.hosts[p.host].link_base(p.interface) == link)
    }
}

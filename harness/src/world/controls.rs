//! The ways to act on a world from outside while it runs, and the schedule that decides when.
//!
//! The world does what it is told, when it is told: it knows no plan, and looks no further ahead than the next time at
//! which its [`Schedule`] wants to act.

mod strays;

use std::net::{IpAddr, SocketAddr};

use super::{
    Sim,
    packet::{Hop, reset},
    pump::{Outside, Pump},
};
use crate::{
    net::{
        conditions::{Condition, Directions},
        nat::Nat,
        topology::Topology,
    },
    time::SimTime,
    trace::{EventKind, FaultId, Flow},
};

/// Decides what happens to a world from outside, and when.
pub trait Schedule: Send {
    /// Returns the addresses that faults bring into the network later.
    fn addresses(&self) -> Vec<IpAddr> {
        Vec::new()
    }

    /// Sets the initial state of the world, before anything runs.
    fn prepare(&mut self, _: &mut Controls<'_, '_>) {}

    /// Returns the time of the next action; `None` if there is none.
    fn next(&self) -> Option<SimTime>;

    /// Performs every action that is due at the time of `controls`, before any packet moves at that time.
    fn act(&mut self, controls: &mut Controls<'_, '_>);
}

/// A schedule without any action.
pub(super) struct Calm;

impl Schedule for Calm {
    fn next(&self) -> Option<SimTime> {
        None
    }

    fn act(&mut self, _: &mut Controls<'_, '_>) {}
}

/// The ways to act on a world from outside, at one point in time.
pub struct Controls<'a, 'n> {
    pump: &'a mut Pump<'n>,
    now: SimTime,
}

impl Controls<'_, '_> {
    /// Returns the time.
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// Returns the handle of the world, as code inside it has it.
    pub fn sim(&self) -> &Sim {
        &self.pump.sim
    }

    /// Returns the hosts and links.
    pub fn topology(&self) -> &Topology {
        &self.pump.topology
    }

    /// Applies `condition` to the link called `link` on behalf of `fault`.
    pub fn lay(&mut self, link: &str, directions: Directions, fault: FaultId, condition: &Condition) {
        self.pump.path.lay(link, directions, fault, condition);
    }

    /// Removes the conditions of `fault` from all links.
    pub fn lift(&mut self, fault: FaultId) {
        self.pump.path.lift(fault);
    }

    /// Makes every link good from now on, apart from conditions that are in force.
    pub fn heal(&mut self) {
        self.pump.path.heal();
        self.pump.sim.record(EventKind::Healed);
    }

    /// Ends every TCP connection over the link called `link`: both ends get a reset.
    pub fn reset_connections(&mut self, link: &str, fault: FaultId) {
        let pump = &mut *self.pump;
        let over_link: Vec<Flow> = pump
            .connections
            .iter()
            .filter(|f| pump.is_over(f.src, link) || pump.is_over(f.dst, link))
            .copied()
            .collect();
        for flow in over_link {
            if pump.is_open(flow) {
                pump.sim.record(EventKind::FaultHit { fault });
            }
            pump.inject_resets(self.now, flow, Hop::InjectRouted, Hop::Inject);
        }
    }

    /// Ends the TCP connections over the link called `link`, as the system of a host does that leaves it: the other
    /// ends are not told.
    pub fn abandon_connections(&mut self, link: &str) {
        let pump = &mut *self.pump;
        let towards_host = pump.connections.iter().flat_map(|f| [*f, f.reversed()]);
        let abandoned: Vec<Flow> = towards_host.filter(|f| pump.is_over(f.dst, link)).collect();
        for flow in abandoned {
            pump.push(self.now, Hop::Inject, 0, reset(flow));
        }
    }

    /// Marks the interface called `interface` of `host` as dark because of a fault, until a time; `None` marks it as
    /// up. Nothing passes a dark one, and the host does not report its address.
    pub fn set_dark(&mut self, host: &str, interface: &str, dark: Option<(FaultId, SimTime)>) {
        if let Some((h, i)) = self.place(host, interface) {
            let link = self.pump.topology.hosts[h].link_base(i);
            self.pump.path.set_dark(&link, dark);
            self.pump.sim.set_dark(h, i, dark.is_some());
        }
    }

    /// Makes `host` open its connections over the interface called `interface` from now on.
    pub fn lead_over(&mut self, host: &str, interface: &str) {
        if let Some((h, i)) = self.place(host, interface) {
            let spec = &self.pump.topology.hosts[h];
            self.pump
                .routes
                .lead(spec.addresses(), spec.interfaces[i].address);
        }
    }

    fn index_of(&self, host: &str) -> Option<usize> {
        self.topology().hosts.iter().position(|h| h.name == host)
    }

    fn place(&self, host: &str, interface: &str) -> Option<(usize, usize)> {
        let h = self.index_of(host)?;
        let i = self.pump.topology.hosts[h]
            .interfaces
            .iter()
            .position(|i| i.name == interface)?;
        Some((h, i))
    }

    /// Applies `act` of `fault` to the NAT called `name`, which loses its mappings by it.
    pub fn befall_nat(&mut self, name: &str, fault: FaultId, act: impl FnOnce(&mut Nat)) {
        self.pump.path.befall_nat(self.now, name, fault, act);
    }

    /// Crashes `host` with everything that runs on it, because of `fault`.
    pub fn crash(&mut self, host: &str, fault: FaultId) {
        self.pump.sim.crash_by(host, Some(fault));
        self.pump.crashed(self.now, host);
    }

    /// Starts `host` again, in a new life.
    pub fn start(&mut self, host: &str) {
        self.pump.sim.start(host);
    }

    /// Pauses or resumes the app on `host`; for a resume, returns whether the pause held anything up.
    pub fn pause(&mut self, host: &str, still: bool) -> bool {
        self.pump.sim.pause(host, still)
    }
}

/// A schedule at work on the network of a run.
pub(super) struct AtWork(Box<dyn Schedule>);

impl AtWork {
    /// Lets `schedule` set the initial state of the world.
    pub(super) fn begin(mut schedule: Box<dyn Schedule>, pump: &mut Pump<'_>) -> Self {
        let now = pump.sim.now();
        schedule.prepare(&mut Controls { pump, now });
        Self(schedule)
    }
}

impl Outside for AtWork {
    fn next(&self) -> Option<SimTime> {
        self.0.next()
    }

    fn act(&mut self, pump: &mut Pump<'_>, now: SimTime) {
        if self.0.next().is_some_and(|at| at <= now) {
            self.0.act(&mut Controls { pump, now });
        }
    }
}

impl Pump<'_> {
    /// Reports whether `end` of a connection is on the link called `link`.
    fn is_over(&self, end: SocketAddr, link: &str) -> bool {
        let place = self.path.place(end.ip());
        place.is_some_and(|p| self.topology.hosts[p.host].link_base(p.interface) == link)
    }
}

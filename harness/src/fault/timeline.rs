//! The timeline: begins and ends every fault of a plan at its time, and heals the network.
//!
//! This is the only place that knows what is still to come: it cuts faults off at the healing, records their begin and
//! end, and delegates to the kind of each, which acts on the world. It draws nothing.

use std::{collections::VecDeque, net::IpAddr};

use super::{Fault, InForce, Plan};
use crate::{
    time::SimTime,
    trace::EventKind,
    world::{Controls, Schedule},
};

/// The begin or end of the fault at an index. At the same time, they happen in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Edge {
    /// The fault ends.
    End(usize),
    /// The fault begins.
    Begin(usize),
}

/// The faults of a plan in order of time.
#[derive(Debug)]
pub struct Timeline {
    faults: Vec<Fault>,
    // The end of each fault.
    until: Vec<SimTime>,
    to_come: VecDeque<(SimTime, Edge)>,
    heal_at: Option<SimTime>,
}

impl Timeline {
    /// Creates the timeline of `faults` in a run that heals at `heal_at`, if it heals.
    pub fn new(faults: Vec<Fault>, heal_at: Option<SimTime>) -> Self {
        let mut until = vec![SimTime::MAX; faults.len()];
        let mut to_come = Vec::new();
        for (index, fault) in faults.iter().enumerate() {
            let span = fault.spec().span.cut(fault.from(), fault.until(), heal_at);
            let Some((begins, ends)) = span else { continue };
            to_come.push((begins, Edge::Begin(index)));
            // A momentary fault ends as it begins.
            if let Some(ends) = ends.filter(|ends| *ends > begins) {
                to_come.push((ends, Edge::End(index)));
            }
            until[index] = ends.unwrap_or(SimTime::MAX);
        }
        to_come.sort_unstable();
        Self {
            faults,
            until,
            to_come: to_come.into(),
            heal_at,
        }
    }

    /// Creates the timeline of `plan`.
    pub fn of(plan: &Plan) -> Self {
        Self::new(plan.faults.clone(), Some(plan.heal_at()))
    }

    fn in_force(&self, index: usize) -> InForce<'_> {
        InForce {
            fault: &self.faults[index],
            until: self.until[index],
            all: &self.faults,
        }
    }

    fn begin(&self, index: usize, world: &mut Controls<'_, '_>) {
        let at = self.in_force(index);
        let fault = at.fault.id;
        world.sim().record(EventKind::FaultStarted { fault });
        at.fault.kind.behaviour().begin(&at, world);
        if at.until == at.fault.from() {
            world.sim().record(EventKind::FaultEnded { fault });
        }
    }

    fn end(&self, index: usize, world: &mut Controls<'_, '_>) {
        let at = self.in_force(index);
        let fault = at.fault.id;
        world.sim().record(EventKind::FaultEnded { fault });
        at.fault.kind.behaviour().end(&at, world);
    }
}

impl Schedule for Timeline {
    fn addresses(&self) -> Vec<IpAddr> {
        let brought = self.faults.iter().map(|f| f.kind.behaviour().brings());
        brought.flatten().collect()
    }

    fn prepare(&mut self, world: &mut Controls<'_, '_>) {
        for index in 0..self.faults.len() {
            let at = self.in_force(index);
            at.fault.kind.behaviour().prepare(&at, world);
        }
    }

    fn next(&self) -> Option<SimTime> {
        let edge = self.to_come.front().map(|(at, _)| *at);
        edge.into_iter().chain(self.heal_at).min()
    }

    fn act(&mut self, world: &mut Controls<'_, '_>) {
        let now = world.now();
        while let Some((_, edge)) = self.to_come.pop_front_if(|(at, _)| *at <= now) {
            match edge {
                Edge::Begin(index) => self.begin(index, world),
                Edge::End(index) => self.end(index, world),
            }
        }
        if self.heal_at.is_some_and(|at| at <= now) {
            self.heal_at = None;
            world.heal();
        }
    }
}

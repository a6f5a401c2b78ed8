//! What the plan lays over an access link for a time: faults, and interfaces that their host has left.

use serde::{Deserialize, Serialize};

use super::{
    switch::{self, NetworkSwitch},
    topology::Topology,
};
use crate::{
    time::SimTime,
    trace::{Cause, CauseKind},
};

/// The direction of an access link, seen from its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the network.
    Up,
    /// To the host.
    Down,
}

/// Which directions of a link a fault lies over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Directions {
    /// Both.
    Both,
    /// Only to the network.
    Up,
    /// Only to the host.
    Down,
}

impl Directions {
    fn covers(self, direction: Direction) -> bool {
        match self {
            Self::Both => true,
            Self::Up => direction == Direction::Up,
            Self::Down => direction == Direction::Down,
        }
    }
}

/// What a fault does to a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkFault {
    /// Datagrams are lost, TCP stalls until the end of the fault or gives up.
    Partition,
    /// What is sent is kept and released at the end of the fault.
    Hold,
    /// At its beginning every TCP connection over the link is reset.
    Reset,
}

/// A fault with its place and its lifetime.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimedFault {
    /// What.
    pub fault: LinkFault,
    /// Over which link: `alice`, or `alice/wlan0` where a host has several interfaces.
    pub link: String,
    /// In which directions.
    pub directions: Directions,
    /// When it begins, in milliseconds.
    pub from_ms: u64,
    /// When it ends, in milliseconds.
    pub until_ms: u64,
}

impl TimedFault {
    /// When it begins.
    pub fn from(&self) -> SimTime {
        SimTime::from_millis(self.from_ms)
    }

    /// When it ends.
    pub fn until(&self) -> SimTime {
        SimTime::from_millis(self.until_ms)
    }

    fn describe(&self, index: usize) -> String {
        let what = match self.fault {
            LinkFault::Partition => "partition",
            LinkFault::Hold => "hold",
            LinkFault::Reset => "reset",
        };
        let directions = match self.directions {
            Directions::Both => "both ways",
            Directions::Up => "up",
            Directions::Down => "down",
        };
        format!("#{index} {what} {} {directions}", self.link)
    }
}

/// What the plan does to one direction of a link at a moment.
#[derive(Clone, Debug, Default)]
pub struct Weather {
    /// Nothing passes until then.
    pub partition: Option<(Cause, SimTime)>,
    /// What is sent waits until then.
    pub hold: Option<(Cause, SimTime)>,
}

/// A fault that begins or ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// When.
    pub at: SimTime,
    /// Whether it begins.
    pub begins: bool,
    /// Its index in the plan.
    pub index: usize,
}

/// The faults of a plan.
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    faults: Vec<TimedFault>,
    switches: Vec<NetworkSwitch>,
}

impl Schedule {
    /// The schedule of `faults` and `switches`.
    pub fn new(faults: Vec<TimedFault>, switches: Vec<NetworkSwitch>) -> Self {
        Self { faults, switches }
    }

    /// Says what is wrong with faults that were read from a file.
    ///
    /// # Errors
    /// The path of the offending field and a sentence.
    pub fn check(faults: &[TimedFault], topology: &Topology) -> Result<(), String> {
        let links: Vec<String> = topology
            .hosts
            .iter()
            .flat_map(|h| (0..h.interfaces.len()).map(|i| h.link_base(i)))
            .collect();
        for (i, fault) in faults.iter().enumerate() {
            if !links.contains(&fault.link) {
                return Err(format!(
                    "faults[{i}].link: there is no link '{}', only {}",
                    fault.link,
                    links.join(", ")
                ));
            }
            if fault.from_ms >= fault.until_ms {
                return Err(format!(
                    "faults[{i}].until_ms: {} is not after from_ms",
                    fault.until_ms
                ));
            }
        }
        Ok(())
    }

    /// The fault at `index` of the plan.
    pub fn fault(&self, index: usize) -> &TimedFault {
        &self.faults[index]
    }

    /// What the fault at `index` is called in the trace.
    pub fn name(&self, index: usize) -> String {
        self.faults[index].describe(index)
    }

    /// All beginnings and ends, in order of time.
    pub fn edges(&self) -> Vec<Edge> {
        let mut edges: Vec<Edge> = (0..self.faults.len())
            // What begins after the chaos phase lasts no time.
            .filter(|index| self.faults[*index].from_ms < self.faults[*index].until_ms)
            .flat_map(|index| {
                let fault = &self.faults[index];
                [(fault.from(), true), (fault.until(), false)].map(|(at, begins)| Edge { at, begins, index })
            })
            .collect();
        edges.sort_by_key(|e| (e.at, e.begins, e.index));
        edges
    }

    /// The weather over one direction of `link` at `now`: of several faults of a kind, the one that
    /// lasts longest.
    pub fn over(&self, link: &str, direction: Direction, now: SimTime) -> Weather {
        let longest = |kind: LinkFault, cause: CauseKind| {
            let in_force = self.faults.iter().enumerate().filter(|(_, f)| {
                f.fault == kind
                    && f.link == link
                    && f.directions.covers(direction)
                    && (f.from()..f.until()).contains(&now)
            });
            in_force.max_by_key(|(_, f)| f.until_ms).map(|(index, f)| {
                let place = f.describe(index);
                (Cause { kind: cause, place }, f.until())
            })
        };
        Weather {
            partition: self
                .left(link, now)
                .into_iter()
                .chain(longest(LinkFault::Partition, CauseKind::Partition))
                .max_by_key(|(_, until)| *until),
            hold: longest(LinkFault::Hold, CauseKind::Hold),
        }
    }

    /// Why nothing passes `link` at `now` because its host is elsewhere, and until when.
    fn left(&self, link: &str, now: SimTime) -> Option<(Cause, SimTime)> {
        let (index, until) = switch::darkens(&self.switches, link, now)?;
        let cause = Cause {
            kind: CauseKind::Partition,
            place: self.switches[index].name(index),
        };
        Some((cause, until.unwrap_or(SimTime::MAX)))
    }
}

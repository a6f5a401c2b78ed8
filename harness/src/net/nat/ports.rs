//! Choice of the external port of a new mapping (RFC 4787, section 4.2).

use std::collections::BTreeSet;

use super::spec::NatSpec;
use crate::{
    seed::{Seed, Stream},
    trace::Proto,
};

/// The first port above the well-known ones.
const FIRST_REGISTERED: u16 = 1024;

/// Chooses external ports.
#[derive(Clone, Debug)]
pub(super) struct Ports {
    seed: Seed,
    label: String,
    draws: Stream,
    // The ports of mappings before a rebinding: a host that got its old port back would not notice the rebinding.
    retired: BTreeSet<(Proto, u16)>,
}

impl Ports {
    pub fn new(seed: Seed, name: &str) -> Self {
        let label = format!("nat/{name}/port");
        Self {
            draws: seed.stream(&label),
            seed,
            label,
            retired: BTreeSet::new(),
        }
    }

    /// Chooses a port for a mapping of `internal`; `None` if every port that the specification allows is taken.
    pub fn choose(
        &mut self,
        spec: &NatSpec,
        proto: Proto,
        internal: u16,
        taken: impl Fn(u16) -> bool,
    ) -> Option<u16> {
        let retired = &self.retired;
        let fresh = |port: &u16| !taken(*port) && !retired.contains(&(proto, *port));
        if spec.port_preservation && internal != 0 && fresh(&internal) {
            return Some(internal);
        }
        let pool = Pool::of(internal, spec.port_parity);
        let start = self.draws.below(u64::from(pool.count)) as u32;
        pool.from(start)
            .find(fresh)
            .or_else(|| pool.from(start).find(|port| !taken(*port)))
    }

    /// Makes `ports` the last choice from now on.
    pub fn retire(&mut self, ports: impl Iterator<Item = (Proto, u16)>) {
        self.retired.extend(ports);
    }

    /// Makes all ports equally good choices again.
    pub fn pardon(&mut self) {
        self.retired.clear();
    }

    /// Starts afresh, as a device does after a power cycle.
    pub fn restart(&mut self) {
        self.draws = self.seed.stream(&self.label);
        self.pardon();
    }
}

/// The external ports that an internal port may get.
struct Pool {
    first: u16,
    step: u32,
    count: u32,
}

impl Pool {
    /// The range of the internal port (REQ-3a) without port 0, which cannot be answered; with `parity` only every other
    /// port (REQ-4).
    fn of(internal: u16, parity: bool) -> Self {
        let (low, high) = if internal < FIRST_REGISTERED {
            (1, FIRST_REGISTERED - 1)
        } else {
            (FIRST_REGISTERED, u16::MAX)
        };
        let (first, step) = if parity {
            (low + (low + internal % 2) % 2, 2)
        } else {
            (low, 1)
        };
        Self {
            first,
            step,
            count: u32::from(high - first) / step + 1,
        }
    }

    /// Iterates over every port once, beginning with the one at index `start`.
    fn from(&self, start: u32) -> impl Iterator<Item = u16> {
        (0..self.count).map(move |i| self.first + ((start + i) % self.count * self.step) as u16)
    }
}

//! The sum over the explorations of one scenario.

use super::super::{explored, orders::part_of, result::RunResult, summary::Orders};
use crate::scenario::Exploration;

/// The orders that the runs of one scenario went through.
#[derive(Clone, Debug)]
pub(super) struct OrdersTally<'a> {
    explores: &'a Exploration,
    sum: Orders,
    /// How often each part was gone through.
    parts: Vec<u64>,
}

impl<'a> OrdersTally<'a> {
    pub fn new(explores: &'a Exploration) -> Self {
        Self {
            explores,
            sum: Orders {
                bound: explores.bound.clone(),
                orders: 0,
                failed: 0,
                repeats: 0,
                steps: 0,
                times: 0,
            },
            parts: vec![0; explores.parts as usize],
        }
    }

    pub fn add(&mut self, run: &RunResult) {
        let stat = |name| run.stats.get(name).copied().unwrap_or_default();
        self.sum.orders += stat(explored::ORDERS);
        self.sum.failed += stat(explored::FAILED);
        self.sum.repeats += stat(explored::REPEATS);
        self.sum.steps = self.sum.steps.max(stat(explored::STEPS));
        self.parts[part_of(run.seed, self.explores.parts).index as usize] += 1;
    }

    pub fn orders(&self) -> Orders {
        Orders {
            times: self.parts.iter().copied().min().unwrap_or_default(),
            ..self.sum.clone()
        }
    }
}

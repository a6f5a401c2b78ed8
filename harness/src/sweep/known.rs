//! The runs that a catalogue has swept, and the known failures there: defects of the stack, each with its page. Plain
//! data.

use super::{
    seen::TrialOutcome,
    subject::{Hit, Treatment},
    trial::Tried,
};

/// A run that `sweep --all` sweeps.
#[derive(Clone, Copy, Debug)]
pub struct Listed {
    /// The name of the scenario.
    pub scenario: &'static str,
    /// The seed.
    pub seed: u64,
    /// The defects that are known to show there.
    pub known: &'static [KnownBreak],
}

/// A defect of the stack that one packet is enough to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownBreak {
    /// The page about the defect.
    pub page: &'static str,
    /// The prefix of the names of the kinds of packet that show it.
    pub kind: &'static str,
    /// The treatments of the packet that show it, as words: [`Treatment::word`].
    pub done: &'static [&'static str],
    /// The oracle that breaks. It need not break for every such packet.
    pub oracle: &'static str,
}

impl KnownBreak {
    /// Reports whether `tried` shows this defect.
    pub fn covers(&self, tried: &Tried) -> bool {
        let TrialOutcome::Breaks(broken) = &tried.outcome else {
            return false;
        };
        let by = |Hit { subject, treatment }: &Hit| {
            subject.kind().starts_with(self.kind) && self.done.contains(&Treatment::word(*treatment))
        };
        broken.oracle == self.oracle && tried.hits.iter().any(by)
    }
}

impl Listed {
    /// Returns the name of the run for users.
    pub fn name(&self) -> String {
        format!("{}@{}", self.scenario, self.seed)
    }
}

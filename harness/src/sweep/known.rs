//! The runs that a catalogue has swept, and what is known to break there: defects of the stack, each with its page. Plain data.

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
    /// What is known to break there.
    pub known: &'static [KnownBreak],
}

/// A defect of the stack that one packet is enough for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownBreak {
    /// The page that tells of it.
    pub page: &'static str,
    /// What the names of the kinds of packet that show it begin with.
    pub kind: &'static str,
    /// What has to be done to the packet, in a word: [`Treatment::word`].
    pub done: &'static [&'static str],
    /// The oracle that breaks. It need not break for every such packet.
    pub oracle: &'static str,
}

impl KnownBreak {
    /// Whether it is what `tried` shows.
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
    /// It as users name it.
    pub fn name(&self) -> String {
        format!("{}@{}", self.scenario, self.seed)
    }
}

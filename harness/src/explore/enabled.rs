//! The steps that are enabled in each state, learned from the runs so far: detects steps that are not as independent as
//! assumed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::Step;

/// A point of a run: the enabled steps, and the step taken; none where the run was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The step that was taken.
    pub taken: Option<Step>,
    /// The steps that were enabled.
    pub enabled: BTreeSet<Step>,
}

/// The state of a run: for each host, the names of the steps that acted on it, in order.
type State = BTreeMap<String, Vec<String>>;

/// The enabled steps in every state that a run has been in.
///
/// A state is what every host has seen, in whatever interleaving: if steps of different hosts are independent, nothing
/// else can decide what is enabled.
#[derive(Clone, Debug, Default)]
pub struct EnabledSteps {
    enabled: BTreeMap<State, BTreeSet<Step>>,
}

/// The error of two runs in which every host had seen the same, but different steps were enabled: something other than
/// its steps acts on a host, and orders that were not run may differ from all that were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entangled {
    /// The steps that each host had seen.
    pub state: BTreeMap<String, Vec<String>>,
    /// The steps that were enabled in only one of the two runs.
    pub steps: BTreeSet<Step>,
}

impl fmt::Display for Entangled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<String> = self.steps.iter().map(Step::to_string).collect();
        let seen = self.state.iter();
        let seen: Vec<String> = seen
            .map(|(host, seen)| format!("{host} {}", seen.join(", ")))
            .collect();
        write!(
            f,
            "whether '{}' comes depends on more than what each host has seen ({})",
            steps.join("', '"),
            seen.join("; ")
        )
    }
}

fn take(state: &mut State, step: &Step) {
    state
        .entry(step.host.clone())
        .or_default()
        .push(step.name.clone());
}

impl EnabledSteps {
    /// Learns from a run that passed `turns`; a run that was not cut off had no step left at its end.
    ///
    /// # Errors
    /// Returns [`Entangled`]: then orders that differ only in the order of independent steps cannot be treated as one.
    pub fn learn(&mut self, turns: &[Decision]) -> Result<(), Entangled> {
        let mut state = State::new();
        for turn in turns {
            self.note(&state, &turn.enabled)?;
            match &turn.taken {
                Some(step) => take(&mut state, step),
                None => return Ok(()),
            }
        }
        self.note(&state, &BTreeSet::new())
    }

    fn note(&mut self, state: &State, enabled: &BTreeSet<Step>) -> Result<(), Entangled> {
        match self.enabled.get(state) {
            Some(known) if known != enabled => Err(Entangled {
                state: state.clone(),
                steps: known.symmetric_difference(enabled).cloned().collect(),
            }),
            Some(_) => Ok(()),
            None => {
                self.enabled.insert(state.clone(), enabled.clone());
                Ok(())
            }
        }
    }
}

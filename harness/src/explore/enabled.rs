//! Which steps are enabled when, learned from the runs so far: notices where steps are not as independent as they are
//! taken to be.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::Step;

/// A point of a run: the steps that were enabled, and the one that was taken; none where the run was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The step that was taken.
    pub taken: Option<Step>,
    /// The steps that were enabled.
    pub enabled: BTreeSet<Step>,
}

/// What each host has seen: the names of the steps that acted on it, in order.
type State = BTreeMap<String, Vec<String>>;

/// The steps that are enabled in every state that a run has been in.
///
/// A state is what every host has seen, whatever came between: if steps of different hosts are independent, nothing
/// else can decide what is enabled.
#[derive(Clone, Debug, Default)]
pub struct EnabledSteps {
    enabled: BTreeMap<State, BTreeSet<Step>>,
}

/// Two runs in which every host had seen the same, and other steps were enabled: something but its steps acts on a
/// host, and orders that were not run may be unlike any that were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entangled {
    /// What the hosts had seen.
    pub state: BTreeMap<String, Vec<String>>,
    /// The steps that were enabled in one of the two runs only.
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
    /// Learns from a run that passed `turns`; one that was not cut off had no step left at its end.
    ///
    /// # Errors
    /// [`Entangled`]: orders that differ only in the order of independent steps cannot be taken for one.
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

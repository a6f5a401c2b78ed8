//! The effects of steps, learned from the runs so far: detects a run that would only repeat others without running it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Chooser, Decision, Order, Pick, Point, Step};

/// The effects of every step, by what its host had seen. They are valid if messages do not wait for one another: behind
/// a queue, other steps also decide what a step enables.
#[derive(Clone, Debug, Default)]
pub struct Foresight {
    first: Option<BTreeSet<Step>>,
    effects: BTreeMap<Past, Effect>,
}

/// A host and the steps that it has seen, in order.
type Past = (String, Vec<String>);

/// The steps that a step enabled, and those that it disabled.
#[derive(Clone, Debug)]
struct Effect {
    enabled: BTreeSet<Step>,
    disabled: BTreeSet<Step>,
}

#[derive(Default)]
struct Pasts(BTreeMap<String, Vec<String>>);

impl Pasts {
    /// Returns what the host of `step` has seen, including `step`.
    fn with(&mut self, step: &Step) -> Past {
        let seen = self.0.entry(step.host.clone()).or_default();
        seen.push(step.name.clone());
        (step.host.clone(), seen.clone())
    }
}

impl Foresight {
    /// Learns from a run that passed `turns`.
    pub fn learn(&mut self, turns: &[Decision]) {
        let (mut pasts, nothing) = (Pasts::default(), BTreeSet::new());
        if let Some(turn) = turns.first() {
            self.first.get_or_insert_with(|| turn.enabled.clone());
        }
        for (i, turn) in turns.iter().enumerate() {
            let Some(taken) = &turn.taken else { return };
            let after = turns.get(i + 1).map_or(&nothing, |next| &next.enabled);
            let disabled = turn.enabled.difference(after).filter(|step| *step != taken);
            let effect = Effect {
                enabled: after.difference(&turn.enabled).cloned().collect(),
                disabled: disabled.cloned().collect(),
            };
            self.effects.entry(pasts.with(taken)).or_insert(effect);
        }
    }

    /// Returns the points that a run with `order` would pass before it only repeats others; `None` if it would not, or
    /// if that is not known.
    pub fn redundant(&self, order: &Order) -> Option<Vec<Point>> {
        let (mut chooser, mut points, mut pasts) = (Chooser::new(order), Vec::new(), Pasts::default());
        let mut enabled = self.first.clone()?;
        while !enabled.is_empty() {
            let pick = chooser.choose(&enabled);
            points.extend(Point::of(&pick));
            let Pick::Take { taken, awake } = pick else {
                return Some(points);
            };
            let effect = self.effects.get(&pasts.with(&awake[taken]))?;
            enabled.remove(&awake[taken]);
            enabled.retain(|step| !effect.disabled.contains(step));
            enabled.extend(effect.enabled.iter().cloned());
        }
        None
    }
}

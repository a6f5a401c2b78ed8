//! Decides which of the waiting steps is taken next.

use std::collections::BTreeSet;

use super::{Order, Part, Repeats, Step, part::Dealt};

/// Takes the steps of one run in the order of its plan. It knows only the steps that it was shown.
#[derive(Clone, Debug)]
pub struct Chooser {
    choices: std::vec::IntoIter<usize>,
    part: Part,
    repeats: Repeats,
    is_redundant: bool,
    asleep: BTreeSet<Step>,
}

/// The choice of a [`Chooser`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    /// Take one of the steps that are awake.
    Take {
        /// The index of the step among them.
        taken: usize,
        /// The steps that are awake, in their order.
        awake: Vec<Step>,
    },
    /// Take none: every continuation is covered by another order.
    Redundant,
    /// Take this step, to repeat an order.
    Again(Step),
}

impl Chooser {
    /// Creates a chooser for a run that keeps `order`.
    pub fn new(order: &Order) -> Self {
        Self {
            choices: order.choices.clone().into_iter(),
            part: order.part,
            repeats: order.repeats,
            is_redundant: false,
            asleep: BTreeSet::new(),
        }
    }

    /// Chooses one of the steps that are enabled.
    pub fn choose<'a>(&mut self, enabled: impl IntoIterator<Item = &'a Step>) -> Pick {
        let enabled: BTreeSet<Step> = enabled.into_iter().cloned().collect();
        let awake: Vec<Step> = enabled.difference(&self.asleep).cloned().collect();
        self.is_redundant |= awake.is_empty();
        if self.is_redundant {
            let again = enabled
                .into_iter()
                .next()
                .filter(|_| self.repeats == Repeats::RunOn);
            return again.map_or(Pick::Redundant, Pick::Again);
        }
        let taken = self.place(awake.len());
        if self.repeats != Repeats::Count {
            self.asleep.extend(awake[..taken].iter().cloned());
            self.asleep.retain(|step| step.is_independent_of(&awake[taken]));
        }
        Pick::Take { taken, awake }
    }

    /// Returns the index of the step to take among `awake` steps.
    fn place(&mut self, awake: usize) -> usize {
        if awake == 1 {
            return 0;
        }
        let Dealt { first, rest, .. } = self.part.deal(awake);
        self.part = rest;
        // A choice that a change of the client has made impossible becomes the last possible one.
        self.choices.next().map_or(first, |choice| choice.min(awake - 1))
    }
}

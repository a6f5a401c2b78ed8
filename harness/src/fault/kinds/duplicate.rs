//! A link carries datagrams twice.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{
        Befalls, Behaviour, Fault, InForce, KindSpec, Lessen, Plan, Span,
        drawing::{each_direction, percent},
        kinds::share,
    },
    seed::{Ppm, Stream},
    world::Controls,
};

/// A link carries datagrams twice.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duplicate {
    /// The probability for a datagram, in parts per million; at least 1.
    pub share: Ppm,
}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "duplicate",
    about: "A link carries datagrams twice.",
    befalls: Befalls::Link,
    parameters: "`share`: parts per million, 1 to 1,000,000",
    span: Span::ChaosPhase,
    marks: &["duplicate-hit"],
    draw,
};

fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    each_direction(draws, plan, |d| Duplicate {
        share: percent(d, 1, 20),
    })
}

impl Behaviour for Duplicate {
    fn describe(&self, fault: &Fault) -> String {
        format!(
            "{}: doubles of {}{}",
            fault.way(),
            share::describe(self.share),
            fault.lasting()
        )
    }

    fn check(&self, _: &Fault, _: &[Fault], _: &Plan) -> Result<(), String> {
        share::check("kind.duplicate", self.share)
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        let share = self.share;
        at.reshape(world, move |_, link| link.duplicate = share);
    }

    fn lessen(&mut self) -> Vec<Lessen<'_>> {
        vec![Lessen::Share(&mut self.share)]
    }
}

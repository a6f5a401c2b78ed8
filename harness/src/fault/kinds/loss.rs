//! A link loses packets independently of each other.

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

/// A link loses packets independently of each other: datagrams are lost, TCP segments are retransmitted.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// The probability for a packet, in parts per million; at least 1.
    pub share: Ppm,
}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "loss",
    about: "A link loses packets, each for itself; TCP sends its segments again.",
    befalls: Befalls::Link,
    parameters: "`share`: parts per million, 1 to 1,000,000",
    span: Span::ChaosPhase,
    marks: &["loss-hit"],
    draw,
};

fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    each_direction(draws, plan, |d| Loss {
        share: percent(d, 1, 10),
    })
}

impl Behaviour for Loss {
    fn describe(&self, fault: &Fault) -> String {
        format!(
            "{}: loss of {}{}",
            fault.way(),
            share::describe(self.share),
            fault.lasting()
        )
    }

    fn check(&self, _: &Fault, _: &[Fault], _: &Plan) -> Result<(), String> {
        share::check("kind.loss", self.share)
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        let share = self.share;
        at.reshape(world, move |_, link| link.loss = share);
    }

    fn lessen(&mut self) -> Vec<Lessen<'_>> {
        vec![Lessen::Share(&mut self.share)]
    }
}

//! A link lets datagrams leave their place in the order.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{
        Befalls, Behaviour, Fault, InForce, KindSpec, Lessen, Plan, Span,
        drawing::{each_direction, percent},
        kinds::share,
    },
    net::latency::Latency,
    seed::{Ppm, Stream},
    world::Controls,
};

/// A link lets datagrams leave their place in the order.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reorder {
    /// The probability for a datagram, in parts per million; at least 1.
    pub share: Ppm,
    /// The extra delay of a reordered datagram.
    pub by: Latency,
}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "reorder",
    about: "A link lets datagrams come later than their turn, after those that were sent behind them.",
    befalls: Befalls::Link,
    parameters: "`share`: parts per million, 1 to 1,000,000; `by`: a distribution of delays",
    span: Span::ChaosPhase,
    marks: &["reorder-hit"],
    draw,
};

fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    each_direction(draws, plan, |d| Reorder {
        share: percent(d, 1, 20),
        by: Latency::uniform_ms(1, 150),
    })
}

impl Behaviour for Reorder {
    fn describe(&self, fault: &Fault) -> String {
        let (way, share) = (fault.way(), share::describe(self.share));
        format!(
            "{way}: reordering of {share} by {}{}",
            self.by.describe(),
            fault.lasting()
        )
    }

    fn check(&self, _: &Fault, _: &[Fault], _: &Plan) -> Result<(), String> {
        share::check("kind.reorder", self.share)?;
        self.by.check().map_err(|e| format!("kind.reorder.by: {e}"))
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        let Self { share, by } = self.clone();
        at.reshape(world, move |_, link| {
            (link.reorder, link.reorder_by) = (share, by.clone())
        });
    }

    fn lessen(&mut self) -> Vec<Lessen<'_>> {
        vec![Lessen::Share(&mut self.share), Lessen::Latency(&mut self.by)]
    }
}

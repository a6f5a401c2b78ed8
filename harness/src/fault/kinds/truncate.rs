//! A link truncates datagrams.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{
        Befalls, Behaviour, Fault, InForce, KindSpec, Lessen, Plan, Span,
        drawing::{each_direction, percent},
        kinds::share,
    },
    seed::{Ppm, Stream},
    trace::EventKind,
    world::Controls,
};

/// A link truncates datagrams.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truncate {
    /// The probability for a datagram, in parts per million; at least 1.
    pub share: Ppm,
}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "truncate",
    about: "A link cuts the end of datagrams off; TCP, which sees it by its checksum, sends its segments again.",
    befalls: Befalls::Link,
    parameters: "`share`: parts per million, 1 to 1,000,000",
    span: Span::ChaosPhase,
    marks: &["truncate-hit"],
    draw,
};

fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    each_direction(draws, plan, |d| Truncate {
        share: percent(d, 1, 8),
    })
}

impl Behaviour for Truncate {
    fn describe(&self, fault: &Fault) -> String {
        format!(
            "{}: cut datagrams of {}{}",
            fault.way(),
            share::describe(self.share),
            fault.lasting()
        )
    }

    fn check(&self, _: &Fault, _: &[Fault], _: &Plan) -> Result<(), String> {
        share::check("kind.truncate", self.share)
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        let share = self.share;
        at.reshape(world, move |_, link| link.truncate = share);
    }

    /// Only damaged datagrams count: a damaged TCP segment is retransmitted, and no receiver sees the damage.
    fn mark(&self, fault: &Fault, event: &EventKind, _: &Plan) -> Option<&'static str> {
        let damaged = matches!(event, EventKind::PacketTruncated { .. });
        fault.spec().marks.first().copied().filter(|_| damaged)
    }

    fn lessen(&mut self) -> Vec<Lessen<'_>> {
        vec![Lessen::Share(&mut self.share)]
    }
}

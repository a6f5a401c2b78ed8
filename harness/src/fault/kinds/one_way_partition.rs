//! One direction of a link carries nothing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{
        Befalls, Behaviour, Fault, InForce, KindSpec, Plan, Span, Target,
        drawing::{one_of, timed},
        kinds::partition::LASTS_MS,
    },
    net::conditions::{Condition, Directions},
    seed::Stream,
    world::Controls,
};

/// One direction of a link carries nothing.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneWayPartition {}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "one-way-partition",
    about: "One direction of a link carries nothing: datagrams are lost, TCP stalls until it tries again after the end, which may take as long again, or gives up after 60 s.",
    befalls: Befalls::LinkDirection,
    parameters: "",
    span: Span::ChaosPhase,
    marks: &["one-way-partition-hit"],
    draw,
};

fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    let directions = one_of(draws, &[Directions::Up, Directions::Down]);
    let link = one_of(draws, &Befalls::Link.all(plan));
    let end = Target::ends(link.name(), directions);
    vec![timed(draws, plan, end, OneWayPartition {}, LASTS_MS)]
}

impl Behaviour for OneWayPartition {
    fn describe(&self, fault: &Fault) -> String {
        format!("partition {}{}", fault.way(), fault.lasting())
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        at.lay(world, &Condition::Blocked { until: at.until });
    }
}

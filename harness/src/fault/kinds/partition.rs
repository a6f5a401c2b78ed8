//! A link carries nothing in either direction.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{
        Befalls, Behaviour, Fault, InForce, KindSpec, Plan, Span, Target,
        drawing::{one_of, timed},
        kind::is_one_way,
        kinds::OneWayPartition,
    },
    net::conditions::{Condition, Directions},
    seed::Stream,
    world::Controls,
};

/// A link carries nothing in either direction.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partition {}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "partition",
    about: "A link carries nothing in either direction: datagrams are lost, TCP stalls until it tries again after the end, which may take as long again, or gives up after 60 s.",
    befalls: Befalls::Link,
    parameters: "",
    span: Span::ChaosPhase,
    marks: &["partition-hit"],
    draw,
};

fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    let link = one_of(draws, &Befalls::Link.all(plan));
    vec![timed(draws, plan, link, Partition {}, LASTS_MS)]
}

impl Behaviour for Partition {
    fn describe(&self, fault: &Fault) -> String {
        format!("partition {} both ways{}", fault.way(), fault.lasting())
    }

    fn check(&self, fault: &Fault, _: &[Fault], _: &Plan) -> Result<(), String> {
        match is_one_way(&fault.target) {
            true => Err("target.link.directions: one direction alone is a one-way-partition".into()),
            false => Ok(()),
        }
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        at.lay(world, &Condition::Blocked { until: at.until });
    }
}

/// The shortest and the longest partition that the swarm draws, in milliseconds.
pub(super) const LASTS_MS: (u64, u64) = (300, 8_000);

/// Creates a partition of `directions` of the link called `link`, from `from_ms` to `until_ms`: one way or both.
pub fn partition(link: &str, directions: Directions, from_ms: u64, until_ms: u64) -> Fault {
    let target = Target::ends(link, directions);
    match directions {
        Directions::Both => Fault::new(target, Partition {}, from_ms, Some(until_ms)),
        Directions::Up | Directions::Down => Fault::new(target, OneWayPartition {}, from_ms, Some(until_ms)),
    }
}

//! Several links are clogged, one after the other, and cleared in another order.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{Befalls, Behaviour, Fault, InForce, KindSpec, Plan, Span, drawing::timed},
    net::conditions::Condition,
    seed::Stream,
    world::Controls,
};

/// Several links are clogged, one after the other, and cleared in another order.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Swizzle {}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "swizzle",
    about: "One of several links that are clogged one after the other and cleared in another order: it keeps what is sent and releases it at the end.",
    befalls: Befalls::Link,
    parameters: "",
    span: Span::ChaosPhase,
    marks: &["swizzle-hit"],
    draw,
};

fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    let links = Befalls::Link.all(plan).into_iter();
    links
        .map(|link| timed(draws, plan, link, Swizzle {}, (300, 2_500)))
        .collect()
}

impl Behaviour for Swizzle {
    fn describe(&self, fault: &Fault) -> String {
        format!("swizzle {}{}", fault.way(), fault.lasting())
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        at.lay(world, &Condition::Held { until: at.until });
    }
}

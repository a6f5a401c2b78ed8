//! A link keeps what is sent and releases it at the end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{
        Befalls, Behaviour, Fault, InForce, KindSpec, Plan, Span,
        drawing::{client_links, one_of, timed},
    },
    net::conditions::Condition,
    seed::Stream,
    world::Controls,
};

/// A link keeps what is sent and releases it at the end.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "hold",
    about: "A link keeps what is sent and releases it at the end.",
    befalls: Befalls::Link,
    parameters: "",
    span: Span::ChaosPhase,
    marks: &["hold-hit"],
    draw,
};

fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    let links = client_links(plan);
    if links.is_empty() {
        return Vec::new();
    }
    let link = one_of(draws, &links);
    vec![timed(draws, plan, link, Hold {}, (200, 3_000))]
}

impl Behaviour for Hold {
    fn describe(&self, fault: &Fault) -> String {
        format!("hold {}{}", fault.way(), fault.lasting())
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        at.lay(world, &Condition::Held { until: at.until });
    }
}

//! Every TCP connection over a link is reset, at both ends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{Befalls, Behaviour, Fault, InForce, KindSpec, Plan, Span, drawing::moment},
    seed::Stream,
    world::Controls,
};

/// Every TCP connection over a link is reset, at both ends.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TcpReset {}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "tcp-reset",
    about: "Every TCP connection over a link is reset, at both ends.",
    befalls: Befalls::Link,
    parameters: "",
    span: Span::Moment,
    marks: &["tcp-reset-hit"],
    draw,
};

fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    moment(draws, plan, Befalls::Link, |_| TcpReset {})
}

impl Behaviour for TcpReset {
    fn describe(&self, fault: &Fault) -> String {
        format!(
            "TCP connections over {} reset at {} ms",
            fault.way(),
            fault.from_ms
        )
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        world.reset_connections(at.fault.target.name(), at.fault.id);
    }
}

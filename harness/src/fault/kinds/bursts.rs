//! A link loses packets in bursts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{Befalls, Behaviour, Fault, InForce, KindSpec, Plan, Span, drawing::each_direction},
    net::loss::GilbertElliott,
    seed::Stream,
    world::Controls,
};

/// A link loses packets in bursts.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bursts {
    /// The lengths of bursts and of the gaps between them.
    pub model: GilbertElliott,
}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "bursts",
    about: "A link loses packets in bursts; TCP sends its segments again.",
    befalls: Befalls::Link,
    parameters: "`model`: a Gilbert-Elliott chain, packets per state (1 at least) and loss in each in parts per million",
    span: Span::ChaosPhase,
    marks: &["bursts-hit"],
    draw,
};

fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    each_direction(draws, plan, |d| Bursts {
        model: GilbertElliott::bursts(d.between(10, 80) as u32, d.between(2, 8) as u32),
    })
}

impl Behaviour for Bursts {
    fn describe(&self, fault: &Fault) -> String {
        let GilbertElliott {
            bad_packets,
            good_packets,
            ..
        } = self.model;
        let (way, lasting) = (fault.way(), fault.lasting());
        format!("{way}: bursts of {bad_packets} lost in {good_packets}{lasting}")
    }

    fn check(&self, _: &Fault, _: &[Fault], _: &Plan) -> Result<(), String> {
        self.model.check().map_err(|e| format!("kind.bursts.model: {e}"))
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        let model = self.model;
        at.reshape(world, move |_, link| link.bursts = Some(model));
    }
}

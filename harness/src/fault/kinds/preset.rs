//! A link becomes one of another kind of network.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{
        Befalls, Behaviour, Fault, InForce, KindSpec, Plan, Span, Target,
        drawing::{links_but_the_servers, one_of},
    },
    net::presets,
    seed::Stream,
    trace::Direction,
    world::Controls,
};

/// The networks on which a call connects within seconds when nothing else is wrong.
const MODERATE: [presets::Preset; 13] = [
    presets::Preset::Lan,
    presets::Preset::HomeWifi,
    presets::Preset::LossyWifi,
    presets::Preset::CongestedWifi,
    presets::Preset::Cable,
    presets::Preset::Dsl,
    presets::Preset::FourG,
    presets::Preset::ThreeG,
    presets::Preset::WeakThreeG,
    presets::Preset::Transatlantic,
    presets::Preset::Rmcat,
    presets::Preset::Lossy,
    presets::Preset::Hotel,
];

/// A link becomes one of another kind of network: as slow, narrow and lossy.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// The preset.
    pub network: presets::Preset,
}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "preset",
    about: "A link is one of another kind of network: as slow, narrow and lossy.",
    befalls: Befalls::Link,
    parameters: "`network`: the name of a preset, such as `hotel`",
    span: Span::ChaosPhase,
    marks: &["preset-hit"],
    draw,
};

fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    let links = links_but_the_servers(plan).into_iter();
    let on = |link: String| {
        let network = one_of(draws, &MODERATE);
        Fault::new(Target::link(&link), Preset { network }, 0, None)
    };
    links.map(on).collect()
}

impl Behaviour for Preset {
    fn describe(&self, fault: &Fault) -> String {
        format!("{}: as {}{}", fault.way(), self.network, fault.lasting())
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        let network = self.network;
        at.reshape(world, move |direction, link| {
            *link = match direction {
                Direction::Up => network.up(),
                Direction::Down => network.down(),
            };
        });
    }
}

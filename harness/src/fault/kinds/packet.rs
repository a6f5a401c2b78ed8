//! A single packet of a link, named by its number, is lost, duplicated, delayed or damaged.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{
        Befalls, Behaviour, Fault, InForce, KindSpec, Lessen, PacketVerdict, Plan, Span, Target,
        drawing::{client_links, one_of},
    },
    net::conditions::{Condition, Directions},
    seed::Stream,
    world::Controls,
};

/// A single packet of one direction of a link is lost, duplicated, delayed or damaged.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packet {
    /// The packet's number among those that enter this direction of the link in the whole run, from 0.
    pub ordinal: u64,
    /// The effect on the packet.
    pub verdict: PacketVerdict,
}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "packet",
    about: "A single packet of a link is lost, doubled, late or damaged; TCP sends a lost or damaged segment again.",
    befalls: Befalls::LinkDirection,
    parameters: "`ordinal`: from 0, in the order in which packets enter this direction; `verdict`: `drop`, `duplicate`, \
                 `delay` (`ms`, 1 at least), `truncate` (`bytes` that are left), `flip` (`bit`)",
    span: Span::ChaosPhase,
    marks: &["packet-hit"],
    draw,
};

/// Draws one of the first packets of each client's link, in one direction. Flipped bits are left to `corrupt`.
fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    let links = client_links(plan).into_iter();
    let on = |link: Target| {
        let directions = one_of(draws, &[Directions::Up, Directions::Down]);
        let ordinal = draws.below(60);
        let verdicts = [
            PacketVerdict::Drop,
            PacketVerdict::Duplicate,
            PacketVerdict::Delay {
                ms: draws.between(50, 2_000),
            },
            PacketVerdict::Truncate {
                bytes: draws.below(40) as u32,
            },
        ];
        let verdict = one_of(draws, &verdicts);
        let target = Target::ends(link.name(), directions);
        Fault::new(target, Packet { ordinal, verdict }, 0, None)
    };
    links.map(on).collect()
}

impl Behaviour for Packet {
    fn describe(&self, fault: &Fault) -> String {
        let what = match self.verdict {
            PacketVerdict::Drop => "lost".to_owned(),
            PacketVerdict::Duplicate => "doubled".to_owned(),
            PacketVerdict::Delay { ms } => format!("{ms} ms late"),
            PacketVerdict::Truncate { bytes } => format!("cut to {bytes} bytes"),
            PacketVerdict::Flip { bit } => format!("bit {bit} flipped"),
        };
        let (way, lasting) = (fault.way(), fault.lasting());
        format!("packet {} of {way} {what}{lasting}", self.ordinal)
    }

    fn check(&self, _: &Fault, _: &[Fault], _: &Plan) -> Result<(), String> {
        match self.verdict {
            PacketVerdict::Delay { ms: 0 } => {
                Err("kind.packet.verdict.delay.ms: 0 is no delay: 1 at least".into())
            }
            _ => Ok(()),
        }
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        let Self { ordinal, verdict } = *self;
        at.lay(world, &Condition::Packet { ordinal, verdict });
    }

    fn lessen(&mut self) -> Vec<Lessen<'_>> {
        match &mut self.verdict {
            PacketVerdict::Delay { ms } => vec![Lessen::Ms(ms)],
            _ => Vec::new(),
        }
    }
}

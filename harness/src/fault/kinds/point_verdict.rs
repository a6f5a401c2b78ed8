//! A verdict on one message at a fault point of the app under test.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{Befalls, Behaviour, Fault, FaultKind, InForce, KindSpec, Lessen, Plan, Span, point::Points},
    seed::Stream,
    signaling::conditions::MessageFate,
    world::Controls,
};

/// The app is told to delay, lose or duplicate one message at one of its fault points.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointVerdict {
    /// The message's number among those that come to the point on all hosts in the whole run, from 0.
    pub nth: u64,
    /// The verdict.
    pub verdict: MessageFate,
}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "point-verdict",
    about: "The app under test is told what becomes of one message at one of its fault points (`sleet::app::fault_point`).",
    befalls: Befalls::Point,
    parameters: r#"`nth`: from 0, over all hosts; `verdict`: `{"delay": {"ms": 1 or more}}`, `"drop"` or `"duplicate"`"#,
    span: Span::ChaosPhase,
    marks: &["fault-point-hit"],
    draw,
};

/// Draws one to three faults at each point.
fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    let mut faults = Vec::new();
    for point in SPEC.befalls.all(plan) {
        for _ in 0..draws.between(1, 3) {
            let nth = draws.below(12);
            let verdict = match draws.below(3) {
                0 => MessageFate::Drop,
                1 => MessageFate::Duplicate,
                _ => MessageFate::Delay {
                    ms: draws.between(100, 3_000),
                },
            };
            faults.push(Fault::new(point.clone(), PointVerdict { nth, verdict }, 0, None));
        }
    }
    faults
}

impl Behaviour for PointVerdict {
    fn describe(&self, fault: &Fault) -> String {
        let what = match self.verdict {
            MessageFate::Delay { ms } => format!("delayed by {ms} ms"),
            MessageFate::Drop => "dropped".to_owned(),
            MessageFate::Duplicate => "doubled".to_owned(),
        };
        let (point, lasting) = (fault.target.name(), fault.lasting());
        format!("message {} at {point} {what}{lasting}", self.nth)
    }

    fn check(&self, fault: &Fault, before: &[Fault], _: &Plan) -> Result<(), String> {
        let same = |other: &&Fault| match &other.kind {
            FaultKind::PointVerdict(on) => other.target == fault.target && on.nth == self.nth,
            _ => false,
        };
        match before.iter().find(same) {
            Some(other) => Err(format!(
                "kind.point-verdict.nth: fault {} falls on message {} at {} already",
                other.id,
                self.nth,
                fault.target.name()
            )),
            None => Ok(()),
        }
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        let points = world.sim().part::<Points>();
        points.lay(at.fault.id, at.fault.target.name(), self.nth, self.verdict);
    }

    fn end(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        world.sim().part::<Points>().lift(at.fault.id);
    }

    fn lessen(&mut self) -> Vec<Lessen<'_>> {
        match &mut self.verdict {
            MessageFate::Delay { ms } => vec![Lessen::Ms(ms)],
            MessageFate::Drop | MessageFate::Duplicate => Vec::new(),
        }
    }
}

//! The signaling server handles a message later.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{Befalls, Behaviour, Fault, InForce, KindSpec, Lessen, Plan, Span, kinds::message},
    seed::Stream,
    signaling::conditions::MessageFate,
    world::Controls,
};

/// The signaling server handles a message later.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalDelay {
    /// The message's number among those of the client that reach the server in the whole run, from 0; acknowledgements
    /// and registrations do not count, and a message that is sent again counts anew.
    pub message: u64,
    /// The extra delay, in milliseconds; at least 1.
    pub ms: u64,
}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "signal-delay",
    about: "The signaling server takes a message of a client up later.",
    befalls: Befalls::Client,
    parameters: "`message`: from 0, in the order in which the client's messages reach the server; `ms`: 1 at least",
    span: Span::ChaosPhase,
    marks: &["signal-delay-hit"],
    draw,
};

fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    message::some_of_each(draws, plan, |d, message| SignalDelay {
        ms: d.between(100, 4_000),
        message,
    })
}

impl Behaviour for SignalDelay {
    fn describe(&self, fault: &Fault) -> String {
        let client = fault.target.name();
        format!(
            "signaling message {} of {client} delayed by {} ms{}",
            self.message,
            self.ms,
            fault.lasting()
        )
    }

    fn check(&self, fault: &Fault, before: &[Fault], _: &Plan) -> Result<(), String> {
        if self.ms == 0 {
            return Err("kind.signal-delay.ms: 0 is no delay: 1 at least".into());
        }
        message::check(fault, self.message, before)
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        message::lay(at, world, self.message, MessageFate::Delay { ms: self.ms });
    }

    fn end(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        message::lift(at, world);
    }

    fn lessen(&mut self) -> Vec<Lessen<'_>> {
        vec![Lessen::Ms(&mut self.ms)]
    }
}

//! The signaling server handles a message twice.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    fault::{Befalls, Behaviour, Fault, InForce, KindSpec, Plan, Span, kinds::message},
    seed::Stream,
    signaling::conditions::MessageFate,
    world::Controls,
};

/// The signaling server handles a message twice.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalDuplicate {
    /// The message's number among those of the client that reach the server in the whole run, from 0; acknowledgements
    /// and registrations do not count, and a message that is sent again counts anew.
    pub message: u64,
}

/// The specification of the kind.
pub(super) const SPEC: KindSpec = KindSpec {
    name: "signal-duplicate",
    about: "The signaling server takes a message of a client twice.",
    befalls: Befalls::Client,
    parameters: "`message`: from 0, in the order in which the client's messages reach the server",
    span: Span::ChaosPhase,
    marks: &["signal-duplicate-hit"],
    draw,
};

fn draw(draws: &mut Stream, plan: &Plan) -> Vec<Fault> {
    message::some_of_each(draws, plan, |_, message| SignalDuplicate { message })
}

impl Behaviour for SignalDuplicate {
    fn describe(&self, fault: &Fault) -> String {
        let client = fault.target.name();
        format!(
            "signaling message {} of {client} doubled{}",
            self.message,
            fault.lasting()
        )
    }

    fn check(&self, fault: &Fault, before: &[Fault], _: &Plan) -> Result<(), String> {
        message::check(fault, self.message, before)
    }

    fn begin(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        message::lay(at, world, self.message, MessageFate::Duplicate);
    }

    fn end(&self, at: &InForce<'_>, world: &mut Controls<'_, '_>) {
        message::lift(at, world);
    }
}

//! The common base of all families: every client in a plan runs the one calling app, and the signaling server is the
//! harness's.

use sleet::prelude::*;

use crate::{client::Make, defects};

/// Creates a scenario in which every host but the servers runs `app`. A promise is judged by all oracles that the fixed
/// client passes.
pub(crate) fn played(
    kind: Kind,
    name: &str,
    draw: impl Fn(Seed) -> Plan + Send + Sync + 'static,
    app: impl Into<Make>,
) -> Scenario {
    let scenario = Scenario::played(kind, name, draw, deployment(app));
    match kind {
        Kind::Promise => defects::on_the_wire(scenario.holds(&KEPT)),
        _ => scenario,
    }
}

/// The oracles that the fixed client passes, whatever the users, the network and the stack do.
pub(crate) const KEPT: [&Oracle; 28] = [
    &INT_01_HEEDED,
    &CALL_04_CAUSED,
    &CALL_05_TRUE,
    &CALL_06_ONE,
    &SAID_01_ONCE,
    &CALL_01_AGREED,
    &CONN_03_GOES_ON,
    &CONN_04_PROMPT,
    &CALL_02_QUIET,
    &CALL_03_DEAD,
    &RING_01_CALLED,
    &RING_02_ANSWERED,
    &RING_03_REFUSED,
    &RING_04_TOLD,
    &FACT_01_AS_LONG_AS_CALLS,
    &HANG_01_RETURNS,
    &TEAR_03_CLOSED_ONCE,
    &CAND_01_APPLIED,
    &CAND_02_OWN_GENERATION,
    &STATE_01_EDGES,
    &STATE_02_COMPUTED,
    &STATE_04_TURNS,
    &STATE_05_NEWS,
    &TALK_01_TO_THE_END,
    &TRIC_01_ENDS,
    &WIRE_01_PROTECTED,
    &WIRE_02_ROLES,
    &TEAR_06_SILENT,
];

/// Returns a deployment in which every host but the servers runs `app`.
pub(crate) fn deployment(app: impl Into<Make>) -> Deployment {
    Deployment::of(app.into())
}

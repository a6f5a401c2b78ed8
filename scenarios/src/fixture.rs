//! What all families stand on: everybody in a plan runs the one calling app, and the signaling server is the harness's.

use sleet::{
    driver::Cast,
    fault::Plan,
    oracle::{
        Oracle,
        after::{DEAD, QUIET},
        candidates::{APPLIED, OWN_GENERATION},
        causes::{CALL_04_CAUSED, CALL_05_TRUE},
        connection::COMPUTED,
        events::NEWS,
        factory::AS_LONG_AS_CALLS,
        forks::{CALL_06_ONE, RING_02_ANSWERED, RING_03_REFUSED},
        hangup::{CLOSED_ONCE, RETURNS},
        heeded::INT_01_HEEDED,
        ice::EDGES,
        once::SAID_01_ONCE,
        outcomes::{AGREED, GOES_ON},
        ringing::CALLED,
        signaling::TURNS,
        talk::TALK_01_TO_THE_END,
    },
    scenario::{Kind, Scenario},
    seed::Seed,
};

use crate::client::Make;

/// A scenario in which everybody but the servers runs `app`. A promise is judged by everything that the fixed client keeps.
pub(crate) fn played(
    kind: Kind,
    name: &str,
    draw: impl Fn(Seed) -> Plan + Send + Sync + 'static,
    app: impl Into<Make>,
) -> Scenario {
    let scenario = Scenario::played(kind, name, draw, cast(app));
    match kind {
        Kind::Promise => scenario.holds(&KEPT),
        _ => scenario,
    }
}

/// What the fixed client keeps, whatever the users do and whatever the network and the stack are like.
pub(crate) const KEPT: [&Oracle; 22] = [
    &INT_01_HEEDED,
    &CALL_04_CAUSED,
    &CALL_05_TRUE,
    &CALL_06_ONE,
    &SAID_01_ONCE,
    &AGREED,
    &GOES_ON,
    &QUIET,
    &DEAD,
    &CALLED,
    &RING_02_ANSWERED,
    &RING_03_REFUSED,
    &AS_LONG_AS_CALLS,
    &RETURNS,
    &CLOSED_ONCE,
    &APPLIED,
    &OWN_GENERATION,
    &EDGES,
    &COMPUTED,
    &TURNS,
    &NEWS,
    &TALK_01_TO_THE_END,
];

/// Everybody but the servers runs `app`.
pub(crate) fn cast(app: impl Into<Make>) -> Cast {
    Cast::of(app.into())
}

//! Brings servers, clients and users together and lets calls happen.

use std::{sync::Arc, time::Duration};

use sleet::{fault::Plan, time::SimTime, world::Sim};

use crate::{cast::Cast, client::Policy};

/// How long after the last hangup the run goes on: longer than closing a peer may take.
const AFTERMATH: Duration = Duration::from_millis(2_500);
/// How long it takes to end a signaling connection in good order.
const GOODBYE: Duration = Duration::from_secs(1);

/// Everybody in the plan but the servers runs the client of `policy`; the users follow the script until
/// every call is connected or out of time, talk, and hang up.
pub async fn calls(sim: Sim, plan: Arc<Plan>, policy: Policy) {
    let cast = Cast::new(&sim, &plan, policy);
    cast.enter();
    let deadline = cast.follow_the_script();
    let all_settled = async {
        cast.standing().settled().await;
        // What a crash took away has to connect again.
        sim.sleep(plan.all_hosts_run_from() - sim.now()).await;
        cast.standing().settled().await;
    };
    let in_time = tokio::time::timeout(deadline - sim.now(), all_settled).await;
    sim.step(
        if in_time.is_ok() {
            "all settled"
        } else {
            "out of time"
        },
        "",
    );
    sim.all_turns_taken().await;
    sim.all_turns_taken().await;
    sim.sleep(plan.talk()).await;
    for app in cast.apps() {
        app.host().spawn("hang up", app.clone().hang_up_all());
    }
    sim.sleep(AFTERMATH).await;
    take_census(&sim, &cast).await;
}

/// Everybody goes offline; then nothing may be left of any call.
async fn take_census(sim: &Sim, cast: &Cast) {
    for app in cast.apps() {
        app.go_offline();
    }
    sim.sleep(GOODBYE).await;
    for app in cast.apps() {
        app.host().take_census(0);
    }
    for server in cast.ice_servers() {
        server.retire().await;
    }
}

/// When the liveness oracles have had their time: after the healing and after the last action.
pub(crate) fn deadline(plan: &Plan, last_act: SimTime) -> SimTime {
    last_act.max(plan.heal_at()) + plan.budget()
}

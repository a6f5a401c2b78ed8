//! Brings server, clients and users together and lets calls happen.

use std::{sync::Arc, time::Duration};

use sleet::{
    fault::{Act, Plan, When},
    signaling::{push::PushService, server::Server},
    time::SimTime,
    world::Sim,
};

use crate::client::{App, Policy};

/// How long a connected call is held before it is hung up.
const TALK: Duration = Duration::from_secs(2);
/// How long after the last hangup the run goes on: longer than closing a peer may take.
const AFTERMATH: Duration = Duration::from_millis(2_500);

/// Everybody in the plan but the server runs the client of `policy`; the users follow the script until
/// every call is connected or out of time, talk, and hang up.
pub async fn calls(sim: Sim, plan: Arc<Plan>, policy: Policy) {
    let server = sim.host("server");
    let push = PushService::default();
    if let Err(error) = Server::start(
        &server,
        plan.signaling.clone(),
        push.clone(),
        plan.signaling_faults(),
    )
    .await
    {
        return sim.step("the server did not start", error.to_string());
    }
    let clients = plan.topology.hosts.iter().filter(|h| h.name != "server");
    let apps: Vec<Arc<App>> = clients
        .map(|h| App::new(&sim.host(&h.name), &server, policy, &plan))
        .collect();
    let app = |name: &str| {
        let index = plan
            .topology
            .hosts
            .iter()
            .filter(|h| h.name != "server")
            .position(|h| h.name == name);
        index.map(|i| apps[i].clone())
    };

    for (app, host) in apps
        .iter()
        .zip(plan.topology.hosts.iter().filter(|h| h.name != "server"))
    {
        let dials = plan
            .script
            .iter()
            .any(|s| s.host == host.name && matches!(s.act, Act::Dial { .. }));
        let asleep = plan.signaling.push.is_some() && !dials;
        let host = sim.host(&host.name);
        if asleep {
            let pushes = push.register(host.name(), &host);
            host.spawn("asleep", app.clone().sleep_until_pushed(pushes));
        } else {
            host.spawn("go online", app.clone().go_online());
        }
    }

    let mut deadline = plan.heal_at() + plan.budget();
    let mut calls = Vec::new();
    for scripted in &plan.script {
        let (When::At { ms }, Some(user)) = (scripted.when, app(&scripted.host)) else {
            continue;
        };
        deadline = deadline.max(SimTime::from_millis(ms) + plan.budget());
        if let Act::Dial { to, call } = &scripted.act {
            calls.extend(
                [user.clone()]
                    .into_iter()
                    .chain(app(to))
                    .map(|app| (app, call.clone())),
            );
        }
        let (sim, act) = (sim.clone(), scripted.act.clone());
        sim.clone().host(&scripted.host).spawn("user", async move {
            sim.sleep(SimTime::from_millis(ms) - SimTime::ZERO).await;
            user.act(act).await;
        });
    }

    let all_connected = async {
        for (app, call) in &calls {
            app.until_settled(call).await;
        }
    };
    let in_time = tokio::time::timeout(deadline - sim.now(), all_connected).await;
    sim.step(
        if in_time.is_ok() {
            "all settled"
        } else {
            "out of time"
        },
        "",
    );
    sim.sleep(TALK).await;
    for app in &apps {
        app.host().spawn("hang up", app.clone().hang_up_all());
    }
    sim.sleep(AFTERMATH).await;
}

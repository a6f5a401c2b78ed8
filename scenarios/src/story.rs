//! Brings server, clients and users together and lets calls happen.

use std::{sync::Arc, time::Duration};

use sleet::{
    explore,
    fault::{Act, Plan, When},
    net::topology::HostSpec,
    servers::RunningServer,
    signaling::{push::PushService, server::Server},
    time::SimTime,
    trace::EventKind,
    world::Sim,
};

use crate::client::{App, Policy};

/// How long after the last hangup the run goes on: longer than closing a peer may take.
const AFTERMATH: Duration = Duration::from_millis(2_500);
/// How long it takes to end a signaling connection in good order.
const GOODBYE: Duration = Duration::from_secs(1);

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
    // They run until the story is over.
    let mut ice_servers = Vec::new();
    for spec in &plan.ice_servers {
        match RunningServer::start(&sim.host(&spec.host), spec.turn).await {
            Ok(running) => ice_servers.push(running),
            Err(error) => return sim.step("a server did not start", error.to_string()),
        }
    }
    let clients = clients(&plan);
    let apps: Vec<Arc<App>> = clients
        .iter()
        .map(|h| App::new(&sim.host(&h.name), &server, policy, &plan))
        .collect();
    let app = |name: &str| {
        clients
            .iter()
            .position(|h| h.name == name)
            .map(|i| apps[i].clone())
    };

    for (app, host) in apps.iter().zip(&clients) {
        let dials = plan
            .script
            .iter()
            .any(|s| s.host == host.name && matches!(s.act, Act::Dial { .. }));
        let asleep = plan.signaling.push.is_some() && !dials;
        let host = sim.host(&host.name);
        if asleep {
            let pushes = push.register(host.name(), &host);
            app.keep(host.spawn("asleep", app.clone().sleep_until_pushed(pushes)));
        } else {
            host.spawn("go online", app.clone().go_online());
        }
    }

    let mut deadline = plan.heal_at() + plan.budget();
    let mut calls = Vec::new();
    for scripted in &plan.script {
        let (When::At { ms } | When::Free { from_ms: ms }, Some(user)) = (scripted.when, app(&scripted.host))
        else {
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
        if let When::Free { .. } = scripted.when {
            continue;
        }
        let (sim, act) = (sim.clone(), scripted.act.clone());
        sim.clone().host(&scripted.host).spawn("user", async move {
            sim.sleep(SimTime::from_millis(ms) - SimTime::ZERO).await;
            user.act(act).await;
        });
    }

    for user in &apps {
        user.host().spawn("user", act_freely(user.clone(), plan.clone()));
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
    sim.all_turns_taken().await;
    sim.sleep(plan.talk()).await;
    for app in &apps {
        app.host().spawn("hang up", app.clone().hang_up_all());
    }
    sim.sleep(AFTERMATH).await;
    take_census(&sim, &apps, &plan, &ice_servers).await;
}

/// Does one after the other what the user may do at any time, whenever the order of the plan says so.
async fn act_freely(user: Arc<App>, plan: Arc<Plan>) {
    let host = user.host();
    for scripted in plan.script.iter().filter(|s| s.host == host.name()) {
        let When::Free { from_ms } = scripted.when else {
            continue;
        };
        host.sim()
            .sleep(SimTime::from_millis(from_ms) - host.sim().now())
            .await;
        let step = format!("user {}", scripted.act.name());
        host.turn(explore::USER, &step).await;
        host.spawn("user", user.clone().act(scripted.act.clone()));
    }
}

/// The hosts that people hold in their hands.
fn clients(plan: &Plan) -> Vec<&HostSpec> {
    let serves = |name: &str| name == "server" || plan.ice_servers.iter().any(|s| s.host == name);
    plan.topology.hosts.iter().filter(|h| !serves(&h.name)).collect()
}

/// Everybody goes offline; then nothing may be left of any call.
async fn take_census(sim: &Sim, apps: &[Arc<App>], plan: &Plan, ice_servers: &[RunningServer]) {
    for app in apps {
        app.go_offline();
    }
    sim.sleep(GOODBYE).await;
    for app in apps {
        app.host().take_census(0);
    }
    for (spec, server) in plan.ice_servers.iter().zip(ice_servers) {
        // A server that does not answer has nothing left to say.
        let allocations = server.allocations().await.unwrap_or_default() as u64;
        let host = sim.host(&spec.host);
        host.run(|| {
            sim.record(EventKind::Census {
                tasks: Vec::new(),
                sockets: Vec::new(),
                allocations,
            });
        });
    }
}

//! Brings server, phones and users together and plays a script.
//!
//! Nobody waits for a user: what the script says happens, and at the end of the budget everything is hung up.

use std::{sync::Arc, time::Duration};

use sleet::{
    fault::{Act, Plan, When},
    net::topology::HostSpec,
    servers::RunningServer,
    signaling::{push::PushService, server::Server},
    time::SimTime,
    world::Sim,
};

use crate::phone::{Make, Phone};

/// How long after the last hangup the run goes on: longer than telling the other end and closing a peer may take.
const AFTERMATH: Duration = Duration::from_secs(4);
/// How much later than the last deadline by the clock the last call is hung up: users take a while to pick up.
const PICK_UP: Duration = Duration::from_secs(3);
/// How long it takes to end a signaling connection in good order.
const GOODBYE: Duration = Duration::from_secs(1);

/// Everybody in the plan but the servers has a phone of that make.
pub async fn play(sim: Sim, plan: Arc<Plan>, make: Make) {
    let push = PushService::default();
    // They run until the story is over.
    let ice_servers = match start_servers(&sim, &plan, &push).await {
        Ok(running) => running,
        Err(error) => return sim.step("a server did not start", error),
    };
    let server = sim.host("server");
    let phones: Vec<Arc<Phone>> = people(&plan)
        .iter()
        .map(|h| Phone::new(&sim.host(&h.name), &server, make, &plan))
        .collect();
    wake(&plan, &phones, &push);
    begin_script(&plan, &phones);
    sim.sleep(last_call(&plan) + plan.budget() + PICK_UP - sim.now())
        .await;
    for phone in &phones {
        phone.host().spawn("hang up", phone.clone().hang_up_all());
    }
    sim.sleep(AFTERMATH).await;
    for phone in &phones {
        phone.go_offline();
    }
    sim.sleep(GOODBYE).await;
    for phone in &phones {
        phone.host().take_census(0);
    }
    for server in &ice_servers {
        server.retire().await;
    }
}

/// Starts the signaling server and those of the plan.
async fn start_servers(sim: &Sim, plan: &Plan, push: &PushService) -> Result<Vec<RunningServer>, String> {
    let (server, signaling) = (sim.host("server"), plan.signaling.clone());
    let started = Server::start(&server, signaling, push.clone()).await;
    started.map_err(|e| e.to_string())?;
    let mut running = Vec::new();
    for spec in &plan.ice_servers {
        let (host, turn) = (sim.host(&spec.host), spec.turn);
        let starting = host.clone();
        let started = host.spawn("start server", async move {
            RunningServer::start(&starting, turn).await
        });
        let started = started.await.map_err(|e| e.to_string())?;
        running.push(started.map_err(|e| e.to_string())?);
    }
    Ok(running)
}

/// The hosts that people hold in their hands.
fn people(plan: &Plan) -> Vec<&HostSpec> {
    let serves = |name: &str| name == "server" || plan.ice_servers.iter().any(|s| s.host == name);
    let hosts = plan.topology.hosts.iter();
    hosts.filter(|h| !serves(&h.name)).collect()
}

/// Brings every phone online, but for those that sleep until they are called.
fn wake(plan: &Plan, phones: &[Arc<Phone>], push: &PushService) {
    for phone in phones {
        let host = phone.host();
        if plan.signaling.push.is_some() && !dials(plan, host.name()) {
            let pushes = push.register(host.name(), host);
            phone.keep(host.spawn("asleep", phone.clone().sleep_until_pushed(pushes)));
        } else {
            host.spawn("go online", phone.clone().go_online());
        }
    }
}

/// What the script says by the clock happens by itself; the rest begins as calls come to its points.
fn begin_script(plan: &Plan, phones: &[Arc<Phone>]) {
    for scripted in &plan.script {
        let phone = phones.iter().find(|p| p.host().name() == scripted.host);
        if let (When::At { ms }, Some(phone)) = (scripted.when, phone) {
            let act = scripted.act.clone();
            phone.clone().later(Duration::from_millis(ms), act);
        }
    }
}

/// Whether the user at `host` begins a call.
fn dials(plan: &Plan, host: &str) -> bool {
    let dials = |act: &Act| matches!(act, Act::Dial { .. } | Act::DialGroup { .. });
    plan.script.iter().any(|s| s.host == host && dials(&s.act))
}

/// When the network has healed and the last user has begun to act by the clock.
fn last_call(plan: &Plan) -> SimTime {
    let at = plan.script.iter().filter_map(|s| match s.when {
        When::At { ms } => Some(SimTime::from_millis(ms)),
        _ => None,
    });
    at.fold(plan.heal_at(), SimTime::max)
}

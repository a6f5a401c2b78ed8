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
    trace::EventKind,
    world::Sim,
};

use crate::phone::{Make, Phone};

/// How long after the last hangup the run goes on: longer than telling the other end and closing a peer may take.
const AFTERMATH: Duration = Duration::from_secs(4);
/// How much later than the last deadline by the clock the last call is hung up: users take a while to pick up.
const PICK_UP: Duration = Duration::from_secs(3);
/// How long it takes to end a signaling connection in good order.
const GOODBYE: Duration = Duration::from_secs(1);

/// Everybody in the plan but the server has a phone of that make.
pub async fn play(sim: Sim, plan: Arc<Plan>, make: Make) {
    let server = sim.host("server");
    let push = PushService::default();
    let faults = plan.signaling_faults();
    let started = Server::start(&server, plan.signaling.clone(), push.clone(), faults).await;
    if let Err(error) = started {
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
    let serves = |name: &str| name == "server" || plan.ice_servers.iter().any(|s| s.host == name);
    let hosts = plan.topology.hosts.iter();
    let people: Vec<&HostSpec> = hosts.filter(|h| !serves(&h.name)).collect();
    let phones: Vec<Arc<Phone>> = people
        .iter()
        .map(|h| Phone::new(&sim.host(&h.name), &server, make, &plan))
        .collect();
    for phone in &phones {
        let host = phone.host();
        if plan.signaling.push.is_some() && !dials(&plan, host.name()) {
            let pushes = push.register(host.name(), host);
            phone.keep(host.spawn("asleep", phone.clone().sleep_until_pushed(pushes)));
        } else {
            host.spawn("go online", phone.clone().go_online());
        }
    }
    for scripted in &plan.script {
        let phone = phones.iter().find(|p| p.host().name() == scripted.host);
        if let (When::At { ms }, Some(phone)) = (scripted.when, phone) {
            phone
                .clone()
                .later(Duration::from_millis(ms), scripted.act.clone());
        }
    }
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
    for (spec, server) in plan.ice_servers.iter().zip(&ice_servers) {
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

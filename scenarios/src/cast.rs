//! Who takes part in a story: the servers, the apps, and the users who act on them, life after life of their hosts.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use sleet::{
    explore,
    fault::{Act, Plan, Scripted, When},
    servers::RunningServer,
    signaling::{push::PushService, server::Server},
    time::SimTime,
    world::{Host, Sim},
};
use tokio::sync::watch;

use crate::{
    client::{App, Policy, Standing},
    story,
};

/// Does one after the other what the user may do at any time, whenever the order of the plan says so.
async fn act_freely(user: Arc<App>, plan: Arc<Plan>) {
    let host = user.host();
    for scripted in plan.script.iter().filter(|s| s.host == host.name()) {
        let When::Free { from_ms } = scripted.when else {
            continue;
        };
        let sim = host.sim();
        sim.sleep(SimTime::from_millis(from_ms) - sim.now()).await;
        let step = format!("user {}", scripted.act.name());
        host.turn(explore::USER, &step).await;
        host.spawn("user", user.clone().act(scripted.act.clone()));
    }
}

/// The host of the signaling service.
const SERVER: &str = "server";

/// Everybody who takes part.
pub(crate) struct Cast {
    sim: Sim,
    plan: Arc<Plan>,
    policy: Policy,
    push: PushService,
    standing: Standing,
    // Those that run, by host.
    apps: watch::Sender<BTreeMap<String, Arc<App>>>,
    ice_servers: Mutex<BTreeMap<String, Arc<RunningServer>>>,
    // What the users dialed, by the name that the script gives the call.
    dialed: Mutex<BTreeMap<String, Dialed>>,
}

#[derive(Clone)]
struct Dialed {
    caller: String,
    callee: String,
    // What the call is named now: a caller who starts again dials again.
    call: String,
}

impl Cast {
    pub(crate) fn new(sim: &Sim, plan: &Arc<Plan>, policy: Policy) -> Arc<Self> {
        Arc::new(Self {
            sim: sim.clone(),
            plan: plan.clone(),
            policy,
            push: PushService::default(),
            standing: Standing::default(),
            apps: watch::Sender::new(BTreeMap::new()),
            ice_servers: Mutex::default(),
            dialed: Mutex::default(),
        })
    }

    /// How the calls stand.
    pub(crate) fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The apps that run.
    pub(crate) fn apps(&self) -> Vec<Arc<App>> {
        self.apps.borrow().values().cloned().collect()
    }

    /// The STUN and TURN servers that run.
    pub(crate) fn ice_servers(&self) -> Vec<Arc<RunningServer>> {
        self.running().values().cloned().collect()
    }

    /// Starts everybody, the servers first.
    pub(crate) fn enter(self: &Arc<Self>) {
        let hosts = self.plan.topology.hosts.iter().map(|h| h.name.clone());
        let (clients, servers): (Vec<_>, Vec<_>) = hosts.partition(|name| self.is_client(name));
        for name in servers.into_iter().chain(clients) {
            self.sim.spawn("lives", self.clone().live(name));
        }
    }

    /// Lets the users act as the script says; returns until when every call must be settled.
    pub(crate) fn follow_the_script(self: &Arc<Self>) -> SimTime {
        let mut last_act = SimTime::ZERO;
        for scripted in &self.plan.script {
            let (When::At { ms } | When::Free { from_ms: ms }) = scripted.when else {
                continue;
            };
            if !self.is_client(&scripted.host) {
                continue;
            }
            last_act = last_act.max(SimTime::from_millis(ms));
            if let Act::Dial { to, call } = &scripted.act {
                self.expect([&scripted.host, to], call);
            }
            if let When::At { .. } = scripted.when {
                self.sim.spawn("user", self.clone().act(scripted.clone(), ms));
            }
        }
        story::deadline(&self.plan, last_act)
    }

    /// Keeps what belongs on a host running.
    async fn live(self: Arc<Self>, name: String) {
        let mut lives = self.sim.lives(&name);
        loop {
            self.start(&self.sim.host(&name)).await;
            if lives.wait_for(|now| !now.up).await.is_err() {
                return;
            }
            self.crashed(&name);
            if lives.wait_for(|now| now.up).await.is_err() {
                return;
            }
            self.sim.mark("host-restarted");
        }
    }

    async fn start(self: &Arc<Self>, host: &Host) {
        let name = host.name();
        if name == SERVER {
            let (signaling, push) = (self.plan.signaling.clone(), self.push.clone());
            if let Err(error) = Server::start(host, signaling, push).await {
                self.sim.step("the server did not start", error.to_string());
            }
            return;
        }
        if let Some(spec) = self.plan.ice_servers.iter().find(|s| s.host == name) {
            let (serving, turn) = (host.clone(), spec.turn);
            let started = host.spawn("start server", async move {
                RunningServer::start(&serving, turn).await
            });
            match started.await {
                Ok(Ok(server)) => drop(self.running().insert(name.to_owned(), Arc::new(server))),
                Ok(Err(error)) => self.sim.step("a server did not start", error.to_string()),
                // It crashed meanwhile.
                Err(_) => {}
            }
            return;
        }
        self.start_app(host);
    }

    fn start_app(self: &Arc<Self>, host: &Host) {
        let (server, standing) = (self.sim.host(SERVER), self.standing.clone());
        let app = App::new(host, &server, self.policy, &self.plan, standing);
        if self.plan.signaling.push.is_some() && !self.dials(host.name()) {
            let pushes = self.push.register(host.name(), host);
            app.keep(host.spawn("asleep", app.clone().sleep_until_pushed(pushes)));
        } else {
            host.spawn("go online", app.clone().go_online());
        }
        self.apps.send_modify(|apps| {
            apps.insert(host.name().to_owned(), app.clone());
        });
        self.dial_again(host, &app);
        if self.plan.order.is_some() {
            host.spawn("user", act_freely(app, self.plan.clone()));
        }
    }

    /// A user whose phone has started again dials again what the crash took away.
    fn dial_again(&self, host: &Host, app: &Arc<App>) {
        let mut dialed = self.dialed();
        for (name, dialed) in dialed.iter_mut().filter(|(_, d)| d.caller == host.name()) {
            let ends = [dialed.caller.as_str(), &dialed.callee];
            if self.standing.is_over(&dialed.caller, &dialed.call) {
                continue;
            }
            self.standing.forget(ends, &dialed.call);
            dialed.call = format!("{name}.{}", host.life());
            self.expect([&dialed.caller, &dialed.callee], &dialed.call);
            let (to, call) = (dialed.callee.clone(), dialed.call.clone());
            host.spawn("user", app.clone().act(Act::Dial { to, call }));
        }
    }

    /// A host has crashed: its calls have to connect again.
    fn crashed(&self, name: &str) {
        self.apps.send_modify(|apps| {
            if let Some(app) = apps.remove(name) {
                app.abandon();
            }
        });
        self.running().remove(name);
        for Dialed { caller, callee, call } in self.dialed().values() {
            if [caller, callee].into_iter().any(|end| end == name) {
                self.standing.lost([caller, callee], call);
            }
        }
    }

    /// A user acts at `ms`, or as soon as the phone runs again.
    async fn act(self: Arc<Self>, scripted: Scripted, ms: u64) {
        let Scripted { host, mut act, .. } = scripted;
        self.sim.sleep(SimTime::from_millis(ms) - SimTime::ZERO).await;
        let mut apps = self.apps.subscribe();
        let Ok(apps) = apps.wait_for(|apps| apps.contains_key(&host)).await else {
            return;
        };
        let app = apps[&host].clone();
        drop(apps);
        match &mut act {
            Act::Dial { to, call } => drop(self.dialed().insert(
                call.clone(),
                Dialed {
                    caller: host,
                    callee: to.clone(),
                    call: call.clone(),
                },
            )),
            Act::Retry { call } | Act::Hangup { call } => {
                if let Some(dialed) = self.dialed().get(call) {
                    call.clone_from(&dialed.call);
                }
            }
            _ => {}
        }
        app.host().spawn("user", app.clone().act(act));
    }

    fn expect(&self, ends: [&str; 2], call: &str) {
        for host in ends.into_iter().filter(|h| self.is_client(h)) {
            self.standing.expect(host, call);
        }
    }

    /// Whether people hold the host in their hands.
    fn is_client(&self, name: &str) -> bool {
        name != SERVER && self.plan.ice_servers.iter().all(|s| s.host != name)
    }

    fn dials(&self, host: &str) -> bool {
        let dials = |s: &Scripted| s.host == host && matches!(s.act, Act::Dial { .. });
        self.plan.script.iter().any(dials)
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<String, Arc<RunningServer>>> {
        self.ice_servers.lock().expect("no panic while it is held")
    }

    fn dialed(&self) -> MutexGuard<'_, BTreeMap<String, Dialed>> {
        self.dialed.lock().expect("no panic while it is held")
    }
}

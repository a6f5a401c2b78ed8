//! Drives the apps under test: starts them on their hosts, again after each crash, and acts for their users.
//!
//! - [`app`]: the seam: programs, apps, and the intents of users
//! - [`screen`]: what an app shows its user
//! - [`deployment`]: which program runs on which host; [`servers`]: those of the harness
//! - [`script`]: the acts of users, and when they happen
//! - [`forks`]: calls that ring on several devices
//! - [`progress`]: the state of calls
//!
//! The driver records users' intents when they have them. It never asks an app what it did.

mod app;
mod deployment;
mod forks;
mod progress;
mod screen;
mod script;
mod servers;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

pub use app::{App, Launch, NoUser, NotUnderstood, Program, StartError};
pub use deployment::Deployment;
use forks::Fork;
use progress::Progress;
pub use screen::Screen;
use script::Dialed;
use tokio::sync::{mpsc, watch};

use crate::{
    fault::{Act, Plan, Scripted},
    oracle::talk::MISSED,
    signaling::push::PushService,
    time::SimTime,
    trace::EventKind,
    world::{Host, Sim},
};

/// The time that the run goes on after the last call was ended: longer than telling the other end and closing a peer
/// may take.
const AFTERMATH: Duration = Duration::from_millis(2_500);
/// The time for closing connections in good order.
const GOODBYE: Duration = Duration::from_secs(1);
/// The time that the run waits for a call beyond its budget: users take a while to pick up.
const PICK_UP: Duration = Duration::from_secs(3);
/// The time within which an intent must take visible effect: a little more than the oracles allow.
const EFFECT: Duration = Duration::from_millis(3_200);
/// The time that an ended server may take to release its sockets: simulated time moves when nothing is left to do.
const FAREWELL: Duration = Duration::from_millis(1);

/// Runs `plan` with `deployment`: users follow the script until every call is usable or over, or out of time; then they
/// talk, and the run is cleaned up.
pub async fn play(sim: Sim, plan: Arc<Plan>, deployment: Arc<Deployment>) {
    let driver = Driver::new(&sim, &plan, deployment);
    driver.enter().await;
    driver.follow_the_script();
    driver.settled().await;
    sim.all_turns_taken().await;
    sim.all_turns_taken().await;
    sim.sleep(plan.talk()).await;
    driver.last_effect().await;
    driver.clean_up().await;
}

/// The driver of a run.
struct Driver {
    sim: Sim,
    plan: Arc<Plan>,
    deployment: Arc<Deployment>,
    push: PushService,
    // The running apps, by host.
    apps: watch::Sender<BTreeMap<String, Arc<dyn App>>>,
    servers: Mutex<BTreeMap<String, Arc<dyn App>>>,
    progress: Arc<Mutex<Progress>>,
    // Counts up whenever a call may have settled.
    changes: Arc<watch::Sender<u64>>,
    hand: Mutex<Hand>,
}

/// The state of the users' acts.
#[derive(Default)]
struct Hand {
    // The number of the next intent.
    next: u64,
    // Indices of the acts of the script that have begun.
    begun: BTreeSet<usize>,
    // The number of acts that are planned or under way.
    pending: u64,
    // The time of the last intent.
    last: SimTime,
    // The time of the last intent whose effect no connection shows.
    last_unseen: SimTime,
    // Dialed calls, by their name in the script.
    dialed: BTreeMap<String, Dialed>,
    // The legs of each group.
    groups: BTreeMap<String, Vec<String>>,
    // Calls that ring on several devices, by their name in the script.
    forks: BTreeMap<String, Fork>,
}

impl Driver {
    fn new(sim: &Sim, plan: &Arc<Plan>, deployment: Arc<Deployment>) -> Arc<Self> {
        let (news, happenings) = mpsc::unbounded_channel();
        let pause = plan.talk_every().unwrap_or_default() * MISSED;
        let progress = Arc::new(Mutex::new(Progress::new(pause, news)));
        let changes = Arc::new(watch::Sender::new(0));
        let (hears, tells) = (progress.clone(), changes.clone());
        sim.heard_by(move |event| {
            hears.lock().expect("listening does not panic").hear(event);
            if matches!(
                event.kind,
                EventKind::Usable { .. }
                    | EventKind::Call { .. }
                    | EventKind::Heard { .. }
                    | EventKind::Crashed
            ) {
                tells.send_modify(|changes| *changes += 1);
            }
        });
        let driver = Arc::new(Self {
            sim: sim.clone(),
            plan: plan.clone(),
            deployment,
            push: PushService::default(),
            apps: watch::Sender::new(BTreeMap::new()),
            servers: Mutex::default(),
            progress,
            changes,
            hand: Mutex::default(),
        });
        sim.spawn("users", driver.clone().attend(happenings));
        driver
    }

    /// Starts all programs, the servers first.
    async fn enter(self: &Arc<Self>) {
        let hosts = self.plan.topology.hosts.iter().map(|h| h.name.clone());
        let (servers, apps): (Vec<_>, Vec<_>) = hosts.partition(|name| self.is_server(name));
        for name in servers {
            self.clone().start(&self.sim.host(&name)).await;
            self.sim.spawn("lives", self.clone().live(name));
        }
        for name in apps {
            self.clone().start(&self.sim.host(&name)).await;
            self.sim.spawn("lives", self.clone().live(name));
        }
    }

    /// Starts the host's program again after each crash.
    async fn live(self: Arc<Self>, name: String) {
        let mut lives = self.sim.lives(&name);
        loop {
            if lives.wait_for(|now| !now.up).await.is_err() {
                return;
            }
            self.crashed(&name);
            if lives.wait_for(|now| now.up).await.is_err() {
                return;
            }
            self.sim.mark("host-restarted");
            self.clone().start(&self.sim.host(&name)).await;
        }
    }

    async fn start(self: Arc<Self>, host: &Host) {
        let name = host.name();
        let Some((program, is_server)) = self.deployment.on(&self.plan, name) else {
            return;
        };
        let asleep =
            !is_server && self.plan.signaling.as_ref().is_some_and(|s| s.push.is_some()) && !self.dials(name);
        let launch = Launch {
            host: host.clone(),
            plan: self.plan.clone(),
            screen: Screen::of(host),
            pushes: asleep.then(|| self.push.register(name, host)),
            push: self.push.clone(),
        };
        let app = match host
            .spawn("start", async move { program.start(launch).await })
            .await
        {
            Ok(Ok(app)) => app,
            Ok(Err(StartError(error))) => {
                return host.run(|| self.sim.record(EventKind::NotStarted { error }));
            }
            // The host crashed meanwhile.
            Err(_) => return,
        };
        if is_server {
            self.servers().insert(name.to_owned(), app);
            return;
        }
        self.apps
            .send_modify(|apps| drop(apps.insert(name.to_owned(), app)));
        self.dial_again(host);
        if self.plan.order.is_some() {
            self.sim.spawn("user", self.clone().act_freely(name.to_owned()));
        }
    }

    /// Forgets the programs of a host that has crashed.
    fn crashed(&self, name: &str) {
        self.apps.send_modify(|apps| drop(apps.remove(name)));
        self.servers().remove(name);
    }

    /// Waits until every call is usable or over at both ends and no user is about to act, or until the deadline for the
    /// others.
    async fn settled(&self) {
        let mut changes = self.changes.subscribe();
        loop {
            let from = self.settles_from();
            let until = if self.is_settled() { from } else { self.deadline() };
            if self.sim.now() >= until {
                return;
            }
            let changed = async {
                // The sender lives as long as the driver.
                let _ = changes.changed().await;
            };
            // After a timeout the state is checked once more: a deadline may have moved meanwhile.
            let _ = tokio::time::timeout(until - self.sim.now(), changed).await;
        }
    }

    /// Returns the time at which the liveness oracles have had their budget: after the healing and after the last
    /// intent.
    fn deadline(&self) -> SimTime {
        let last = self.hand().last;
        let due = last.max(self.last_scripted()).max(self.plan.heal_at()) + self.plan.budget() + PICK_UP;
        // The run must end in good order before its horizon.
        let horizon = SimTime::ZERO + self.plan.bounds().horizon;
        let rest = self.plan.talk() + EFFECT + AFTERMATH + GOODBYE + AFTERMATH;
        due.min(SimTime::ZERO + (horizon - SimTime::ZERO).saturating_sub(rest))
    }

    /// Waits until the last intent has had the time to take effect.
    async fn last_effect(&self) {
        let last = self.hand().last_unseen;
        self.sim.sleep(last + EFFECT - self.sim.now()).await;
    }

    /// Returns the time from which nothing in the plan can unsettle a call: all hosts run, and in plans with talk, the
    /// network has healed.
    fn settles_from(&self) -> SimTime {
        match self.plan.talk_every() {
            None => self.plan.all_hosts_run_from(),
            Some(every) => self.plan.heal_at() + every * 2,
        }
    }

    fn is_settled(&self) -> bool {
        let hand = self.hand();
        let progress = self.progress();
        let talks = |d: &Dialed| match self.plan.talk_every() {
            // A message that was sent at the time of the healing may have been under way for long.
            Some(every) if self.sim.now() >= self.settles_from() => {
                progress.talks(&d.call, &d.caller, &d.callee, self.plan.heal_at() + every)
            }
            _ => true,
        };
        let settled = |d: &Dialed| progress.is_settled(&d.call, &d.caller, &d.callee) && talks(d);
        hand.pending == 0 && hand.dialed.values().all(settled)
    }

    /// Ends every call and takes every app offline; then nothing may be left.
    async fn clean_up(&self) {
        self.sim.record(EventKind::CleanUp);
        self.hand().begun.extend(0..self.plan.script.len());
        for (name, app) in self.running() {
            self.sim.host(&name).spawn("clean up", app.end_calls());
        }
        self.sim.sleep(AFTERMATH).await;
        for (name, app) in self.running() {
            self.sim.host(&name).spawn("go offline", app.go_offline());
        }
        self.sim.sleep(GOODBYE).await;
        for (name, _) in self.running() {
            self.sim.host(&name).check_leaks(0);
        }
        let servers = self.servers().clone();
        for (name, server) in servers {
            let host = self.sim.host(&name);
            let allocations = match server.allocations().await {
                Ok(allocations) => allocations,
                Err(error) => {
                    host.run(|| self.sim.record(EventKind::NotCounted { error }));
                    continue;
                }
            };
            server.go_offline().await;
            self.sim.sleep(FAREWELL).await;
            if self.plan.ice_servers.iter().any(|s| s.host == name) {
                host.check_leaks(allocations);
            }
        }
    }

    fn running(&self) -> Vec<(String, Arc<dyn App>)> {
        let apps = self.apps.borrow();
        apps.iter()
            .map(|(name, app)| (name.clone(), app.clone()))
            .collect()
    }

    fn is_server(&self, name: &str) -> bool {
        self.deployment
            .on(&self.plan, name)
            .is_some_and(|(_, server)| server)
    }

    /// Reports whether the script has the user at `host` begin a call.
    fn dials(&self, host: &str) -> bool {
        let dials = |s: &Scripted| {
            s.host == host && matches!(s.act, Act::Dial { .. } | Act::DialGroup { .. } | Act::App { .. })
        };
        self.plan.script.iter().any(dials)
    }

    fn hand(&self) -> MutexGuard<'_, Hand> {
        self.hand.lock().expect("no panic while it is held")
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().expect("no panic while it is held")
    }

    fn servers(&self) -> MutexGuard<'_, BTreeMap<String, Arc<dyn App>>> {
        self.servers.lock().expect("no panic while it is held")
    }
}

//! The acts of users: the script of the plan, turned into intents at their time.
//!
//! A user acts at a time, on what the screen shows, at a point of a call, or when the order of the plan says so. The
//! intent is recorded before the app hears of it.

use std::{sync::Arc, time::Duration};

use tokio::sync::mpsc::UnboundedReceiver;

use super::{
    Driver,
    progress::{Happening, What},
};
use crate::{
    explore,
    fault::{Act, When},
    time::SimTime,
    trace::{EventKind, Intent, leg_of},
    world::Host,
};

/// The time after a phone has stopped ringing in which its user may still tap the button that is gone.
const TAP: Duration = Duration::from_millis(300);

/// A call that a user dialed.
#[derive(Clone, Debug)]
pub(super) struct Dialed {
    pub caller: String,
    pub callee: String,
    /// The current name of the call: a caller that starts again dials again under a new name.
    pub call: String,
    /// The call that this is a leg of, by its name in the script.
    pub fork: Option<String>,
}

impl Driver {
    /// Schedules the acts of users that have a fixed time.
    pub(super) fn follow_the_script(self: &Arc<Self>) {
        for (index, scripted) in self.plan.script.iter().enumerate() {
            if let When::At { ms } = scripted.when {
                let after = SimTime::from_millis(ms) - self.sim.now();
                self.later(index, &scripted.host, scripted.act.clone(), after);
            }
        }
    }

    /// Returns the time of the last act with a fixed time.
    pub(super) fn last_scripted(&self) -> SimTime {
        let times = self.plan.script.iter().filter_map(|s| match s.when {
            When::At { ms } | When::Free { from_ms: ms } => Some(SimTime::from_millis(ms)),
            _ => None,
        });
        times.max().unwrap_or_default()
    }

    /// Schedules the acts of users that follow events.
    pub(super) async fn attend(self: Arc<Self>, mut happenings: UnboundedReceiver<Happening>) {
        while let Some(Happening { host, call, what }) = happenings.recv().await {
            for (index, scripted) in self.plan.script.iter().enumerate() {
                if scripted.host != host {
                    continue;
                }
                match (scripted.when, &scripted.act, what) {
                    (When::Rung { ms }, Act::Answer, What::Rings) => {
                        self.pick_up_later(&host, &call, Duration::from_millis(ms));
                    }
                    (When::Reached { point, after_ms }, act, What::Reached(reached))
                        if point == reached && self.is_about(act, &call) =>
                    {
                        self.later(index, &host, act.clone(), Duration::from_millis(after_ms));
                    }
                    (When::Over { after_ms }, act, What::Over)
                        if self.is_about(act, &call) && self.is_over_at(&host, &call) =>
                    {
                        self.later(index, &host, act.clone(), Duration::from_millis(after_ms));
                    }
                    _ => {}
                }
            }
        }
    }

    /// Reports whether `act` is about `call`, which may have been dialed again under another name than the script's,
    /// and may be a leg of another.
    fn is_about(&self, act: &Act, call: &str) -> bool {
        let hand = self.hand();
        let dialed = hand.dialed.iter().find(|(_, d)| d.call == call);
        let name = dialed.map_or(call, |(name, _)| name.as_str());
        let fork = dialed.and_then(|(_, d)| d.fork.as_deref());
        act.call().is_some_and(|of| of == name || Some(of) == fork)
    }

    /// Schedules an act of the user at `host`; each act of the script happens once.
    fn later(self: &Arc<Self>, index: usize, host: &str, act: Act, after: Duration) {
        {
            let mut hand = self.hand();
            if !hand.begun.insert(index) {
                return;
            }
            hand.pending += 1;
        }
        let (driver, host) = (self.clone(), host.to_owned());
        self.sim.spawn("user", async move {
            driver.sim.sleep(after).await;
            driver.act(&host, act).await;
            driver.done();
        });
    }

    /// Makes the user at `host` accept `call` after a while, if it still rings by then or has only just stopped.
    fn pick_up_later(self: &Arc<Self>, host: &str, call: &str, after: Duration) {
        self.hand().pending += 1;
        let (driver, host, call) = (self.clone(), host.to_owned(), call.to_owned());
        self.sim.spawn("user", async move {
            driver.sim.sleep(after).await;
            let now = driver.sim.now();
            let rings = driver
                .progress()
                .of(&host, &call)
                .is_some_and(|end| !end.ended && (end.rings || end.silent.is_some_and(|at| now <= at + TAP)));
            if rings && let Some(at) = driver.sim.find_host(&host).filter(Host::is_up) {
                driver.want(&at, Intent::Accept { call }).await;
            }
            driver.done();
        });
    }

    /// Performs the free acts of the user at `host` one after the other, when the order of the plan says so.
    pub(super) async fn act_freely(self: Arc<Self>, host: String) {
        for scripted in self.plan.script.iter().filter(|s| s.host == host) {
            let When::Free { from_ms } = scripted.when else {
                continue;
            };
            self.sim
                .sleep(SimTime::from_millis(from_ms) - self.sim.now())
                .await;
            let step = format!("user {}", scripted.act.name());
            self.sim.host(&host).turn(explore::USER, &step).await;
            self.hand().pending += 1;
            let (driver, act, host) = (self.clone(), scripted.act.clone(), host.clone());
            self.sim.spawn("user", async move {
                driver.act(&host, act).await;
                driver.done();
            });
        }
    }

    /// Counts a planned act as done.
    pub(super) fn done(&self) {
        self.hand().pending -= 1;
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Performs an act of the user at `host`, as soon as the app runs.
    async fn act(self: &Arc<Self>, host: &str, act: Act) {
        let mut apps = self.apps.subscribe();
        // The sender lives as long as the driver.
        drop(apps.wait_for(|apps| apps.contains_key(host)).await);
        let at = self.sim.host(host);
        match act {
            // The ringing triggers it, not the script.
            Act::Answer => {}
            Act::Dial { to, call } => self.dial_by_name(&at, &call, &to).await,
            Act::Redial { call, again } => {
                // A user who was never in the call does not redial.
                if let Some(to) = self.other_of(host, &call) {
                    self.dial_by_name(&at, &again, &to).await;
                }
            }
            Act::Retry { call } => {
                let call = self.current(host, &call);
                self.want_of_each(&at, &call, |call| Intent::Retry { call }).await;
            }
            Act::Hangup { call } => {
                let call = self.current(host, &call);
                self.want_of_each(&at, &call, |call| Intent::HangUp { call })
                    .await;
            }
            Act::Reject { call } => {
                let call = self.current(host, &call);
                self.want(&at, Intent::Reject { call }).await;
            }
            Act::DialGroup { group, to } => self.dial_group(&at, group, to).await,
            Act::HangupGroup { group } => self.hang_up_group(&at, group).await,
            Act::App { name, with } => self.want(&at, Intent::App { name, with }).await,
        }
    }

    pub(super) async fn dial(self: &Arc<Self>, host: &Host, call: &str, to: &str) {
        self.note(call, host, to, call, None);
        let intent = Intent::Dial {
            call: call.to_owned(),
            to: to.to_owned(),
        };
        self.want(host, intent).await;
    }

    pub(super) fn note(&self, name: &str, host: &Host, to: &str, call: &str, fork: Option<&str>) {
        let dialed = Dialed {
            caller: host.name().to_owned(),
            callee: to.to_owned(),
            call: call.to_owned(),
            fork: fork.map(str::to_owned),
        };
        self.hand().dialed.insert(name.to_owned(), dialed);
    }

    /// Dials every client of a group: the legs share the number of the group's intent.
    async fn dial_group(self: &Arc<Self>, host: &Host, group: String, to: Vec<String>) {
        let legs: Vec<(String, String)> = to.iter().map(|to| (leg_of(&group, to), to.clone())).collect();
        let names = legs.iter().map(|(call, _)| call.clone()).collect();
        self.hand().groups.insert(group.clone(), names);
        for (call, to) in &legs {
            self.note(call, host, to, call, None);
        }
        let legs = legs
            .into_iter()
            .map(|(call, to)| Intent::Dial { call, to })
            .collect();
        self.want_each(host, Intent::DialGroup { group, to }, legs).await;
    }

    async fn hang_up_group(self: &Arc<Self>, host: &Host, group: String) {
        let legs = self.hand().groups.get(&group).cloned().unwrap_or_default();
        let legs = legs.into_iter().map(|call| Intent::HangUp { call }).collect();
        self.want_each(host, Intent::HangUpGroup { group }, legs).await;
    }

    /// Redials, under another name, the calls that a crash ended, for a user whose phone has started again.
    pub(super) fn dial_again(self: &Arc<Self>, host: &Host) {
        if host.life() == 0 {
            return;
        }
        self.dial_forks_again(host);
        let lost: Vec<(String, Dialed)> = {
            let hand = self.hand();
            let own = hand
                .dialed
                .iter()
                .filter(|(_, d)| d.caller == host.name() && d.fork.is_none());
            own.map(|(name, d)| (name.clone(), d.clone())).collect()
        };
        // A call that a user had ended, or that the app had shown to be over, is not redialed.
        let lost = lost
            .into_iter()
            .filter(|(_, d)| !self.progress().was_done(&d.caller, &d.call));
        for (name, dialed) in lost.collect::<Vec<_>>() {
            let call = format!("{name}.{}", host.life());
            self.note(&name, host, &dialed.callee, &call, None);
            self.hand().pending += 1;
            let (driver, host, to) = (self.clone(), host.clone(), dialed.callee);
            self.sim.spawn("user", async move {
                driver.want(&host, Intent::Dial { call, to }).await;
                driver.done();
            });
        }
    }

    /// Records an intent of the user at `host`, and then tells the app.
    pub(super) async fn want(self: &Arc<Self>, host: &Host, intent: Intent) {
        self.want_each(host, intent, Vec::new()).await;
    }

    pub(super) async fn want_each(self: &Arc<Self>, host: &Host, intent: Intent, legs: Vec<Intent>) {
        let app = self.apps.borrow().get(host.name()).cloned();
        // A phone that crashes at this instant has no user.
        let Some(app) = app.filter(|_| host.is_up()) else {
            return;
        };
        let id = {
            let mut hand = self.hand();
            hand.last = self.sim.now();
            if !matches!(
                intent,
                Intent::Dial { .. }
                    | Intent::Accept { .. }
                    | Intent::DialGroup { .. }
                    | Intent::DialUser { .. }
            ) {
                hand.last_unseen = hand.last;
            }
            hand.next += 1;
            hand.next - 1
        };
        self.mark_hangups(host, &intent, &legs);
        for intent in std::iter::once(intent.clone()).chain(legs) {
            host.run(|| self.sim.record(EventKind::Intended { id, intent }));
        }
        let sim = self.sim.clone();
        let obeying = host.spawn("user", async move {
            match app.act(intent).await {
                Ok(()) => sim.record(EventKind::Obeyed { id }),
                Err(super::NotUnderstood) => sim.record(EventKind::NotUnderstood { id }),
            }
        });
        // The task ends with a crash, too.
        let _ = obeying.await;
    }

    /// Sets a mark for the point at which a user hangs up: a hangup has to be tried everywhere.
    fn mark_hangups(&self, host: &Host, intent: &Intent, legs: &[Intent]) {
        for intent in std::iter::once(intent).chain(legs) {
            let Intent::HangUp { call } = intent else { continue };
            let at = {
                let progress = self.progress();
                let end = progress.of(host.name(), call);
                end.filter(|end| !end.over && !end.ended).and_then(|end| end.at)
            };
            if let Some(point) = at {
                host.run(|| self.sim.mark(&format!("hangup-at-{point}")));
            }
        }
    }
}

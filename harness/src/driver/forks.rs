//! Calls that ring on several devices of a user: what the script names once is a leg to each device.
//!
//! The caller's user speaks of the call, whoever is at a device of its leg. Which device has the call is for the app.

use std::sync::Arc;

use super::Driver;
use crate::{
    trace::{Intent, leg_of},
    world::Host,
};

/// A call to all devices of a user.
#[derive(Clone, Debug)]
pub(super) struct Fork {
    /// Who dialed.
    caller: String,
    /// The user who is called.
    to: String,
    /// What the call is named now.
    call: String,
}

impl Driver {
    /// The user at `host` dials a client, or somebody with several devices.
    pub(super) async fn dial_by_name(self: &Arc<Self>, host: &Host, call: &str, to: &str) {
        match self.plan.devices_of(to) {
            None => self.dial(host, call, to).await,
            Some(devices) => {
                let legs = self.fork(host, call, call, to);
                let intent = Intent::DialUser {
                    call: call.to_owned(),
                    to: to.to_owned(),
                    devices: devices.to_vec(),
                };
                self.want_each(host, intent, legs).await;
            }
        }
    }

    /// Notes that `host` dials `to`, in a call that the script names `name` and that is named `call` now: returns the dials of
    /// its legs.
    fn fork(&self, host: &Host, name: &str, call: &str, to: &str) -> Vec<Intent> {
        let fork = Fork {
            caller: host.name().to_owned(),
            to: to.to_owned(),
            call: call.to_owned(),
        };
        self.hand().forks.insert(name.to_owned(), fork);
        let devices = self.plan.devices_of(to).unwrap_or_default();
        let dial = |device: &String| {
            let leg = leg_of(call, device);
            self.note(&leg_of(name, device), host, device, &leg, Some(name));
            let to = device.clone();
            Intent::Dial { call: leg, to }
        };
        devices.iter().map(dial).collect()
    }

    /// What the call that the script names `name` is named now, to the user at `host`.
    pub(super) fn current(&self, host: &str, name: &str) -> String {
        let hand = self.hand();
        match hand.forks.get(name) {
            Some(fork) if fork.caller == host => fork.call.clone(),
            Some(fork) => leg_of(&fork.call, host),
            None => {
                let dialed = hand.dialed.get(name);
                dialed.map_or_else(|| name.to_owned(), |d| d.call.clone())
            }
        }
    }

    /// Whom the user at `host` dials who dials again in the place of the call that the script names `name`.
    pub(super) fn other_of(&self, host: &str, name: &str) -> Option<String> {
        let fork = self.hand().forks.get(name).cloned();
        if let Some(fork) = fork.filter(|fork| fork.caller == host) {
            return Some(fork.to);
        }
        let call = self.current(host, name);
        self.progress().of(host, &call).and_then(|end| end.other.clone())
    }

    /// The user at `host` wants something of `call`, which is meant for each of its legs, if it has any here.
    pub(super) async fn want_of_each(
        self: &Arc<Self>,
        host: &Host,
        call: &str,
        want: impl Fn(String) -> Intent,
    ) {
        let legs = self.legs_at(host.name(), call).into_iter().map(&want).collect();
        self.want_each(host, want(call.to_owned()), legs).await;
    }

    /// The legs of `call` at its caller `host`.
    fn legs_at(&self, host: &str, call: &str) -> Vec<String> {
        let hand = self.hand();
        let fork = hand.forks.values().find(|f| f.caller == host && f.call == call);
        let devices = fork.and_then(|fork| self.plan.devices_of(&fork.to));
        let devices = devices.unwrap_or_default().iter();
        devices.map(|device| leg_of(call, device)).collect()
    }

    /// Whether `call` is over at `host`, and every other leg of what it is a leg of.
    pub(super) fn is_over_at(&self, host: &str, call: &str) -> bool {
        let legs: Vec<String> = {
            let hand = self.hand();
            let fork = hand.dialed.values().find(|d| d.call == call);
            let fork = fork.filter(|d| d.caller == host).and_then(|d| d.fork.clone());
            let legs = hand.dialed.values().filter(|d| d.fork == fork);
            match fork {
                None => vec![call.to_owned()],
                Some(_) => legs.map(|d| d.call.clone()).collect(),
            }
        };
        let progress = self.progress();
        legs.iter()
            .all(|leg| progress.of(host, leg).is_some_and(|end| end.over))
    }

    /// A user whose phone has started again calls all devices again, where the crash took the call away.
    pub(super) fn dial_forks_again(self: &Arc<Self>, host: &Host) {
        let forks = self.hand().forks.clone();
        for (name, fork) in forks.into_iter().filter(|(_, f)| f.caller == host.name()) {
            let devices = self.plan.devices_of(&fork.to).unwrap_or_default().to_vec();
            let done = |device: &String| {
                self.progress()
                    .was_done(&fork.caller, &leg_of(&fork.call, device))
            };
            if devices.iter().all(done) {
                continue;
            }
            // Of two legs to one device, the larger name is the newer, as of any two calls.
            let call = format!("{name}:{}", host.life());
            let legs = self.fork(host, &name, &call, &fork.to);
            self.hand().pending += 1;
            let (driver, host, to) = (self.clone(), host.clone(), fork.to);
            self.sim.spawn("user", async move {
                let intent = Intent::DialUser { call, to, devices };
                driver.want_each(&host, intent, legs).await;
                driver.done();
            });
        }
    }
}

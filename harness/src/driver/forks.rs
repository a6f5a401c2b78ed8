//! Forked calls, which ring on several devices of a user: one call in the script, one leg per device.
//!
//! The caller's user refers to the call, a user at a device to its leg. The app decides which device has the call.

use std::sync::Arc;

use super::Driver;
use crate::{
    trace::{Intent, leg_of},
    world::Host,
};

/// A call to all devices of a user.
#[derive(Clone, Debug)]
pub(super) struct Fork {
    /// The host of the caller.
    caller: String,
    /// The user who is called.
    to: String,
    /// The current name of the call.
    call: String,
}

impl Driver {
    /// Lets the user at `host` dial a client, or a user with several devices.
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

    /// Notes that `host` dials `to`, in a call with the name `name` in the script and the current name `call`; returns
    /// the intents that dial its legs.
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

    /// Returns the current name, for the user at `host`, of the call that the script names `name`.
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

    /// Returns the party to dial when the user at `host` redials the call that the script names `name`.
    pub(super) fn other_of(&self, host: &str, name: &str) -> Option<String> {
        let fork = self.hand().forks.get(name).cloned();
        if let Some(fork) = fork.filter(|fork| fork.caller == host) {
            return Some(fork.to);
        }
        let call = self.current(host, name);
        self.progress().of(host, &call).and_then(|end| end.other.clone())
    }

    /// Performs the intent `want` of the user at `host` for `call`, or for each of its legs if it has any here.
    pub(super) async fn want_of_each(
        self: &Arc<Self>,
        host: &Host,
        call: &str,
        want: impl Fn(String) -> Intent,
    ) {
        let legs = self.legs_at(host.name(), call).into_iter().map(&want).collect();
        self.want_each(host, want(call.to_owned()), legs).await;
    }

    /// Returns the legs of `call` at its caller `host`.
    fn legs_at(&self, host: &str, call: &str) -> Vec<String> {
        let hand = self.hand();
        let fork = hand.forks.values().find(|f| f.caller == host && f.call == call);
        let devices = fork.and_then(|fork| self.plan.devices_of(&fork.to));
        let devices = devices.unwrap_or_default().iter();
        devices.map(|device| leg_of(call, device)).collect()
    }

    /// Reports whether `call` is over at `host`, with every other leg of the same fork.
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

    /// Dials all devices again for a user whose phone has started again, if the crash ended the call.
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
            // Of two legs to one device, the larger name is the newer, as with any two calls.
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

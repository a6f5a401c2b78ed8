//! The acts of the user: dial, accept, reject, hang up, retry; one call, one on several devices, or a group of them.
//!
//! A call is over when its hangup returns, and acts on a call that is over have no effect.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use async_trait::async_trait;
use sleet::{
    driver::{App, NotUnderstood},
    trace::{Intent, leg_of},
};

use super::{
    ending::{Ending, How, Progress, Side},
    handle::{CallHandle, Work},
    mistake::{ActKind, Mistake},
    phone::Phone,
};

#[async_trait]
impl App for Phone {
    async fn act(self: Arc<Self>, intent: Intent) -> Result<(), NotUnderstood> {
        match self.make.mistake {
            Some(Mistake::Act { act, how }) if ActKind::of(&intent) == Some(act) => {
                self.act_wrongly(intent, how).await
            }
            _ => self.perform(intent).await,
        }
    }

    async fn end_calls(self: Arc<Self>) {
        let handles = self.registry().handles();
        self.hang_up(&handles).await;
    }

    async fn go_offline(self: Arc<Self>) {
        // A call may have come in since the others were ended.
        self.clone().end_calls().await;
        self.close_down();
    }
}

impl Phone {
    /// Performs an intent of the user.
    pub(super) async fn perform(self: &Arc<Self>, intent: Intent) -> Result<(), NotUnderstood> {
        match intent {
            Intent::Dial { call, to } => self.dial(&call, &to),
            Intent::Accept { call } => self.pick_up(&call),
            Intent::Reject { call } => {
                let handles = self.registry().handles_about(&call);
                for handle in handles.iter().filter(|handle| handle.rings()) {
                    handle.end(Ending::Ours(How::Reject));
                }
                for handle in handles.iter().filter(|handle| handle.is_ended()) {
                    handle.gone().await;
                }
            }
            Intent::HangUp { call } => {
                let mut handles = self.registry().handles_about(&call);
                if self.makes(Mistake::HangsUpOneDevice) {
                    handles.truncate(1);
                }
                self.hang_up(&handles).await;
            }
            Intent::Retry { call } => {
                let handles = self.registry().handles_about(&call);
                handles.iter().for_each(|handle| handle.ask(Work::Retry));
            }
            Intent::DialGroup { group, to } => {
                let legs = to.iter().map(|to| leg_of(&group, to)).collect();
                self.registry().group(&group, legs);
                for to in to {
                    self.dial(&leg_of(&group, &to), &to);
                }
            }
            Intent::DialUser { call, devices, .. } => self.dial_devices(&call, &devices),
            Intent::HangUpGroup { group } => self.hang_up_group(&group).await,
            _ => return Err(NotUnderstood),
        }
        Ok(())
    }

    fn dial(self: &Arc<Self>, call: &str, to: &str) {
        if self.registry().knows(call) {
            return;
        }
        let theirs = self.registry().rings_from(to);
        if let Some(handle) = theirs {
            // Dialing the caller of a ringing call accepts that call.
            return handle.ask(Work::PickUp);
        }
        self.open(call, to, Side::Caller, false).ask(Work::Dial);
    }

    /// Dials every device of a user: each has a leg of the call.
    fn dial_devices(self: &Arc<Self>, call: &str, devices: &[String]) {
        let theirs = {
            let registry = self.registry();
            devices.iter().find_map(|device| registry.rings_from(device))
        };
        if let Some(handle) = theirs {
            return handle.ask(Work::PickUp);
        }
        let legs = devices.iter().map(|device| leg_of(call, device)).collect();
        self.registry().fork(call, legs);
        for device in devices {
            self.dial(&leg_of(call, device), device);
        }
    }

    fn pick_up(self: &Arc<Self>, call: &str) {
        let (handle, offer) = {
            let registry = self.registry();
            (registry.handle(call), registry.remembered_offer(call))
        };
        match (handle, offer) {
            (Some(handle), _) if handle.side == Side::Callee => handle.ask(Work::PickUp),
            // Only the broken client remembers the offers of calls that are over.
            (None, Some((from, offer))) => {
                self.open(call, &from, Side::Callee, true)
                    .ask(Work::Message(offer));
            }
            _ => {}
        }
    }

    /// Hangs up `handles`, and waits until nothing of them is left.
    async fn hang_up(&self, handles: &[CallHandle]) {
        self.begin_to_hang_up(handles).await;
        for handle in handles {
            handle.gone().await;
        }
    }

    async fn begin_to_hang_up(&self, handles: &[CallHandle]) {
        for handle in handles {
            if self.makes(Mistake::HangupWaits) {
                handle.reached(Progress::Answered).await;
            }
            handle.end(Ending::Ours(How::Hangup));
        }
    }

    async fn hang_up_group(self: &Arc<Self>, group: &str) {
        let handles = self.registry().handles_of(group);
        if self.makes(Mistake::SharedCounter) {
            return self.hang_up_by_counter(&handles).await;
        }
        self.hang_up(&handles).await;
        if self.makes(Mistake::FactoryPerGroup) {
            self.factories.release_anyway();
        }
    }

    /// The field report's way, a mistake: one counter that all groups share, set by each and polled.
    async fn hang_up_by_counter(self: &Arc<Self>, handles: &[CallHandle]) {
        self.counter.store(handles.len() as i64, Relaxed);
        self.begin_to_hang_up(handles).await;
        for handle in handles {
            let (phone, handle) = (self.clone(), handle.clone());
            self.host.spawn("count", async move {
                handle.gone().await;
                phone.counter.fetch_sub(1, Relaxed);
            });
        }
        while self.counter.load(Relaxed) != 0 {
            self.host.sim().sleep(Duration::from_millis(10)).await;
        }
    }
}

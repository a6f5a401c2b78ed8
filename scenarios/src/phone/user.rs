//! What the user does: dial, hang up, one call or a group of them.
//!
//! Whatever is hung up is over when the hangup returns, and hanging up what is over does nothing.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use sleet::{
    fault::{Act, leg_of},
    trace::{CallEvent, EventKind},
};

use super::{
    Mistake, Phone,
    line::{Ending, How, Line, Side, Stage, Work},
};

impl Phone {
    /// The user acts.
    pub async fn act(self: Arc<Self>, act: Act) {
        match act {
            Act::Dial { to, call } => self.dial(&call, &to),
            Act::Redial { call, again } => {
                let other = self.book().other(&call);
                if let Some(to) = other {
                    self.dial(&again, &to);
                }
            }
            Act::DialGroup { group, to } => {
                let legs = to.iter().map(|to| leg_of(&group, to)).collect();
                self.book().group(&group, legs);
                for to in to {
                    self.dial(&leg_of(&group, &to), &to);
                }
            }
            Act::Hangup { call } => {
                let line = self.book().line(&call);
                if let Some(line) = line {
                    self.hang_up(&[line]).await;
                }
            }
            Act::HangupGroup { group } => self.hang_up_group(&group).await,
            Act::Reject { call } => {
                let line = self.book().line(&call);
                if let Some(line) = line.filter(|l| l.side == Side::Callee && l.stage() == Stage::Begun) {
                    line.end(Ending::Ours(How::Reject));
                }
            }
            // The app picks up by itself, as long after it began to ring as the script says; and it tries again by
            // itself when an attempt comes to nothing.
            Act::Answer | Act::Retry { .. } => {}
        }
    }

    /// Hangs up every call; the user does nothing any more.
    pub async fn hang_up_all(self: Arc<Self>) {
        self.end_script();
        let lines = self.book().lines();
        self.hang_up(&lines).await;
    }

    fn dial(self: &Arc<Self>, call: &str, to: &str) {
        if self.book().knows(call) {
            return;
        }
        let theirs = self.book().rings_from(to);
        if let Some(line) = theirs {
            // To dial who calls is to pick up.
            return line.ask(Work::PickUp);
        }
        self.host.sim().record(EventKind::Dialed {
            call: call.to_owned(),
            to: to.to_owned(),
        });
        self.open(call, to, Side::Caller, false).ask(Work::Dial);
    }

    /// Hangs up `lines`, each by its own owner, and waits for all of them.
    async fn hang_up(&self, lines: &[Line]) {
        self.begin_to_hang_up(lines).await;
        for line in lines {
            line.gone().await;
        }
        self.hung_up(lines);
    }

    async fn hang_up_group(self: &Arc<Self>, group: &str) {
        let lines: Vec<Line> = {
            let book = self.book();
            let calls = book.calls_of(group);
            calls.iter().filter_map(|call| book.line(call)).collect()
        };
        if self.makes(Mistake::SharedCounter) {
            return self.hang_up_by_counter(&lines).await;
        }
        self.hang_up(&lines).await;
        if self.makes(Mistake::FactoryPerGroup) {
            self.factories.release_anyway();
        }
    }

    /// Ends `lines`. Where the user hung up is a mark: a hangup has to be tried everywhere.
    async fn begin_to_hang_up(&self, lines: &[Line]) {
        let sim = self.host.sim();
        for line in lines {
            if let (Some(point), false) = (line.at(), line.is_ended()) {
                sim.mark(&format!("hangup-at-{point}"));
            }
            let call = line.call.clone();
            sim.record(EventKind::HungUp { call });
        }
        for line in lines {
            if self.makes(Mistake::HangupWaits) {
                line.answered().await;
            }
            line.end(Ending::Ours(How::Hangup));
        }
    }

    fn hung_up(&self, lines: &[Line]) {
        for line in lines {
            self.record(&line.call, CallEvent::HangupReturned);
        }
    }

    /// The field report's way, a mistake: a counter that all groups share, set by each and looked at now and then.
    async fn hang_up_by_counter(self: &Arc<Self>, lines: &[Line]) {
        self.counter.store(lines.len() as i64, Relaxed);
        self.begin_to_hang_up(lines).await;
        for line in lines {
            let (phone, line) = (self.clone(), line.clone());
            self.host.spawn("count", async move {
                line.gone().await;
                phone.count_down();
            });
        }
        while self.counter.load(Relaxed) != 0 {
            self.host.sim().sleep(Duration::from_millis(10)).await;
        }
        self.hung_up(lines);
    }
}

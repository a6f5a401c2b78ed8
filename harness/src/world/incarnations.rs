//! The incarnations of hosts: up, paused, crashed, and started again.
//!
//! Tokio cannot end the tasks that the WebRTC stack spawned for itself, so a crash is simulated: from its instant on
//! nothing of that life reaches the wire or the trace, its sockets are gone, our own tasks are aborted, and the peers
//! are closed unseen. A task that still runs belongs to a life that is over, and stays unseen when the host is up
//! again: a task has the life of the task that spawned it. The leak check shows what is left at the end of a run.
//!
//! Nothing here records anything or knows what time it is.

use std::{
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
    task::{Context, Waker},
};

use tokio::{sync::watch, task::AbortHandle};

use crate::trace::FaultId;

/// The owner of a resource: a host in one of its lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Owner {
    /// The index of the host.
    pub host: usize,
    /// The life, counted from 0.
    pub life: u32,
}

/// The state of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liveness {
    /// The number of restarts so far.
    pub life: u32,
    /// Whether the host is up.
    pub up: bool,
}

/// An action at the crash of a host. It runs at once, and must not wait. It is kept with the world, so it must not hold
/// the world.
pub(super) type AtCrash = Box<dyn FnOnce() + Send>;

/// The state of every host.
pub(super) struct Incarnations {
    hosts: Vec<HostLives>,
}

struct HostLives {
    life: AtomicU32,
    up: AtomicBool,
    paused: AtomicBool,
    // The faults that crashed the host last and that silence it; 0 for none, as numbers begin at 1.
    crashed_by: AtomicU32,
    silenced_by: AtomicU32,
    mortal: Mutex<Mortal>,
    news: watch::Sender<Liveness>,
}

/// The resources that end with a life.
#[derive(Default)]
struct Mortal {
    tasks: Vec<AbortHandle>,
    at_crash: Vec<AtCrash>,
    // The wakers of tasks that were woken while the host was paused.
    stalled: Vec<Waker>,
    // The number of tasks left when finished ones were last removed from the list.
    kept: usize,
}

impl Incarnations {
    pub(super) fn new(hosts: usize) -> Self {
        let first = Liveness { life: 0, up: true };
        let host = || HostLives {
            life: AtomicU32::new(first.life),
            up: AtomicBool::new(first.up),
            paused: AtomicBool::new(false),
            crashed_by: AtomicU32::new(0),
            silenced_by: AtomicU32::new(0),
            mortal: Mutex::default(),
            news: watch::Sender::new(first),
        };
        Self {
            hosts: std::iter::repeat_with(host).take(hosts).collect(),
        }
    }

    /// Returns the owner for the current or last life of `host`.
    pub(super) fn owner(&self, host: usize) -> Owner {
        let life = self.hosts[host].life.load(Relaxed);
        Owner { host, life }
    }

    /// Reports whether that life goes on.
    pub(super) fn goes_on(&self, owner: Owner) -> bool {
        self.is_up(owner.host) && self.owner(owner.host) == owner
    }

    pub(super) fn is_up(&self, host: usize) -> bool {
        self.hosts[host].up.load(Relaxed)
    }

    /// Returns a receiver of the state of `host`.
    pub(super) fn watch(&self, host: usize) -> watch::Receiver<Liveness> {
        self.hosts[host].news.subscribe()
    }

    /// Ends `task` with the life of its owner; at once, if that life is over.
    pub(super) fn ends_with(&self, owner: Owner, task: AbortHandle) {
        if !self.goes_on(owner) {
            return task.abort();
        }
        let mut mortal = self.mortal(owner.host);
        if mortal.tasks.len() > 2 * mortal.kept.max(16) {
            mortal.tasks.retain(|t| !t.is_finished());
            mortal.kept = mortal.tasks.len();
        }
        mortal.tasks.push(task);
    }

    /// Keeps `last` for the crash that ends the life of its owner; returns it if that life is over.
    pub(super) fn at_crash(&self, owner: Owner, last: AtCrash) -> Option<AtCrash> {
        if !self.goes_on(owner) {
            return Some(last);
        }
        self.mortal(owner.host).at_crash.push(last);
        None
    }

    /// Marks `host` as crashed by `fault`; returns the actions for the crash.
    pub(super) fn crash(&self, host: usize, fault: Option<FaultId>) -> Vec<AtCrash> {
        let life = &self.hosts[host];
        life.crashed_by.store(fault.map_or(0, |f| f.0), Relaxed);
        life.up.store(false, Relaxed);
        life.paused.store(false, Relaxed);
        let Mortal {
            tasks,
            at_crash,
            stalled,
            ..
        } = std::mem::take(&mut *self.mortal(host));
        tasks.iter().for_each(AbortHandle::abort);
        stalled.into_iter().for_each(Waker::wake);
        life.news.send_modify(|now| now.up = false);
        at_crash
    }

    /// Returns the fault that crashed `host` last.
    pub(super) fn crashed_by(&self, host: usize) -> Option<FaultId> {
        some(self.hosts[host].crashed_by.load(Relaxed))
    }

    /// Silences the server on `host` because of `fault`; `None` ends it.
    pub(super) fn silence(&self, host: usize, fault: Option<FaultId>) {
        self.hosts[host]
            .silenced_by
            .store(fault.map_or(0, |f| f.0), Relaxed);
    }

    /// Returns the fault that silences the server on `host`.
    pub(super) fn silenced_by(&self, host: usize) -> Option<FaultId> {
        some(self.hosts[host].silenced_by.load(Relaxed))
    }

    /// Marks `host` as up again, in a new life.
    pub(super) fn start(&self, host: usize) {
        let life = &self.hosts[host];
        let number = life.life.fetch_add(1, Relaxed) + 1;
        life.up.store(true, Relaxed);
        life.news.send_replace(Liveness {
            life: number,
            up: true,
        });
    }

    /// Pauses the app on `host`.
    pub(super) fn pause(&self, host: usize) {
        self.hosts[host].paused.store(true, Relaxed);
    }

    /// Resumes the app on `host` and wakes the tasks that were woken meanwhile; returns whether there were any.
    pub(super) fn resume(&self, host: usize) -> bool {
        self.hosts[host].paused.store(false, Relaxed);
        let stalled = std::mem::take(&mut self.mortal(host).stalled);
        let any = !stalled.is_empty();
        stalled.into_iter().for_each(Waker::wake);
        any
    }

    /// Reports whether a task of `host` has to wait until its host resumes.
    pub(super) fn stalls(&self, host: usize, cx: &Context<'_>) -> bool {
        let stalls = self.hosts[host].paused.load(Relaxed);
        if stalls {
            let mut mortal = self.mortal(host);
            if !mortal.stalled.iter().any(|w| w.will_wake(cx.waker())) {
                mortal.stalled.push(cx.waker().clone());
            }
        }
        stalls
    }

    fn mortal(&self, host: usize) -> MutexGuard<'_, Mortal> {
        self.hosts[host].mortal.lock().expect("no panic while it is held")
    }
}

fn some(number: u32) -> Option<FaultId> {
    (number > 0).then_some(FaultId(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_that_is_over_stays_over() {
        let lives = Incarnations::new(1);
        let first = lives.owner(0);
        assert!(lives.goes_on(first));
        lives.crash(0, None);
        assert!(!lives.goes_on(first) && !lives.is_up(0));
        lives.start(0);
        let second = lives.owner(0);
        assert!(lives.goes_on(second) && !lives.goes_on(first));
        assert_eq!(second.life, 1);
    }

    #[test]
    fn what_has_to_be_done_at_a_crash_is_handed_out_once_and_given_back_when_it_is_late() {
        let lives = Incarnations::new(1);
        let owner = lives.owner(0);
        assert!(lives.at_crash(owner, Box::new(|| {})).is_none());
        assert_eq!(lives.crash(0, None).len(), 1);
        assert!(lives.crash(0, None).is_empty());
        assert!(lives.at_crash(owner, Box::new(|| {})).is_some());
    }
}

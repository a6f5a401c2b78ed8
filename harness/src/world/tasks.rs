//! The owner of the task that is being polled, and the tasks that are alive.
//!
//! A task belongs to the host and the life whose task spawned it, down to the tasks that the WebRTC stack spawns for
//! itself. Tokio's task ids count across the process, so they never leave this module.

use std::{
    cell::Cell,
    collections::BTreeMap,
    panic::Location,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{runtime::TaskMeta, sync::Notify, task::Id};

use super::incarnations::Owner;
use crate::trace::short_path;

thread_local! {
    static OWNER: Cell<Option<Owner>> = const { Cell::new(None) };
    static NAME: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// A map that is looked up by id and never iterated: its order would be random.
#[allow(
    clippy::disallowed_types,
    reason = "task ids have no order, and it is never iterated"
)]
type ById = std::collections::HashMap<Id, Task, std::hash::BuildHasherDefault<std::hash::DefaultHasher>>;

#[derive(Clone, Copy)]
struct Task {
    owner: Option<Owner>,
    name: Option<&'static str>,
    spawned_at: &'static Location<'static>,
}

impl Task {
    /// Returns the name of the task, or the place that spawned it.
    fn place(&self) -> String {
        match self.name {
            Some(name) => name.to_owned(),
            None => short_place(self.spawned_at.file(), self.spawned_at.line()),
        }
    }
}

/// The tasks of a run.
pub(super) struct TaskTable {
    alive: Mutex<ById>,
    polls: AtomicU64,
    max_polls: u64,
    exhausted: Notify,
}

impl TaskTable {
    pub(super) fn new(max_polls: u64) -> Self {
        Self {
            alive: Mutex::default(),
            polls: AtomicU64::new(0),
            max_polls,
            exhausted: Notify::new(),
        }
    }

    pub(super) fn spawned(&self, meta: &TaskMeta<'_>) {
        let task = Task {
            owner: OWNER.get(),
            name: NAME.take(),
            spawned_at: meta.spawned_at(),
        };
        self.alive().insert(meta.id(), task);
    }

    pub(super) fn begin_poll(&self, meta: &TaskMeta<'_>) {
        OWNER.set(self.alive().get(&meta.id()).and_then(|task| task.owner));
        if self.polls.fetch_add(1, Ordering::Relaxed) == self.max_polls {
            self.exhausted.notify_one();
        }
    }

    pub(super) fn end_poll() {
        OWNER.set(None);
    }

    pub(super) fn ended(&self, meta: &TaskMeta<'_>) {
        self.alive().remove(&meta.id());
    }

    /// Waits until the tasks have been polled more often than the run may.
    pub(super) async fn exhausted(&self) {
        self.exhausted.notified().await;
    }

    /// Lists the tasks that are alive, as `host: place (count)`, in order.
    #[allow(clippy::disallowed_methods, reason = "sorted before anybody sees the order")]
    pub(super) fn pending(&self, hosts: &[String]) -> Vec<String> {
        let mut count = BTreeMap::<(Option<usize>, String), usize>::new();
        for task in self.alive().values() {
            let host = task.owner.map(|o| o.host);
            *count.entry((host, task.place())).or_default() += 1;
        }
        let host = |h: Option<usize>| h.map_or("run", |h| hosts[h].as_str());
        let line = |((h, place), n): (&(Option<usize>, String), &usize)| match n {
            1 => format!("task of {}: {place}", host(*h)),
            n => format!("task of {}: {place} ({n} times)", host(*h)),
        };
        count.iter().map(line).collect()
    }

    /// Lists the tasks of `owner` that are alive, in order.
    #[allow(clippy::disallowed_methods, reason = "sorted before anybody sees the order")]
    pub(super) fn alive_of(&self, owner: Owner) -> Vec<String> {
        let alive = self.alive();
        let mut places: Vec<String> = alive
            .values()
            .filter(|t| t.owner == Some(owner))
            .map(Task::place)
            .collect();
        places.sort_unstable();
        places
    }

    fn alive(&self) -> std::sync::MutexGuard<'_, ById> {
        self.alive.lock().expect("the table does not panic")
    }
}

/// Returns the owner of the task that is being polled.
pub(super) fn current_owner() -> Option<Owner> {
    OWNER.get()
}

/// Clears the owner on this thread.
pub(super) fn clear() {
    OWNER.set(None);
}

/// Calls `f` as if a task of `owner` did.
pub(super) fn as_owner<R>(owner: Owner, f: impl FnOnce() -> R) -> R {
    let was = OWNER.replace(Some(owner));
    let result = f();
    OWNER.set(was);
    result
}

/// Calls `f` as the world itself would: the tasks that it spawns belong to no host.
pub(super) fn as_nobody<R>(f: impl FnOnce() -> R) -> R {
    let was = OWNER.replace(None);
    let result = f();
    OWNER.set(was);
    result
}

/// Calls `spawn`, which spawns one task, and gives the task a name.
pub(super) fn named<R>(name: &'static str, spawn: impl FnOnce() -> R) -> R {
    NAME.set(Some(name));
    let result = spawn();
    NAME.set(None);
    result
}

/// Returns a place in source code without the folders of the machine that built it.
pub(super) fn short_place(file: &str, line: u32) -> String {
    format!("{}:{line}", short_path(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_lose_the_folders_of_the_machine() {
        let file = "/home/x/.cargo/registry/src/index-123/webrtc-ice-0.17.2/src/agent/mod.rs";
        assert_eq!(short_place(file, 7), "webrtc-ice-0.17.2/src/agent/mod.rs:7");
        assert_eq!(short_place("harness/src/lib.rs", 1), "harness/src/lib.rs:1");
        assert_eq!(short_place("/home/x/app/src/lib.rs", 1), "app/src/lib.rs:1");
    }
}

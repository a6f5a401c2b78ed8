//! A round of calls that are hung up: what two phones still have when it is over.
//!
//! Sockets are those of the kernel, tasks those that the app's runtime counts, allocations those of coturn. Nothing here is
//! asked of the WebRTC stack.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::Duration,
};

use sleet::fault::{Plan, When};

use crate::{
    nat::Side,
    phone::Phone,
    todo::{Todo, Todos},
};

/// How often it is looked whether a phone has sockets.
const LOOKS_EVERY: Duration = Duration::from_millis(20);
/// When tasks are counted for the first time, in the plan's time: phones have signed in, and nobody has dialed.
const FIRST_COUNT: Duration = Duration::from_millis(400);
/// How long before the end they are counted again.
const ANSWERS_IN: Duration = Duration::from_millis(300);

/// A round, in the plan's time.
pub struct Round {
    ends: Duration,
    hung_up: Option<Duration>,
    // When a phone had sockets last.
    busy: Option<Duration>,
    sockets: BTreeMap<Side, u64>,
    tasks: BTreeMap<Side, Vec<u64>>,
}

impl Round {
    /// The round of `plan`, which ends `settle_ms` after the last hangup. What is to be asked for it comes into `todo`.
    pub fn of(plan: &Plan, settle_ms: u64, todo: &mut Todos) -> Self {
        let at = plan.script.iter().filter_map(|scripted| match scripted.when {
            When::At { ms } => Some(ms),
            _ => None,
        });
        let ends = Duration::from_millis(at.max().unwrap_or_default() + settle_ms);
        for count in [FIRST_COUNT, ends - ANSWERS_IN] {
            todo.insert((count, todo.len()), Todo::Count);
        }
        Self {
            ends,
            hung_up: None,
            busy: None,
            sockets: BTreeMap::new(),
            tasks: BTreeMap::new(),
        }
    }

    /// When it ends.
    pub fn ends(&self) -> Duration {
        self.ends
    }

    /// How long may be waited, when nothing is to be done for `wait`.
    pub fn rest(&self, wait: Duration) -> Duration {
        match self.hung_up {
            Some(_) => wait.min(LOOKS_EVERY),
            None => wait,
        }
    }

    /// The caller hung up.
    pub fn hung_up(&mut self, now: Duration) {
        self.hung_up = Some(now);
    }

    /// A phone has counted its tasks.
    pub fn counted(&mut self, side: Side, alive: u64) {
        self.tasks.entry(side).or_default().push(alive);
    }

    /// Looks which sockets there are.
    pub fn look(&mut self, now: Duration, phones: &BTreeMap<Side, Phone>) {
        for (side, phone) in phones {
            let sockets = udp_sockets(phone.id());
            if sockets > 0 {
                self.busy = Some(now);
            }
            self.sockets.insert(*side, sockets);
        }
    }

    /// How long after the last hangup the last socket was gone, in milliseconds; none if one is still there.
    pub fn quiet_ms(&self) -> Option<u64> {
        let hung_up = self.hung_up?;
        let gone = self.sockets.values().all(|n| *n == 0);
        let busy = self.busy.unwrap_or_default().saturating_sub(hung_up);
        gone.then_some(busy.as_millis() as u64)
    }

    /// What is left, beside `allocations` of the TURN server: how much of what, and whose.
    pub fn left(&self, allocations: u64) -> BTreeMap<String, u64> {
        let mut left = BTreeMap::from([("allocations".to_owned(), allocations)]);
        for (side, whose) in [(Side::Alice, "the caller"), (Side::Bob, "the callee")] {
            let sockets = self.sockets.get(&side).copied().unwrap_or_default();
            left.insert(format!("sockets of {whose}"), sockets);
            let counted = self.tasks.get(&side).map_or(&[][..], Vec::as_slice);
            let more = match counted {
                [before, .., after] => after.saturating_sub(*before),
                // It does not answer: whatever holds it up is left.
                _ => 1,
            };
            left.insert(format!("tasks of {whose}"), more);
        }
        left.retain(|_, n| *n > 0);
        left
    }
}

/// How many UDP sockets a process has. One that is gone has none.
fn udp_sockets(pid: u32) -> u64 {
    let root = format!("/proc/{pid}");
    let tables = ["udp", "udp6"].map(|table| fs::read_to_string(format!("{root}/net/{table}")));
    let known: BTreeSet<String> = tables.iter().flatten().flat_map(|table| inodes(table)).collect();
    let Ok(open) = fs::read_dir(format!("{root}/fd")) else {
        return 0;
    };
    let of_udp = open.flatten().filter(|file| {
        let target = fs::read_link(file.path()).unwrap_or_default();
        let target = target.display().to_string();
        let inode = target
            .strip_prefix("socket:[")
            .and_then(|rest| rest.strip_suffix(']'));
        inode.is_some_and(|inode| known.contains(inode))
    });
    of_udp.count() as u64
}

/// The inodes of a table of sockets, as in `/proc/net/udp`.
fn inodes(table: &str) -> impl Iterator<Item = String> {
    let lines = table.lines().skip(1);
    lines.filter_map(|line| line.split_whitespace().nth(9).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn a_process_has_the_udp_sockets_that_it_opened() {
        let before = udp_sockets(std::process::id());
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        assert_eq!(udp_sockets(std::process::id()), before + 1);
        drop(socket);
        assert_eq!(udp_sockets(std::process::id()), before);
    }

    #[test]
    fn what_was_there_before_the_calls_is_not_left_by_them() {
        let mut round = Round {
            ends: Duration::ZERO,
            hung_up: Some(Duration::from_millis(500)),
            busy: Some(Duration::from_millis(620)),
            sockets: BTreeMap::from([(Side::Alice, 0), (Side::Bob, 0)]),
            tasks: BTreeMap::from([(Side::Alice, vec![2, 2]), (Side::Bob, vec![2, 2])]),
        };
        assert!(round.left(0).is_empty());
        assert_eq!(round.quiet_ms(), Some(120));
        round.counted(Side::Bob, 5);
        round.sockets.insert(Side::Alice, 1);
        let left = BTreeMap::from([
            ("sockets of the caller".to_owned(), 1),
            ("tasks of the callee".to_owned(), 3),
        ]);
        assert_eq!(round.left(0), left);
        assert_eq!(round.quiet_ms(), None);
        round.tasks.clear();
        assert_eq!(round.left(0).len(), 3, "a phone that does not answer is held up");
    }
}

//! A wire that treats packets as the links of a plan do: what a TUN device takes comes out of it again later, twice or never.
//!
//! It runs as a process of its own in the core of a network. Which host has which link comes as lines of JSON ([`Told`]). The links are
//! the simulation's own state machines, told the real time ([`crate::lane`]); but TCP segments are treated as datagrams are, because a kernel
//! retransmits for itself.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    io::{BufRead, Write},
    net::Ipv4Addr,
    path::PathBuf,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use sleet::time::SimTime;

use crate::{
    clock::Clock,
    lane::{Lane, Order, lane_of},
    packet::ends,
};

/// The name of the device.
pub const DEVICE: &str = "wire0";
/// What the wire is told, a line each.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    /// A call begins.
    Lay(Order),
    /// A capture of the call of a lane is wanted. It is answered with a line when the file is there: an empty one, or what went wrong.
    Keep {
        /// The lane.
        lane: u8,
        /// Into which file.
        file: PathBuf,
        /// What it is a capture of.
        about: String,
    },
}

/// A packet that waits: when it is due, its number, and its bytes.
type Waiting = Reverse<(SimTime, u64, Vec<u8>)>;

/// What the threads share.
struct Wire {
    clock: Clock,
    lanes: Mutex<BTreeMap<u8, Lane>>,
    queue: Mutex<(u64, BinaryHeap<Waiting>)>,
    more: Condvar,
}

/// Runs the wire until its input ends.
///
/// # Errors
/// Without the right to make a device; an order that cannot be read.
pub fn run() -> anyhow::Result<()> {
    let device = tun_rs::DeviceBuilder::new()
        .name(DEVICE)
        .build_sync()
        .context("the TUN device")?;
    let wire = Wire {
        clock: Clock::start(),
        lanes: Mutex::default(),
        queue: Mutex::default(),
        more: Condvar::new(),
    };
    let (wire, device) = (&*Box::leak(Box::new(wire)), &*Box::leak(Box::new(device)));
    std::thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        while let Ok(len) = device.recv(&mut buffer) {
            wire.enter(&buffer[..len]);
        }
    });
    std::thread::spawn(move || {
        loop {
            // A packet that the kernel does not take is lost, as on any link.
            let _ = device.send(&wire.next_due());
        }
    });
    for line in std::io::stdin().lock().lines() {
        let told = serde_json::from_str(&line?).context("an order of the wire")?;
        wire.obey(told)?;
    }
    Ok(())
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Wire {
    fn obey(&self, told: Told) -> anyhow::Result<()> {
        match told {
            Told::Lay(order) => {
                let lane = Lane::new(self.clock.now(), &order);
                locked(&self.lanes).insert(order.lane, lane);
            }
            Told::Keep { lane, file, about } => {
                let kept = locked(&self.lanes)
                    .get(&lane)
                    .map(|lane| lane.keep(&file, &about));
                let wrong = match kept {
                    Some(Err(error)) => format!("{error:#}"),
                    _ => String::new(),
                };
                writeln!(std::io::stdout().lock(), "{wrong}").context("an answer of the wire")?;
            }
        }
        Ok(())
    }

    /// A packet comes in.
    fn enter(&self, packet: &[u8]) {
        let now = self.clock.now();
        let due = match ends(packet) {
            Some((from, to)) => self.due(now, from, to, packet),
            // Nothing but IPv4 is here on purpose.
            None => return,
        };
        let mut queue = locked(&self.queue);
        for (at, packet) in due {
            queue.0 += 1;
            let number = queue.0;
            queue.1.push(Reverse((at, number, packet)));
        }
        drop(queue);
        self.more.notify_one();
    }

    /// When and how it arrives: once, twice or never.
    fn due(&self, now: SimTime, from: Ipv4Addr, to: Ipv4Addr, packet: &[u8]) -> Vec<(SimTime, Vec<u8>)> {
        let mut lanes = locked(&self.lanes);
        let lane = lane_of(from).or(lane_of(to));
        match lane.and_then(|lane| lanes.get_mut(&lane)) {
            None => vec![(now, packet.to_vec())],
            Some(lane) => lane.carry(now, from, to, packet),
        }
    }

    /// Waits for the next packet that is due, and takes it.
    fn next_due(&self) -> Vec<u8> {
        let mut queue = locked(&self.queue);
        loop {
            let wait = queue.1.peek().map(|Reverse((at, ..))| {
                let now = self.clock.now();
                if *at <= now { Duration::ZERO } else { *at - now }
            });
            queue = match wait {
                Some(Duration::ZERO) => match queue.1.pop() {
                    Some(Reverse((.., packet))) => return packet,
                    None => continue,
                },
                Some(wait) => {
                    let woken = self.more.wait_timeout(queue, wait);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.more.wait(queue).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

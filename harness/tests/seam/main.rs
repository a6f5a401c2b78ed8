//! What code under test uses of Sleet, used as such code does: without any handle of the world.

mod calls;
mod crash;
mod own;
mod points;
mod protocols;
mod refusals;
mod stack;

use sleet::{
    fault::{Fault, Target, Timeline, kinds::HostCrash},
    net::{
        link::LinkProfile,
        topology::{HostSpec, Topology},
    },
    seed::Seed,
    trace::EventKind,
    world::{Ending, WorldSpec},
};

/// A server and two phones, 20 ms apart.
fn three_hosts(seed: u64) -> WorldSpec {
    let host = |(name, address)| HostSpec::new(name, address, LinkProfile::default());
    let hosts = [("server", "10.0.0.1"), ("alice", "10.0.0.2"), ("bob", "10.0.0.3")];
    WorldSpec::new(Seed(seed), Topology::new(hosts.map(host)))
}

/// `host` crashes and comes back.
fn crash(host: &str, from_ms: u64, until_ms: u64) -> Timeline {
    let crash = Fault::new(Target::host(host), HostCrash {}, from_ms, Some(until_ms));
    Timeline::new(vec![crash], None)
}

/// The messages of all panics.
fn panics(ending: &Ending) -> Vec<&str> {
    let events = ending.trace.events.iter();
    let message = events.filter_map(|e| match &e.kind {
        EventKind::Panicked { message, .. } => Some(message.as_str()),
        _ => None,
    });
    message.collect()
}

/// The names of all steps, with their details.
fn steps(ending: &Ending) -> Vec<String> {
    let events = ending.trace.events.iter();
    let step = events.filter_map(|e| match &e.kind {
        EventKind::Step { step, detail } => Some(format!("{step}: {detail}")),
        _ => None,
    });
    step.collect()
}

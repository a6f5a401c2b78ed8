//! The swarm: draws, from a seed, which kinds of fault exist in a run at all, and then the faults.
//!
//! Leaving whole kinds out finds more than always having a little of each (Groce et al., "Swarm Testing",
//! 2012): one fault often hides another. What is drawn is plain data of the plan: a saved plan replays
//! without this code. Each kind draws from a stream of its own, so that leaving one out moves no other.
//!
//! Everything happens in the chaos phase of the plan. What outlasts it, because a plan does not end it (how slow and
//! narrow links are, slow awaits, push), stays below what makes connecting impossible: the stack needs a round
//! trip below 3.8 s and signaling within 1.5 s (docs/findings/0001).

use std::{collections::BTreeSet, net::Ipv4Addr};

use crate::{
    fault::{Plan, ServiceFault, SignalFault, Stretch, Verdict},
    net::{
        latency::Latency,
        link::LinkProfile,
        loss::GilbertElliott,
        nat::{NatEvent, NatFault},
        presets::Preset,
        switch::NetworkSwitch,
        weather::{Directions, LinkFault, TimedFault},
    },
    seed::{Ppm, Seed, Stream},
    servers::IceServerFault,
    world::{HostFault, HostFaultKind},
};

/// A kind of fault that a run has or has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Kind {
    Preset,
    Loss,
    Bursts,
    Duplicate,
    Reorder,
    Corrupt,
    Truncate,
    OneWayPartition,
    Partition,
    Hold,
    Swizzle,
    TcpReset,
    SignalDelay,
    SignalDrop,
    SignalDuplicate,
    SignalingReset,
    ServerRestart,
    SlowAwait,
    LatePush,
    HostCrash,
    HostPause,
    NatRebind,
    NatReboot,
    NatChangeAddress,
    NetworkSwitch,
    IceServerDown,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 26] = [
        Self::Preset,
        Self::Loss,
        Self::Bursts,
        Self::Duplicate,
        Self::Reorder,
        Self::Corrupt,
        Self::Truncate,
        Self::OneWayPartition,
        Self::Partition,
        Self::Hold,
        Self::Swizzle,
        Self::TcpReset,
        Self::SignalDelay,
        Self::SignalDrop,
        Self::SignalDuplicate,
        Self::SignalingReset,
        Self::ServerRestart,
        Self::SlowAwait,
        Self::LatePush,
        Self::HostCrash,
        Self::HostPause,
        Self::NatRebind,
        Self::NatReboot,
        Self::NatChangeAddress,
        Self::NetworkSwitch,
        Self::IceServerDown,
    ];

    /// The name, such as `one-way-partition`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Preset => "preset",
            Self::Loss => "loss",
            Self::Bursts => "bursts",
            Self::Duplicate => "duplicate",
            Self::Reorder => "reorder",
            Self::Corrupt => "corrupt",
            Self::Truncate => "truncate",
            Self::OneWayPartition => "one-way-partition",
            Self::Partition => "partition",
            Self::Hold => "hold",
            Self::Swizzle => "swizzle",
            Self::TcpReset => "tcp-reset",
            Self::SignalDelay => "signal-delay",
            Self::SignalDrop => "signal-drop",
            Self::SignalDuplicate => "signal-duplicate",
            Self::SignalingReset => "signaling-reset",
            Self::ServerRestart => "server-restart",
            Self::SlowAwait => "slow-await",
            Self::LatePush => "late-push",
            Self::HostCrash => "host-crash",
            Self::HostPause => "host-pause",
            Self::NatRebind => "nat-rebind",
            Self::NatReboot => "nat-reboot",
            Self::NatChangeAddress => "nat-change-address",
            Self::NetworkSwitch => "network-switch",
            Self::IceServerDown => "ice-server-down",
        }
    }
}

/// Networks on which a call connects within seconds when nothing else is wrong.
const MODERATE: [Preset; 13] = [
    Preset::Lan,
    Preset::HomeWifi,
    Preset::LossyWifi,
    Preset::CongestedWifi,
    Preset::Cable,
    Preset::Dsl,
    Preset::FourG,
    Preset::ThreeG,
    Preset::WeakThreeG,
    Preset::Transatlantic,
    Preset::Rmcat,
    Preset::Lossy,
    Preset::Hotel,
];

/// How often a run has a kind of fault.
const ON: Ppm = Ppm::percent(35);
/// The first calls of a run are dialed and answered within this time, in milliseconds: where faults hit most.
const EARLY_MS: u64 = 6_000;
/// The shortest and the longest partition, in milliseconds.
const PARTITION_MS: (u64, u64) = (300, 8_000);

/// The kinds of fault that the run of `seed` has.
pub fn kinds(seed: Seed) -> BTreeSet<Kind> {
    let mut draws = seed.stream("swarm/kinds");
    Kind::ALL.into_iter().filter(|_| draws.chance(ON)).collect()
}

/// `plan` with the faults of `kinds` on the links of all hosts but the server's, and on signaling.
pub fn brew(seed: Seed, kinds: &BTreeSet<Kind>, mut plan: Plan) -> Plan {
    for kind in kinds {
        let mut draws = seed.stream(&format!("swarm/{}", kind.name()));
        add(*kind, &mut draws, &mut plan);
    }
    plan
}

fn add(kind: Kind, draws: &mut Stream, plan: &mut Plan) {
    match kind {
        Kind::Preset => presets(draws, plan),
        Kind::Loss => each_link(draws, plan, |d, l| l.loss = percent(d, 1, 10)),
        Kind::Bursts => each_link(draws, plan, |d, l| l.bursts = Some(bursts(d))),
        Kind::Duplicate => each_link(draws, plan, |d, l| l.duplicate = percent(d, 1, 20)),
        Kind::Reorder => each_link(draws, plan, |d, l| {
            l.reorder = percent(d, 1, 20);
            l.reorder_by = Latency::uniform_ms(1, 150);
        }),
        Kind::Corrupt => each_link(draws, plan, |d, l| l.corrupt = percent(d, 1, 8)),
        Kind::Truncate => each_link(draws, plan, |d, l| l.truncate = percent(d, 1, 8)),
        Kind::OneWayPartition => {
            let directions = [Directions::Up, Directions::Down][draws.below(2) as usize];
            let link = one_of(draws, &links(plan));
            timed(draws, plan, LinkFault::Partition, link, directions, PARTITION_MS);
        }
        Kind::Partition => {
            let link = one_of(draws, &links(plan));
            timed(
                draws,
                plan,
                LinkFault::Partition,
                link,
                Directions::Both,
                PARTITION_MS,
            );
        }
        Kind::Hold => {
            let link = one_of(draws, &client_links(plan));
            timed(draws, plan, LinkFault::Hold, link, Directions::Both, (200, 3_000));
        }
        Kind::Swizzle => swizzle(draws, plan),
        Kind::TcpReset => {
            let link = one_of(draws, &links(plan));
            timed(draws, plan, LinkFault::Reset, link, Directions::Both, (1, 1));
        }
        Kind::SignalDelay => verdicts(draws, plan, |d| Verdict::Delay {
            ms: d.between(100, 4_000),
        }),
        Kind::SignalDrop => verdicts(draws, plan, |_| Verdict::Drop),
        Kind::SignalDuplicate => verdicts(draws, plan, |_| Verdict::Duplicate),
        Kind::SignalingReset => {
            let at_ms = early(draws, plan);
            plan.service_faults.push(ServiceFault::SignalingReset { at_ms });
        }
        Kind::ServerRestart => {
            let from_ms = early(draws, plan);
            let until_ms = from_ms + draws.between(100, 4_000);
            plan.service_faults
                .push(ServiceFault::ServerRestart { from_ms, until_ms });
        }
        Kind::HostCrash => host_fault(draws, plan, HostFaultKind::Crash, (200, 4_000)),
        Kind::HostPause => host_fault(draws, plan, HostFaultKind::Pause, (100, 3_000)),
        Kind::SlowAwait => slow_awaits(draws, plan),
        Kind::LatePush => {
            // A callee that is awake stays awake.
            if plan.signaling.push.is_some() {
                let ms = draws.between(500, 6_000);
                plan.signaling.push = Some(Latency::constant_ms(ms));
            }
        }
        Kind::NatRebind => nat_fault(draws, plan, |_| NatEvent::Rebind),
        Kind::NatReboot => nat_fault(draws, plan, |_| NatEvent::Reboot),
        Kind::NatChangeAddress => nat_fault(draws, plan, |d| NatEvent::ChangeAddress {
            to: Ipv4Addr::new(203, 0, 113, d.between(100, 250) as u8).into(),
        }),
        Kind::NetworkSwitch => network_switches(draws, plan),
        Kind::IceServerDown => {
            if let Some(server) = plan.ice_servers.first() {
                let host = server.host.clone();
                let from_ms = early(draws, plan);
                plan.ice_server_faults.push(IceServerFault {
                    host,
                    from_ms,
                    until_ms: Some(from_ms + draws.between(500, 8_000)),
                });
            }
        }
    }
}

/// Something befalls one of the NATs, if there are any.
fn nat_fault(draws: &mut Stream, plan: &mut Plan, event: impl Fn(&mut Stream) -> NatEvent) {
    let nats: Vec<String> = plan.topology.nats.iter().map(|n| n.name.clone()).collect();
    if nats.is_empty() {
        return;
    }
    let (nat, fault) = (one_of(draws, &nats), event(draws));
    let at_ms = early(draws, plan);
    plan.nat_faults.push(NatFault { fault, nat, at_ms });
}

/// One of the hosts with two interfaces leaves its first for its second, if there are any.
fn network_switches(draws: &mut Stream, plan: &mut Plan) {
    let phones = plan.topology.hosts.iter().filter(|h| h.interfaces.len() > 1);
    let phones: Vec<NetworkSwitch> = phones
        .map(|h| NetworkSwitch {
            host: h.name.clone(),
            from: h.interfaces[0].name.clone(),
            to: h.interfaces[1].name.clone(),
            at_ms: 0,
        })
        .collect();
    if !phones.is_empty() {
        let mut switch = phones[draws.below(phones.len() as u64) as usize].clone();
        switch.at_ms = early(draws, plan);
        plan.network_switches.push(switch);
    }
}

fn presets(draws: &mut Stream, plan: &mut Plan) {
    let hosts = plan.topology.hosts.iter_mut().filter(|h| h.name != "server");
    for interface in hosts.flat_map(|h| &mut h.interfaces) {
        let preset = MODERATE[draws.below(MODERATE.len() as u64) as usize];
        (interface.up, interface.down) = (preset.up(), preset.down());
    }
}

/// Changes every direction of every client's link.
fn each_link(draws: &mut Stream, plan: &mut Plan, change: impl Fn(&mut Stream, &mut LinkProfile)) {
    let hosts = plan.topology.hosts.iter_mut().filter(|h| h.name != "server");
    for interface in hosts.flat_map(|h| &mut h.interfaces) {
        change(draws, &mut interface.up);
        change(draws, &mut interface.down);
    }
}

fn percent(draws: &mut Stream, low: u64, high: u64) -> Ppm {
    Ppm::percent(draws.between(low, high) as u32)
}

fn bursts(draws: &mut Stream) -> GilbertElliott {
    GilbertElliott::bursts(draws.between(10, 80) as u32, draws.between(2, 8) as u32)
}

/// Clogs every link for a while, one after the other, and clears them in another order.
fn swizzle(draws: &mut Stream, plan: &mut Plan) {
    for link in links(plan) {
        timed(draws, plan, LinkFault::Hold, link, Directions::Both, (300, 2_500));
    }
}

fn timed(
    draws: &mut Stream,
    plan: &mut Plan,
    fault: LinkFault,
    link: String,
    directions: Directions,
    (shortest, longest): (u64, u64),
) {
    let from_ms = early(draws, plan);
    let until_ms = from_ms + draws.between(shortest, longest);
    plan.faults.push(TimedFault {
        fault,
        link,
        directions,
        from_ms,
        // What begins ends with the chaos phase at the latest.
        until_ms: until_ms.min(plan.heal_at_ms).max(from_ms + 1),
    });
}

/// Lets a host suffer, if nothing else befalls it at that time.
fn host_fault(draws: &mut Stream, plan: &mut Plan, fault: HostFaultKind, (shortest, longest): (u64, u64)) {
    let hosts: Vec<String> = plan.topology.hosts.iter().map(|h| h.name.clone()).collect();
    let (host, from_ms) = (one_of(draws, &hosts), early(draws, plan));
    let until_ms = (from_ms + draws.between(shortest, longest))
        .min(plan.heal_at_ms)
        .max(from_ms + 1);
    plan.host_faults.push(HostFault {
        fault,
        host,
        from_ms,
        until_ms,
    });
    if HostFault::check(&plan.host_faults, &plan.topology).is_err() {
        plan.host_faults.pop();
    }
}

fn verdicts(draws: &mut Stream, plan: &mut Plan, verdict: impl Fn(&mut Stream) -> Verdict) {
    for client in clients(plan) {
        for _ in 0..draws.between(1, 3) {
            // An attempt takes about ten messages of each side.
            let (message, verdict) = (draws.below(12), verdict(draws));
            let known = |f: &SignalFault| f.client == client && f.message == message;
            if !plan.signal_faults.iter().any(known) {
                plan.signal_faults.push(SignalFault {
                    client: client.clone(),
                    message,
                    verdict,
                });
            }
        }
    }
}

fn slow_awaits(draws: &mut Stream, plan: &mut Plan) {
    let steps: Vec<String> = plan.stretch.iter().map(|s| s.step.clone()).collect();
    for step in steps {
        if !draws.chance(Ppm::percent(40)) {
            continue;
        }
        let host = one_of(draws, &clients(plan));
        let by = Latency::uniform_ms(0, draws.between(50, 300));
        // The first that fits decides.
        plan.stretch.insert(0, Stretch { host, step, by });
    }
}

/// A moment early in the chaos phase, in milliseconds.
fn early(draws: &mut Stream, plan: &Plan) -> u64 {
    draws.below(EARLY_MS.min(plan.heal_at_ms.max(1)))
}

fn one_of(draws: &mut Stream, names: &[String]) -> String {
    names[draws.below(names.len() as u64) as usize].clone()
}

/// The hosts that people hold in their hands.
fn clients(plan: &Plan) -> Vec<String> {
    let serves = |name: &str| name == "server" || plan.ice_servers.iter().any(|s| s.host == name);
    let hosts = plan.topology.hosts.iter().map(|h| h.name.clone());
    hosts.filter(|name| !serves(name)).collect()
}

fn client_links(plan: &Plan) -> Vec<String> {
    let clients = clients(plan);
    let of_client = |link: &String| clients.iter().any(|c| link.split('/').next() == Some(c));
    links(plan).into_iter().filter(of_client).collect()
}

/// The links of all hosts.
fn links(plan: &Plan) -> Vec<String> {
    let hosts = plan.topology.hosts.iter();
    hosts
        .flat_map(|h| (0..h.interfaces.len()).map(|i| h.link_base(i)))
        .collect()
}

#[cfg(test)]
mod tests;

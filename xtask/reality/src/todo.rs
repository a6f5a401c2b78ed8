//! What a plan says, in the terms of real networks: what is done at which time, and what the wire does.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, bail};
use sleet::{
    fault::{Act, Fault, Plan, Scripted, Target, When, kinds::FaultKind},
    seed::Seed,
};

use crate::{
    lane::{Access, Cut, Order, Translator},
    nat::{Gate, Ports, Side, Translation},
    place::Place,
    world::{Network, OFFICE, inside, outside, turn_of},
};

/// Something to be done at a time.
pub enum Todo {
    /// A user acts.
    Act(Side, Act),
    /// The TURN server dies.
    KillTurn,
    /// It starts again.
    ReviveTurn,
    /// A NAT starts again, and has forgotten every mapping.
    Reboot(Side, Ports),
    /// A machine leaves its first network, and goes on over its second.
    Switch(Side),
    /// Both phones are asked how many tasks they have.
    Count,
}

/// What is to be done, by its time from the plan's beginning on and its number.
pub type Todos = BTreeMap<(Duration, usize), Todo>;

/// What is to be done at stated times.
///
/// # Errors
/// Acts, faults and moments that cannot be executed for real.
pub fn todo(plan: &Plan) -> anyhow::Result<Todos> {
    let mut todo = BTreeMap::new();
    let mut at = |ms: u64, what| {
        let key = (Duration::from_millis(ms), todo.len());
        todo.insert(key, what);
    };
    for Scripted { host, when, act } in &plan.script {
        let side = phone_of(host)?;
        match when {
            When::At { ms } => at(*ms, Todo::Act(side, act.clone())),
            When::Rung { .. } => {}
            _ => bail!("a user cannot wait for that: {when:?}"),
        }
    }
    for fault in &plan.faults {
        match &fault.kind {
            FaultKind::IceServerDown(_) => {
                at(fault.from_ms, Todo::KillTurn);
                if let Some(ms) = fault.until_ms {
                    at(ms, Todo::ReviveTurn);
                }
            }
            FaultKind::Partition(_) | FaultKind::OneWayPartition(_) => {}
            FaultKind::NetworkSwitch(switch) if switch.over == Network::Second.interface() => {
                at(fault.from_ms, Todo::Switch(phone_of(fault.target.name())?));
            }
            FaultKind::NatReboot(_) => at(fault.from_ms, Todo::Reboot(behind(fault)?, Ports::Stay)),
            FaultKind::NatRebind(_) => at(fault.from_ms, Todo::Reboot(behind(fault)?, Ports::Move)),
            _ => bail!("this fault cannot be executed: {}", fault.describe()),
        }
    }
    Ok(todo)
}

/// Whose machine `host` is.
///
/// # Errors
/// When nobody has a phone on it.
pub fn phone_of(host: &str) -> anyhow::Result<Side> {
    match host {
        "alice" => Ok(Side::Alice),
        "bob" => Ok(Side::Bob),
        other => bail!("{other} has no phone"),
    }
}

/// Whose NAT a fault befalls.
fn behind(fault: &Fault) -> anyhow::Result<Side> {
    match &fault.target {
        Target::Nat(name) if name == "a" => Ok(Side::Alice),
        Target::Nat(name) if name == "b" => Ok(Side::Bob),
        other => bail!("there is no NAT {}", other.name()),
    }
}

/// How long after the phone began to ring its user answers.
pub fn rung(plan: &Plan) -> impl Iterator<Item = u64> {
    plan.script.iter().filter_map(|s| match (s.when, &s.act) {
        (When::Rung { ms }, Act::Answer) => Some(ms),
        _ => None,
    })
}

/// What the wire is to do during the call.
///
/// # Errors
/// Hosts that have no place in the network.
pub fn order(place: &Place<'_>, seed: Seed, plan: &Plan) -> anyhow::Result<Order> {
    let address = |host: &str| {
        let of = |side, gate: &Gate| match gate.translates() {
            true => outside(place.lane, side),
            false => inside(place.lane, side),
        };
        Ok(match host {
            "alice" => of(Side::Alice, &place.gates[0]),
            "bob" => of(Side::Bob, &place.gates[1]),
            "office" => OFFICE,
            "stun" => turn_of(place.lane),
            other => bail!("there is no place for {other}"),
        })
    };
    let mut links = Vec::new();
    for host in &plan.topology.hosts {
        let interface = host.interfaces.first().context("an interface")?;
        links.push(Access {
            host: host.name.clone(),
            address: address(&host.name)?,
            up: interface.up.clone(),
            down: interface.down.clone(),
        });
    }
    let cuts = plan.faults.iter().filter_map(|fault| match &fault.target {
        Target::Link { name, directions } => Some(Cut {
            host: name.clone(),
            directions: *directions,
            from_ms: fault.from_ms,
            until_ms: fault.until_ms.unwrap_or(u64::MAX),
        }),
        _ => None,
    });
    let sides = [Side::Alice, Side::Bob].into_iter().zip(&place.gates);
    let nats = sides.filter_map(|(side, gate)| match gate.translation {
        Translation::OnTheWire(spec) => Some(Translator {
            inside: inside(place.lane, side),
            outside: outside(place.lane, side),
            spec,
        }),
        _ => None,
    });
    Ok(Order {
        lane: place.lane,
        seed: seed.0,
        links,
        faults: cuts.collect(),
        nats: nats.collect(),
    })
}

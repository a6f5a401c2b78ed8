//! Describes causes and faults in words, from data, for any view of a run.

use crate::{
    fault::{Fault, Plan},
    trace::{Cause, Direction, Effect, FaultId},
};

/// Describes the fault with the number `id` in `plan`: `fault 3, partition alice up, 600 to 5000 ms`.
pub fn fault(plan: &Plan, id: FaultId) -> String {
    with(plan, id, ", ")
}

/// Describes the begin of a fault.
pub fn begins(plan: &Plan, id: FaultId) -> String {
    with(plan, id, " begins: ")
}

/// Describes the end of a fault.
pub fn ends(plan: &Plan, id: FaultId) -> String {
    with(plan, id, " ends: ")
}

fn with(plan: &Plan, id: FaultId, between: &str) -> String {
    let what = plan.fault(id).map(Fault::describe);
    format!(
        "fault {id}{between}{}",
        what.as_deref().unwrap_or("not in the plan")
    )
}

/// Describes the cause of a packet's fate in a run of `plan`: `lost on alice->net`.
pub fn cause(plan: &Plan, cause: &Cause) -> String {
    let what = match cause {
        Cause::Fault { fault: id } => return fault(plan, *id),
        Cause::Link {
            link,
            direction,
            effect,
            ..
        } => {
            let way = match direction {
                Direction::Up => format!("{link}->net"),
                Direction::Down => format!("net->{link}"),
            };
            format!("{} {way}", of_a_link(*effect))
        }
        Cause::Firewall { host } => format!("firewall of {host}"),
        Cause::Nat { nat, refusal, .. } => format!("NAT {nat}: {refusal}"),
        Cause::Unroutable { address, .. } => format!("no host at {address}"),
        Cause::HostDown { host, .. } => format!("{host} is down"),
    };
    match cause.fault() {
        Some(id) => format!("{what} ({})", fault(plan, id)),
        None => what,
    }
}

const fn of_a_link(effect: Effect) -> &'static str {
    match effect {
        Effect::Loss => "lost on",
        Effect::Burst => "lost in a burst on",
        Effect::Reorder => "reordered on",
        Effect::Duplicate => "duplicated on",
        Effect::Corrupt => "corrupted on",
        Effect::Truncate => "truncated on",
        Effect::QueueFull => "queue full on",
        Effect::TooLarge => "larger than the MTU of",
        Effect::GivenUp => "given up on",
    }
}

//! Faults in words that do not depend on what else is in the plan: no index may stand in them.

use super::values::in_words;
use crate::{
    fault::{PointFault, ServiceFault, SignalFault, Stretch, Verdict},
    net::{
        nat::{NatEvent, NatFault},
        switch::NetworkSwitch,
        weather::{Directions, LinkFault, TimedFault},
    },
    servers::IceServerFault,
    world::{HostFault, HostFaultKind},
};

pub(super) fn link(fault: &TimedFault) -> String {
    let what = match fault.fault {
        LinkFault::Partition => "partition",
        LinkFault::Hold => "hold",
        LinkFault::Reset => "reset",
    };
    let directions = match fault.directions {
        Directions::Both => "both ways",
        Directions::Up => "up",
        Directions::Down => "down",
    };
    format!(
        "{what} {} {directions}, {} to {} ms",
        fault.link, fault.from_ms, fault.until_ms
    )
}

pub(super) fn signal(fault: &SignalFault) -> String {
    let what = verdict(fault.verdict);
    format!("signaling message {} of {} {what}", fault.message, fault.client)
}

pub(super) fn point(fault: &PointFault) -> String {
    let what = verdict(fault.verdict);
    format!("message {} at {} {what}", fault.nth, fault.point)
}

fn verdict(verdict: Verdict) -> String {
    match verdict {
        Verdict::Delay { ms } => format!("delayed by {ms} ms"),
        Verdict::Drop => "dropped".to_owned(),
        Verdict::Duplicate => "doubled".to_owned(),
    }
}

pub(super) fn service(fault: &ServiceFault) -> String {
    match fault {
        ServiceFault::SignalingReset { at_ms } => format!("signaling connections reset at {at_ms} ms"),
        ServiceFault::ServerRestart { from_ms, until_ms } => {
            format!("signaling server down, {from_ms} to {until_ms} ms")
        }
    }
}

pub(super) fn stretch(stretch: &Stretch) -> String {
    let whose = match stretch.host.as_str() {
        "*" => "everybody",
        host => host,
    };
    format!("slow {} of {whose}, {}", stretch.step, in_words(&stretch.by))
}

pub(super) fn host(fault: &HostFault) -> String {
    let HostFault {
        host,
        from_ms,
        until_ms,
        ..
    } = fault;
    match fault.fault {
        HostFaultKind::Crash => format!("crash of {host} at {from_ms} ms, back at {until_ms} ms"),
        HostFaultKind::Pause => format!("pause of {host}, {from_ms} to {until_ms} ms"),
    }
}

pub(super) fn nat(fault: &NatFault) -> String {
    let NatFault { nat, at_ms, .. } = fault;
    match fault.fault {
        NatEvent::Rebind => format!("rebinding of NAT {nat} at {at_ms} ms"),
        NatEvent::Reboot => format!("reboot of NAT {nat} at {at_ms} ms"),
        NatEvent::ChangeAddress { to } => format!("NAT {nat} moves to {to} at {at_ms} ms"),
    }
}

pub(super) fn switch(switch: &NetworkSwitch) -> String {
    let NetworkSwitch {
        host,
        from,
        to,
        at_ms,
    } = switch;
    format!("{host} changes from {from} to {to} at {at_ms} ms")
}

pub(super) fn ice_server(fault: &IceServerFault) -> String {
    let IceServerFault {
        host,
        from_ms,
        until_ms,
    } = fault;
    match until_ms {
        Some(until_ms) => format!("server on {host} down, {from_ms} to {until_ms} ms"),
        None => format!("server on {host} down for good from {from_ms} ms on"),
    }
}

//! What hosts and NATs do that plain ones do not: processors that take time, NATs that accept what nobody asked for.

use super::item::{Gone, Item};
use crate::fault::Plan;

/// Returns the processors that take time.
pub(super) fn processors(plan: &Plan) -> Vec<Item> {
    let hosts = plan.topology.hosts.iter().enumerate();
    let slow = hosts.filter(|(_, host)| host.packet_us > 0);
    slow.map(|(item, host)| Item {
        item,
        path: format!("topology.hosts[{item}].packet_us"),
        description: format!(
            "processor of {} takes {} us for each packet",
            host.name, host.packet_us
        ),
    })
    .collect()
}

/// Makes processors take no time, by the numbers of their hosts.
pub(super) fn hasten(plan: &mut Plan, gone: &Gone) {
    gone.iter().for_each(|i| plan.topology.hosts[*i].packet_us = 0);
}

/// Returns the NATs that accept what nobody asked for.
pub(super) fn accepting(plan: &Plan) -> Vec<Item> {
    let nats = plan.topology.nats.iter().enumerate();
    let accepting = nats.filter(|(_, nat)| nat.spec.accepts_unsolicited);
    accepting
        .map(|(item, nat)| Item {
            item,
            path: format!("topology.nats[{item}].spec.accepts_unsolicited"),
            description: format!("NAT {} accepts what nobody asked for", nat.name),
        })
        .collect()
}

/// Makes NATs drop what nobody asked for, by their numbers.
pub(super) fn refuse(plan: &mut Plan, gone: &Gone) {
    gone.iter()
        .for_each(|i| plan.topology.nats[*i].spec.accepts_unsolicited = false);
}

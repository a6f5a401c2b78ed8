//! Removal of users' acts, devices, hosts and NATs, with everything that depends on them.

use super::item::{Gone, Item, drop_from};
use crate::{
    fault::{Act, Plan, Scripted, When, leg_of},
    net::topology::HostSpec,
};

/// Returns the acts of users, except answers to dials in the script.
pub(super) fn actions(plan: &Plan) -> Vec<Item> {
    let all = plan.script.iter().enumerate();
    // An unanswered call never connects: that is not the failure to shrink.
    let own = all.filter(|(_, s)| s.act != Act::Answer || !answers_a_dial(plan, &plan.script, s));
    let item = |(item, scripted): (usize, &Scripted)| Item {
        item,
        path: format!("script[{item}]"),
        description: action_words(scripted),
    };
    own.map(item).collect()
}

/// Reports whether somebody dials the host of `answer`. The earlier call decides the callee of a redial.
fn answers_a_dial(plan: &Plan, script: &[Scripted], answer: &Scripted) -> bool {
    script.iter().any(|s| match &s.act {
        Act::Dial { to, .. } => rings_on(plan, to, &answer.host),
        Act::DialGroup { to, .. } => to.contains(&answer.host),
        Act::Redial { .. } => true,
        _ => false,
    })
}

/// Reports whether `host` is called by dialing `to`: it is the client, or one of the user's devices.
fn rings_on(plan: &Plan, to: &str, host: &str) -> bool {
    to == host
        || plan
            .devices_of(to)
            .is_some_and(|all| all.iter().any(|d| d == host))
}

/// Reports whether an act is about the host `name`.
fn names(plan: &Plan, act: &Act, name: &str) -> bool {
    match act {
        Act::Dial { to, .. } => rings_on(plan, to, name),
        Act::DialGroup { to, .. } => to.iter().any(|to| to == name),
        _ => false,
    }
}

/// Reports whether an act makes the call `name`.
fn is_made(script: &[Scripted], name: &str) -> bool {
    script.iter().any(|s| match &s.act {
        Act::Dial { call, .. } | Act::Redial { again: call, .. } => call == name,
        Act::DialGroup { group, to } => to.iter().any(|to| leg_of(group, to) == name),
        _ => false,
    })
}

fn has_group(script: &[Scripted], name: &str) -> bool {
    script
        .iter()
        .any(|s| matches!(&s.act, Act::DialGroup { group, .. } if group == name))
}

fn action_words(scripted: &Scripted) -> String {
    let host = &scripted.host;
    let what = match &scripted.act {
        Act::Dial { to, call } => format!("{host} dials {to}, {call}"),
        Act::Retry { call } => format!("{host} tries {call} again"),
        Act::Hangup { call } => format!("{host} hangs {call} up"),
        Act::Answer => format!("{host} answers"),
        Act::Reject { call } => format!("{host} rejects {call}"),
        Act::Redial { call, again } => format!("{host} redials {call}, {again}"),
        Act::DialGroup { group, to } => format!("{host} dials {}, {group}", to.join(" and ")),
        Act::HangupGroup { group } => format!("{host} hangs {group} up"),
        Act::App { name, .. } => format!("{host} does {name}"),
    };
    match scripted.when {
        When::At { ms } => format!("{what}, at {ms} ms"),
        When::Rung { ms } => format!("{what}, {ms} ms after it rings"),
        When::Free { from_ms } => format!("{what}, in its turn from {from_ms} ms on"),
        When::Reached { point, after_ms } => format!("{what}, {after_ms} ms after it is {point}"),
        When::Over { after_ms } => format!("{what}, {after_ms} ms after it is over"),
    }
}

/// Removes acts: with a dial go its retries, hangups and redials, and the answers of hosts that nobody dials any more.
pub(super) fn remove_actions(plan: &mut Plan, gone: &Gone) {
    let (people, before) = (plan.clone(), plan.script.clone());
    drop_from(&mut plan.script, gone);
    // The acts about a redialed call go with the redial, and so on.
    loop {
        let left = plan.script.clone();
        plan.script.retain(|s| match &s.act {
            Act::HangupGroup { group } => has_group(&left, group) || !has_group(&before, group),
            Act::Answer => answers_a_dial(&people, &left, s) || !answers_a_dial(&people, &before, s),
            Act::Dial { .. } | Act::DialGroup { .. } => true,
            act => act
                .call()
                .is_none_or(|call| is_made(&left, call) || !is_made(&before, call)),
        });
        if plan.script.len() == left.len() {
            return;
        }
    }
}

/// Returns the devices of users, except the first of each.
pub(super) fn devices(plan: &Plan) -> Vec<Item> {
    let all = plan.users.iter().enumerate().flat_map(|(i, user)| {
        let more = user.devices.iter().enumerate().skip(1);
        more.map(move |(k, device)| (i, k, format!("{} rings on {device} too", user.name)))
    });
    let item = |(item, (i, k, description)): (usize, (usize, usize, String))| Item {
        item,
        path: format!("users[{i}].devices[{k}]"),
        description,
    };
    all.enumerate().map(item).collect()
}

/// Removes devices: the user is called on the remaining ones.
pub(super) fn remove_devices(plan: &mut Plan, gone: &Gone) {
    let mut item = 0;
    for user in &mut plan.users {
        let mut first = true;
        user.devices.retain(|_| {
            if std::mem::take(&mut first) {
                return true;
            }
            item += 1;
            !gone.contains(&(item - 1))
        });
    }
}

/// Removes NATs: hosts and NATs behind a removed NAT move behind its own outer NAT.
pub(super) fn remove_nats(plan: &mut Plan, gone: &Gone) {
    let topology = &mut plan.topology;
    // The innermost comes first: an outer NAT comes before those inside it.
    for index in gone.iter().rev() {
        let nat = topology.nats.remove(*index);
        let inner = topology.nats.iter_mut().map(|n| &mut n.behind);
        let hosts = topology.hosts.iter_mut().map(|h| &mut h.nat);
        for behind in inner.chain(hosts).filter(|b| b.as_ref() == Some(&nat.name)) {
            behind.clone_from(&nat.behind);
        }
    }
}

/// Returns the hosts without a service, a user or a STUN or TURN server.
pub(super) fn idle_hosts(plan: &Plan) -> Vec<Item> {
    let named = |name: &str| {
        plan.is_service(name)
            || plan.ice_servers.iter().any(|s| s.host == name)
            || plan
                .script
                .iter()
                .any(|s| s.host == name || names(plan, &s.act, name))
    };
    let hosts = plan.topology.hosts.iter().enumerate();
    let item = |(item, host): (usize, &HostSpec)| Item {
        item,
        path: format!("topology.hosts[{item}]"),
        description: format!("host {}", host.name),
    };
    hosts
        .filter(|(_, h)| !h.serves && !named(&h.name))
        .map(item)
        .collect()
}

/// Removes hosts with everything that happens to them.
pub(super) fn remove_hosts(plan: &mut Plan, gone: &Gone) {
    for index in gone.iter().rev() {
        let host = plan.topology.hosts.remove(*index);
        plan.slow_steps.retain(|s| s.host != host.name);
    }
}

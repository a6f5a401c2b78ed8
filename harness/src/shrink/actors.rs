//! Users, hosts and the NATs in front of them, and what goes with each when it is removed.

use super::edit::{Gone, Item, drop_from};
use crate::{
    fault::{Act, Plan, Scripted, When, leg_of},
    net::topology::HostSpec,
};

/// What users do, but for the answers to what others do.
pub(super) fn actions(plan: &Plan) -> Vec<Item> {
    let all = plan.script.iter().enumerate();
    // An unanswered call connects for nobody: that is not what was found.
    let own = all.filter(|(_, s)| s.act != Act::Answer || !answers_a_dial(plan, &plan.script, s));
    let item = |(item, scripted): (usize, &Scripted)| Item {
        item,
        path: format!("script[{item}]"),
        description: action_words(scripted),
    };
    own.map(item).collect()
}

/// Whether somebody dials whom `answer` is about. Whom a redial is to, the earlier call decides.
fn answers_a_dial(plan: &Plan, script: &[Scripted], answer: &Scripted) -> bool {
    script.iter().any(|s| match &s.act {
        Act::Dial { to, .. } => rings_on(plan, to, &answer.host),
        Act::DialGroup { to, .. } => to.contains(&answer.host),
        Act::Redial { .. } => true,
        _ => false,
    })
}

/// Whether `host` is who is called by dialing `to`, or one of their devices.
fn rings_on(plan: &Plan, to: &str, host: &str) -> bool {
    to == host
        || plan
            .devices_of(to)
            .is_some_and(|all| all.iter().any(|d| d == host))
}

/// Whether an act is about the host `name`.
fn names(plan: &Plan, act: &Act, name: &str) -> bool {
    match act {
        Act::Dial { to, .. } => rings_on(plan, to, name),
        Act::DialGroup { to, .. } => to.iter().any(|to| to == name),
        _ => false,
    }
}

/// Whether somebody makes the call `name`.
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

/// With a dial go its retries, hangups and redials, and the answers of whom nobody dials any more.
pub(super) fn remove_actions(plan: &mut Plan, gone: &Gone) {
    let (people, before) = (plan.clone(), plan.script.clone());
    drop_from(&mut plan.script, gone);
    // What a redial made goes with it, and so on.
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

/// The devices of users, but for the first of each.
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

/// Who has fewer devices is called on those that are left.
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

/// Who was behind a removed NAT is behind what that NAT was behind.
pub(super) fn remove_nats(plan: &mut Plan, gone: &Gone) {
    let topology = &mut plan.topology;
    // The innermost first: an outer NAT comes before those inside it.
    for index in gone.iter().rev() {
        let nat = topology.nats.remove(*index);
        let inner = topology.nats.iter_mut().map(|n| &mut n.behind);
        let hosts = topology.hosts.iter_mut().map(|h| &mut h.nat);
        for behind in inner.chain(hosts).filter(|b| b.as_ref() == Some(&nat.name)) {
            behind.clone_from(&nat.behind);
        }
    }
}

/// Hosts that neither the service nor a user nor a server for ICE is on.
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

/// With a host goes what happens to it.
pub(super) fn remove_hosts(plan: &mut Plan, gone: &Gone) {
    for index in gone.iter().rev() {
        let host = plan.topology.hosts.remove(*index);
        plan.slow_steps.retain(|s| s.host != host.name);
    }
}

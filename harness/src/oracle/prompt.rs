//! An oracle for calls in fair weather: once everything has been said, they connect in their round trips.
//!
//! The bound is computed from the plan, and allows for all that it lets links and steps take. In any other weather nothing is judged.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Evidence, Oracle, Verdict, Violation,
    calls::{Call, calls},
    wanted::{Want, wanted},
    worst,
};
use crate::{
    fault::Plan,
    net::{link::LinkProfile, topology::HostSpec},
    seed::Ppm,
    time::SimTime,
    trace::{EventKind, SignalDirection, Trace},
};

/// In fair weather calls connect at once.
pub const CONN_04_PROMPT: Oracle = Oracle {
    id: "CONN-04",
    meaning: "In fair weather a call connects two seconds after it was accepted and each end has a description and a candidate of the other, and sixteen trips between the ends, and twice what each of the app's steps may take.",
    source: "docs/judging.md#liveness; RFC 8445 section 14; RFC 6347 section 4.2.4",
    check: &prompt,
};

/// The time that agents take: they check every 200 ms, wait before they nominate, and one may have to open its firewall first.
const REST: Duration = Duration::from_secs(2);
/// The trips between the ends: checks and answers, six flights of DTLS, four of SCTP, three that prove the connection.
const TRIPS: u32 = 16;
/// How often a step is taken at most before a call is connected, one after the other.
const TIMES: u32 = 2;

fn prompt(evidence: Evidence<'_>) -> Verdict {
    let Evidence { trace, plan } = evidence;
    if !is_fair(plan) {
        return Verdict::Pass;
    }
    let mut seen = Seen::default();
    for accept in wanted(trace).iter().filter(|wanted| wanted.want == Want::Accept) {
        seen.accepted
            .entry((accept.call, accept.host))
            .or_insert(accept.event.at);
    }
    for event in trace.endings() {
        if let (EventKind::Call { .. }, Some(call)) = (&event.kind, event.kind.call()) {
            seen.over.entry(call).or_insert(event.at);
        }
    }
    worst(calls(trace).iter().map(|call| judge(evidence, &seen, call)))
}

/// What users did, and what their apps showed.
#[derive(Default)]
struct Seen<'a> {
    /// When a call was accepted on a host.
    accepted: BTreeMap<(&'a str, &'a str), SimTime>,
    /// When a call was first over at an end. Whether there was a cause is judged elsewhere.
    over: BTreeMap<&'a str, SimTime>,
}

/// Reports whether nothing but the length of links and the app's own steps delays a call.
fn is_fair(plan: &Plan) -> bool {
    let is_good = |link: &LinkProfile| {
        let shares = [
            link.loss,
            link.reorder,
            link.duplicate,
            link.corrupt,
            link.truncate,
        ];
        let is_narrow = link.bandwidth_kbps.is_some() || link.mtu.is_some();
        shares == [Ppm::ZERO; 5] && link.bursts.is_none() && !is_narrow
    };
    let mut links = plan.topology.hosts.iter().flat_map(|h| &h.interfaces);
    plan.faults.is_empty()
        && plan.ice_servers.is_empty()
        && plan.topology.nats.is_empty()
        && plan.order.is_none()
        && links.all(|interface| is_good(&interface.up) && is_good(&interface.down))
}

fn judge(Evidence { trace, plan }: Evidence<'_>, seen: &Seen<'_>, call: &Call<'_>) -> Verdict {
    let Some((bound, told)) = bound(plan, call).zip(told(trace, seen, call)) else {
        return Verdict::Pass;
    };
    let by = told + bound;
    let ended = trace.events.last().map_or(SimTime::ZERO, |e| e.at);
    let is_over = seen.over.get(call.name).is_some_and(|at| *at <= by) || ended < by;
    let is_hung_up = call.hung_up.is_some_and(|at| at <= by);
    let tries_again = call.last_try > call.dialed || call.crashed.is_some();
    let late = [call.caller, call.callee]
        .into_iter()
        .find(|host| call.connected_at(trace, host).is_none_or(|at| at > by));
    match late {
        Some(host) if !is_over && !is_hung_up && !tries_again => Verdict::Fail(Violation {
            event: None,
            call: Some(call.name.to_owned()),
            why: format!(
                "{} was accepted, and both ends had what they need, at {told}, and it was not connected at {host} {} ms later",
                call.name,
                bound.as_millis()
            ),
        }),
        _ => Verdict::Pass,
    }
}

/// Returns the time by which the call was accepted, and each end had received a description and a candidate of the other; `None` if
/// that never was.
fn told(trace: &Trace, seen: &Seen<'_>, call: &Call<'_>) -> Option<SimTime> {
    let mut told = *seen.accepted.get(&(call.name, call.callee))?;
    for host in [call.caller, call.callee] {
        for what in [&["offer", "answer"][..], &["candidate"]] {
            let mut said = trace.of(host).filter(|e| {
                let is_said = matches!(&e.kind, EventKind::Signal { direction: SignalDirection::Received, message, .. }
                    if what.contains(&message.as_str()));
                is_said && e.kind.call() == Some(call.name)
            });
            told = told.max(said.next()?.at);
        }
    }
    Some(told)
}

/// Returns what the call may take from then on; `None` if its ends are not two hosts.
fn bound(plan: &Plan, call: &Call<'_>) -> Option<Duration> {
    let ends = [plan.topology.host(call.caller)?, plan.topology.host(call.callee)?];
    let trip: Duration = ends.into_iter().map(longest_way).sum();
    let takes_part = |host: &str| host == "*" || ends.iter().any(|end| end.name == host);
    let steps = plan.slow_steps.iter().filter(|step| takes_part(&step.host));
    let steps: Duration = steps
        .map(|step| step.by.longest() * if step.host == "*" { 2 } else { 1 })
        .sum();
    Some(REST + trip * TRIPS + steps * TIMES)
}

/// Returns the longest way between a host and the core of the network.
fn longest_way(host: &HostSpec) -> Duration {
    let longest = |link: &LinkProfile| link.latency.longest() + link.jitter.longest();
    let links = host.interfaces.iter();
    let ways = links.map(|interface| longest(&interface.up).max(longest(&interface.down)));
    ways.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{ends::testing::*, machine::testing::*},
        *,
    };
    use crate::{
        fault::{SlowStep, partition},
        net::{conditions::Directions, latency::Latency, topology::Topology},
    };

    /// A network on which a trip takes up to 30 ms, and one step up to 500 ms: the bound is 2,000 + 16 * 30 + 2 * 500 ms.
    fn calm() -> Plan {
        let host =
            |name, address, ms| HostSpec::new(name, address, LinkProfile::good(Latency::constant_ms(ms)));
        let slow = SlowStep {
            host: "bob".into(),
            step: "set-local".into(),
            by: Latency::uniform_ms(0, 500),
        };
        Plan {
            slow_steps: vec![slow],
            ..Plan::new(Topology::new([
                host("alice", "10.0.0.1", 10),
                host("bob", "10.0.0.2", 20),
            ]))
        }
    }

    /// Both ends have a description and a candidate after a second, bob's user accepts then, and alice is connected at `connected_ms`.
    fn judged_in(plan: &Plan, connected_ms: u64, otherwise: Option<EventKind>) -> Verdict {
        let says = |message: &str| EventKind::Signal {
            direction: SignalDirection::Received,
            with: "server".into(),
            message: message.into(),
            call: Some("c1".into()),
            ufrag: None,
            candidate: None,
        };
        let mut events = vec![
            (0, "alice", dialed()),
            (100, "bob", rings()),
            (500, "bob", says("offer")),
            (600, "bob", says("candidate")),
            (700, "alice", says("candidate")),
            (900, "bob", accepted()),
            (1_000, "alice", says("answer")),
            (1_500, "bob", usable()),
        ];
        events.extend(otherwise.map(|kind| (2_000, "alice", kind)));
        events.push((connected_ms, "alice", usable()));
        events.push((9_000, "alice", EventKind::Healed));
        let trace = trace_of(events);
        prompt(Evidence { trace: &trace, plan })
    }

    #[test]
    fn a_call_on_a_good_network_connects_in_its_round_trips_and_what_its_steps_take() {
        assert_eq!(judged_in(&calm(), 4_480, None), Verdict::Pass);
        let Verdict::Fail(late) = judged_in(&calm(), 4_481, None) else {
            panic!("nobody notices");
        };
        assert!(
            late.why.contains("not connected at alice 3480 ms later"),
            "{}",
            late.why
        );
    }

    #[test]
    fn neither_other_weather_nor_a_call_that_is_hung_up_is_judged() {
        assert_eq!(judged_in(&calm(), 8_000, Some(hung_up())), Verdict::Pass);
        assert_eq!(judged_in(&calm(), 8_000, Some(retried())), Verdict::Pass);
        let mut dark = calm();
        dark.inject(partition("bob", Directions::Both, 1, 2));
        let mut lossy = calm();
        lossy.topology.hosts[0].interfaces[0].up.loss = Ppm::percent(1);
        for other in [dark, lossy] {
            assert_eq!(judged_in(&other, 8_000, None), Verdict::Pass);
        }
    }
}

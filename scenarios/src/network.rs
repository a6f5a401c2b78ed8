//! The networks of the stories.

use sleet::{
    fault::kinds::SignalDelay, fault::partition, net::firewall::FirewallSpec, prelude::*,
    signaling::Ordering, signaling::SignalingSpec,
};

/// The story network of field report A, with one call from alice to bob.
///
/// Both are behind firewalls that let in only answers, so that a lost candidate is a lost path (on an open network the
/// callee would learn the caller's address from its checks). The links are good: only signaling causes trouble, whose
/// server handles each message in a task of its own and takes longer for a description than for a candidate. No
/// signaling message takes longer than 1.5 s: that is as late as candidates may be for the ICE stack to connect at all
/// (docs/findings/0001).
pub fn story_a(seed: Seed) -> Plan {
    let mut draws = seed.stream("plan/story-a");
    let pick_up_ms = draws.between(800, 1_500);
    let topology = Topology::new([
        HostSpec::new("alice", "10.1.0.1", link(draws.between(8, 25))).behind(FirewallSpec::STRICT),
        HostSpec::new("bob", "10.2.0.1", link(draws.between(8, 25))).behind(FirewallSpec::STRICT),
        HostSpec::new("server", "10.9.0.1", link(2)),
    ]);
    Plan {
        signaling: Some(SignalingSpec {
            ordering: Ordering::Concurrent,
            descriptions: Latency::quantiles_ms(&[(0, 5), (50, 25), (88, 60), (97, 450), (100, 900)]),
            others: Latency::quantiles_ms(&[(0, 2), (80, 20), (100, 100)]),
            ..SignalingSpec::PROMPT
        }),
        slow_steps: vec![
            slow_step("create-offer", 1, 10),
            slow_step("create-answer", 1, 10),
            slow_step("send-description", 0, 5),
            slow_step("set-local", 40, 150),
            slow_step("set-remote", 1, 15),
            slow_step("send-candidate", 0, 5),
            slow_step("add-candidate", 0, 5),
        ],
        script: vec![dials("alice", "bob", "c1", 200), answers("bob", pick_up_ms)],
        max_packets: 20_000,
        // The network of this story has no faults: it needs no healing.
        ..Plan::new(topology)
    }
}

/// The same network without firewalls: every host that gets a packet can answer.
pub fn open(seed: Seed) -> Plan {
    let mut plan = story_a(seed);
    for host in &mut plan.topology.hosts {
        host.firewall = None;
    }
    plan
}

/// The same network, where bob's app sleeps until a push notification wakes it.
pub fn story_a_push(seed: Seed) -> Plan {
    let mut plan = story_a(seed);
    plan.service().push = Some(Latency::quantiles_ms(&[(0, 150), (80, 800), (100, 4_000)]));
    plan
}

/// The same network, where bob answers almost at once, as an app that answers automatically does.
pub fn story_a_quick_answer(seed: Seed) -> Plan {
    let mut plan = story_a(seed);
    plan.script[1] = answers("bob", seed.stream("plan/quick-answer").between(50, 300));
    plan
}

/// The same network, whose server handles the messages of a client one after the other.
pub fn story_a_in_order(seed: Seed) -> Plan {
    let mut plan = story_a(seed);
    plan.service().ordering = Ordering::InOrder;
    plan
}

/// The same network, where alice gives her first attempt up while its candidates are still under way and tries again
/// within the same call. In half of the runs the signaling server takes her first candidate late.
pub fn story_a_retry(seed: Seed) -> Plan {
    let mut plan = story_a(seed);
    let mut draws = seed.stream("plan/story-a-retry");
    let at = draws.between(300, 700);
    let ms = draws.between(600, 1_200);
    if draws.chance(Ppm::percent(50)) {
        let late = SignalDelay { message: 2, ms };
        plan.inject(Fault::new(Target::host("alice"), late, 0, None));
        // The late message is the chaos; the call has its budget after it.
        plan.heal_at_ms = 2_500;
    }
    plan.script.push(Scripted {
        host: "alice".into(),
        when: When::At { ms: at },
        act: Act::Retry { call: "c1".into() },
    });
    plan
}

/// The same network, on which the signaling server takes alice's dial and her offer so late that her candidates come to bob before the
/// call does.
pub fn story_a_overtaken(seed: Seed) -> Plan {
    let mut plan = story_a(seed);
    let mut draws = seed.stream("plan/story-a-overtaken");
    for message in [0, 1] {
        let ms = draws.between(400, 900);
        let late = Fault::new(Target::host("alice"), SignalDelay { message, ms }, 0, None);
        plan.inject(late);
    }
    // The late messages are the chaos; the call has its budget after it.
    plan.heal_at_ms = 2_000;
    plan
}

/// The same network, on which all packets from alice are lost from the time when her candidates have left until both
/// sides have used up their checks (docs/findings/0001). Packets to her arrive, so that she begins to check in the
/// dark.
pub fn early_blackout(seed: Seed) -> Plan {
    let mut plan = story_a_quick_answer(seed);
    plan.faults = vec![partition("alice", Directions::Up, 600, BLACKOUT_ENDS_MS)];
    plan.heal_at_ms = BLACKOUT_ENDS_MS;
    // The time of one attempt that is given up and one that connects.
    plan.budget_ms = 15_000;
    plan
}

/// Bob's answer is there by 3.1 s: checks last at most 1.6 s from then on.
const BLACKOUT_ENDS_MS: u64 = 5_000;

/// The story network without firewalls, where alice has two interfaces, each with its name, its address and the delay
/// of its link in milliseconds. Her signaling goes over the first.
pub fn alice_on(seed: Seed, interfaces: [(&str, &str, u64); 2]) -> Plan {
    let mut plan = story_a(seed);
    for host in &mut plan.topology.hosts {
        host.firewall = None;
    }
    let alice = HostSpec {
        interfaces: Vec::new(),
        ..plan.topology.hosts[0].clone()
    };
    plan.topology.hosts[0] = interfaces.into_iter().fold(alice, |alice, (name, address, ms)| {
        alice.interface(name, address, LinkProfile::good(Latency::constant_ms(ms)))
    });
    plan
}

/// A network on which alice, who is on Wi-Fi and on cellular, dials bob, whose phone is not woken in time; she hangs up
/// after a while.
pub fn unanswered(seed: Seed) -> Plan {
    let mut plan = story_a(seed);
    let [wifi, cellular] = [12, 45].map(link);
    plan.topology.hosts[0] = HostSpec {
        interfaces: Vec::new(),
        ..plan.topology.hosts[0].clone()
    }
    .interface("wlan0", "10.1.0.1", wifi)
    .interface("rmnet0", "10.1.1.1", cellular);
    plan.service().push = Some(Latency::constant_ms(50_000));
    let ms = seed.stream("plan/unanswered").between(1_500, 6_000);
    plan.script.push(Scripted {
        host: "alice".into(),
        when: When::At { ms },
        act: Act::Hangup { call: "c1".into() },
    });
    plan
}

/// A link with a latency of `ms` milliseconds and up to 5 ms of jitter.
pub fn link(ms: u64) -> LinkProfile {
    LinkProfile {
        jitter: Latency::uniform_ms(0, 5),
        ..LinkProfile::good(Latency::constant_ms(ms))
    }
}

/// A rule by which every client takes `min` to `max` milliseconds for `step`.
pub fn slow_step(step: &str, min: u64, max: u64) -> SlowStep {
    SlowStep {
        host: "*".into(),
        step: step.into(),
        by: Latency::uniform_ms(min, max),
    }
}

/// The user at `host` dials at `at_ms`.
pub fn dials(host: &str, to: &str, call: &str, at_ms: u64) -> Scripted {
    Scripted {
        host: host.into(),
        when: When::At { ms: at_ms },
        act: Act::Dial {
            to: to.into(),
            call: call.into(),
        },
    }
}

/// The user at `host` answers `after_ms` after the phone began to ring.
pub fn answers(host: &str, after_ms: u64) -> Scripted {
    Scripted {
        host: host.into(),
        when: When::Rung { ms: after_ms },
        act: Act::Answer,
    }
}

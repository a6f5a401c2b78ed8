//! What holds of every plan that the swarm draws.

use super::*;

fn plan() -> Plan {
    let host = |name: &str, n: u8| {
        format!(
            r#"{{"name": "{name}", "interfaces": [{{"name": "eth0", "address": "10.0.0.{n}", "up": {{}}, "down": {{}}}}]}}"#
        )
    };
    let phone = host("alice", 1).replace(
        "}]",
        r#"}, {"name": "eth1", "address": "10.0.0.11", "up": {}, "down": {}}], "nat": "home""#,
    );
    let hosts = [phone, host("bob", 2), host("server", 3), host("relay", 4)].join(", ");
    let nat = r#"{"name": "home", "external": "203.0.113.1", "spec": {"mapping": "endpoint-independent",
        "filtering": "endpoint-independent", "port_preservation": true, "port_parity": true,
        "hairpinning": true, "timeout_s": 30, "inbound_refresh": false, "blocks_udp": false}}"#;
    let json = format!(
        r#"{{"v": 1, "topology": {{"hosts": [{hosts}], "nats": [{nat}]}},
            "ice_servers": [{{"host": "relay", "turn": true}}],
            "signaling": {{"ordering": "concurrent", "descriptions": {{"constant": {{"us": 1}}}},
                           "others": {{"constant": {{"us": 1}}}}, "push": {{"constant": {{"us": 1}}}}}},
            "stretch": [{{"host": "*", "step": "set-local", "by": {{"constant": {{"us": 1}}}}}},
                        {{"host": "*", "step": "set-remote", "by": {{"constant": {{"us": 1}}}}}}],
            "script": [], "heal_at_ms": 10000, "budget_ms": 1, "horizon_ms": 20000}}"#
    );
    serde_json::from_str(&json).expect("a plan")
}

#[test]
fn each_kind_is_drawn_on_some_seeds_and_left_out_on_others() {
    for kind in Kind::ALL {
        let drawn = (0..200).filter(|s| kinds(Seed(*s)).contains(&kind)).count();
        assert!((20..=180).contains(&drawn), "{}: {drawn} of 200", kind.name());
    }
}

#[test]
fn each_kind_leaves_something_in_the_plan() {
    for kind in Kind::ALL {
        // A slow await is drawn for each step or not.
        let changed = (0..20).any(|s| brew(Seed(s), &[kind].into(), plan()) != plan());
        assert!(changed, "{}", kind.name());
    }
    assert_eq!(brew(Seed(1), &BTreeSet::new(), plan()), plan());
}

#[test]
fn plans_are_valid_and_depend_on_the_seed_alone_and_end_with_the_chaos_phase() {
    for seed in (0..200).map(Seed) {
        let brewed = brew(seed, &kinds(seed), plan());
        assert_eq!(brewed.check(), Ok(()), "{seed}");
        assert_eq!(brewed, brew(seed, &kinds(seed), plan()), "{seed}");
        assert!(
            brewed.faults.iter().all(|f| f.until_ms <= brewed.heal_at_ms),
            "{seed}"
        );
        let json = serde_json::to_string(&brewed).expect("plain data");
        assert_eq!(serde_json::from_str::<Plan>(&json).expect("own output"), brewed);
    }
}

#[test]
fn leaving_a_kind_out_moves_no_other() {
    let (with, without) = ([Kind::Loss, Kind::Hold].into(), [Kind::Hold].into());
    let (with, without) = (brew(Seed(3), &with, plan()), brew(Seed(3), &without, plan()));
    assert_eq!(with.faults, without.faults);
    assert_ne!(with.topology, without.topology);
}

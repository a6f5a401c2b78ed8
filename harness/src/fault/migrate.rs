//! Converts plans of earlier versions to this version.
//!
//! Version 1 had its faults in seven lists, each with a form of its own. They map one to one; their numbers follow the
//! order of the lists. Version 2 called slow steps `stretch`.

use serde_json::{Map, Value, json};

use super::{PLAN_VERSION, PlanError};
use crate::signaling::USUAL_HOST;

/// Converts the plan `plan`, of this or an earlier version, to this version. The content is not checked: the reader
/// refuses what it does not understand.
///
/// # Errors
/// Returns [`PlanError::Version`] for a version that never existed, or that is newer.
pub fn upgrade(plan: &mut Value) -> Result<(), PlanError> {
    let v = plan["v"].as_u64();
    match (v, plan.as_object_mut()) {
        (Some(1), Some(plan)) => {
            from_1(plan);
            from_2(plan);
            Ok(())
        }
        (Some(2), Some(plan)) => {
            from_2(plan);
            Ok(())
        }
        (Some(v), _) if v == u64::from(PLAN_VERSION) => Ok(()),
        (Some(v), _) => Err(PlanError::Version(u32::try_from(v).unwrap_or(u32::MAX))),
        // The reader reports the missing version.
        (None, _) => Ok(()),
    }
}

/// A list of version 1, and the conversion of one of its faults.
type List = (&'static str, fn(&Value) -> Value);

const LISTS: [List; 7] = [
    ("faults", link),
    ("host_faults", host),
    ("signal_faults", signal),
    ("service_faults", service),
    ("nat_faults", nat),
    ("network_switches", switch),
    ("ice_server_faults", ice_server),
];

fn from_1(plan: &mut Map<String, Value>) {
    let mut faults = Vec::new();
    for (list, convert) in LISTS {
        let Some(Value::Array(old)) = plan.remove(list) else {
            continue;
        };
        for fault in &old {
            let mut new = convert(fault);
            new["id"] = json!(faults.len() + 1);
            faults.push(new);
        }
    }
    plan.insert("faults".into(), Value::Array(faults));
    // In version 1 every plan had to have a service, whether it ran or not.
    let hosts = plan.get("topology").and_then(|t| t["hosts"].as_array());
    if hosts.is_some_and(|hosts| hosts.iter().all(|host| host["name"] != json!(USUAL_HOST))) {
        plan.remove("signaling");
    }
}

fn from_2(plan: &mut Map<String, Value>) {
    if let Some(slow) = plan.remove("stretch") {
        plan.insert("slow_steps".into(), slow);
    }
    plan.insert("v".into(), json!(PLAN_VERSION));
}

fn lasts(old: &Value, target: &Value, kind: &str) -> Value {
    json!({"target": target, "kind": {kind: {}}, "from_ms": old["from_ms"], "until_ms": old["until_ms"]})
}

fn link(old: &Value) -> Value {
    let target = json!({"link": {"name": old["link"], "directions": old["directions"]}});
    match old["fault"].as_str() {
        Some("reset") => json!({"target": target, "kind": {"tcp-reset": {}}, "from_ms": old["from_ms"]}),
        Some("partition") if old["directions"] != "both" => lasts(old, &target, "one-way-partition"),
        Some(kind) => lasts(old, &target, kind),
        None => Value::Null,
    }
}

fn host(old: &Value) -> Value {
    let kind = format!("host-{}", old["fault"].as_str().unwrap_or_default());
    lasts(old, &json!({"host": old["host"]}), &kind)
}

fn signal(old: &Value) -> Value {
    let message = &old["message"];
    let kind = match &old["verdict"] {
        Value::String(verdict) => json!({format!("signal-{verdict}"): {"message": message}}),
        delay => json!({"signal-delay": {"message": message, "ms": delay["delay"]["ms"]}}),
    };
    json!({"target": {"host": old["client"]}, "kind": kind, "from_ms": 0})
}

fn service(old: &Value) -> Value {
    match old.get("server-restart") {
        Some(restart) => lasts(restart, &json!("signaling"), "server-restart"),
        None => json!({
            "target": "signaling",
            "kind": {"signaling-reset": {}},
            "from_ms": old["signaling-reset"]["at_ms"],
        }),
    }
}

fn nat(old: &Value) -> Value {
    let kind = match &old["fault"] {
        Value::String(event) => json!({format!("nat-{event}"): {}}),
        moves => json!({"nat-change-address": moves["change-address"]}),
    };
    json!({"target": {"nat": old["nat"]}, "kind": kind, "from_ms": old["at_ms"]})
}

fn switch(old: &Value) -> Value {
    json!({
        "target": {"host": old["host"]},
        "kind": {"network-switch": {"leaves": old["from"], "over": old["to"]}},
        "from_ms": old["at_ms"],
    })
}

fn ice_server(old: &Value) -> Value {
    let mut new = lasts(old, &json!({"ice-server": old["host"]}), "ice-server-down");
    if old["until_ms"].is_null()
        && let Some(new) = new.as_object_mut()
    {
        new.remove("until_ms");
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Fault, Plan, tests::world};

    /// Returns a plan as version 1 wrote it, with a fault of each form.
    fn of_version_1() -> Value {
        let mut plan = serde_json::to_value(world()).expect("plain data");
        plan["v"] = json!(1);
        plan["faults"] = json!([
            {"fault": "partition", "link": "bob", "directions": "up", "from_ms": 0, "until_ms": 200},
            {"fault": "partition", "link": "bob", "directions": "both", "from_ms": 0, "until_ms": 200},
            {"fault": "hold", "link": "alice/eth0", "directions": "both", "from_ms": 1, "until_ms": 2},
            {"fault": "reset", "link": "bob", "directions": "both", "from_ms": 7, "until_ms": 8},
        ]);
        plan["host_faults"] = json!([
            {"fault": "crash", "host": "bob", "from_ms": 1, "until_ms": 2},
            {"fault": "pause", "host": "bob", "from_ms": 3, "until_ms": 4},
        ]);
        plan["signal_faults"] = json!([
            {"client": "bob", "message": 2, "verdict": {"delay": {"ms": 300}}},
            {"client": "bob", "message": 3, "verdict": "drop"},
            {"client": "bob", "message": 4, "verdict": "duplicate"},
        ]);
        plan["service_faults"] = json!([
            {"signaling-reset": {"at_ms": 5}},
            {"server-restart": {"from_ms": 6, "until_ms": 9}},
        ]);
        plan["nat_faults"] = json!([
            {"fault": "rebind", "nat": "home", "at_ms": 5},
            {"fault": "reboot", "nat": "home", "at_ms": 6},
            {"fault": {"change-address": {"to": "203.0.113.9"}}, "nat": "home", "at_ms": 7},
        ]);
        plan["network_switches"] = json!([{"host": "alice", "from": "eth0", "to": "eth1", "at_ms": 9}]);
        plan["ice_server_faults"] = json!([
            {"host": "relay", "from_ms": 1, "until_ms": 2},
            {"host": "relay", "from_ms": 3},
        ]);
        plan
    }

    #[test]
    fn a_plan_of_version_1_says_the_same_in_one_list() {
        let mut plan = of_version_1();
        upgrade(&mut plan).expect("a version that there was");
        let plan: Plan = serde_json::from_value(plan).expect("a plan");
        assert_eq!(plan.check(), Ok(()));
        let description: Vec<String> = plan.faults.iter().map(Fault::describe).collect();
        assert_eq!(
            description,
            [
                "partition bob up, 0 to 200 ms",
                "partition bob both ways, 0 to 200 ms",
                "hold alice/eth0, 1 to 2 ms",
                "TCP connections over bob reset at 7 ms",
                "crash of bob, 1 to 2 ms",
                "pause of bob, 3 to 4 ms",
                "signaling message 2 of bob delayed by 300 ms",
                "signaling message 3 of bob dropped",
                "signaling message 4 of bob doubled",
                "signaling connections reset at 5 ms",
                "signaling server down, 6 to 9 ms",
                "rebinding of NAT home at 5 ms",
                "reboot of NAT home at 6 ms",
                "NAT home moves to 203.0.113.9 at 7 ms",
                "alice changes from eth0 to eth1 at 9 ms",
                "server on relay down, 1 to 2 ms",
                "server on relay down for good from 3 ms on",
            ]
        );
        let ids: Vec<u32> = plan.faults.iter().map(|f| f.id.0).collect();
        assert_eq!(ids, (1..=17).collect::<Vec<_>>());
    }

    #[test]
    fn a_plan_of_version_2_keeps_its_slow_steps() {
        let mut plan = serde_json::to_value(world()).expect("plain data");
        let slow = json!([{"host": "bob", "step": "set-remote", "by": {"constant": {"us": 1000}}}]);
        let fields = plan.as_object_mut().expect("a plan");
        fields.remove("slow_steps");
        fields.insert("stretch".into(), slow);
        fields.insert("v".into(), json!(2));
        upgrade(&mut plan).expect("a version that there was");
        assert!(plan.get("stretch").is_none() && plan["slow_steps"][0]["step"] == "set-remote");
        assert_eq!(plan["v"], PLAN_VERSION);
    }

    #[test]
    fn a_plan_of_a_version_that_there_never_was_is_refused_by_it() {
        for v in [0, PLAN_VERSION + 1] {
            let mut plan = of_version_1();
            plan["v"] = json!(v);
            assert_eq!(upgrade(&mut plan), Err(PlanError::Version(v)));
        }
    }
}

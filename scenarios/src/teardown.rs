//! Broken clients that leave something of a call behind.

use std::time::Duration;

use sleet::{
    oracle::peers::NOTHING_LEFT,
    peer::{self, PeerKind, PeerSpec, Role},
    scenario::{Kind, Scenario},
};

use crate::network::story_a;

/// The scenarios of the family.
pub fn family() -> Vec<Scenario> {
    vec![
        Scenario::new(
            Kind::Demonstration,
            "teardown/never-closed",
            story_a,
            |sim, _| async move {
                let alice = sim.host("alice");
                let spec = PeerSpec {
                    kind: PeerKind::Bare,
                    name: "c1".into(),
                    role: Role::Offerer,
                    ice_servers: Vec::new(),
                    ice_timeouts: None,
                };
                let made = alice.spawn("careless", {
                    let alice = alice.clone();
                    async move {
                        peer::create(&alice, spec, Box::new(|_| Box::pin(async {})))
                            .await
                            .map(drop)
                    }
                });
                let _ = made.await;
                sim.sleep(Duration::from_secs(5)).await;
                alice.take_census(0);
            },
        )
        .about("A client drops its agent without closing it: its tasks and sockets stay.")
        .from("ORACLES 3, hazard 21")
        .trips(&NOTHING_LEFT, 1),
    ]
}

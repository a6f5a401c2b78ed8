//! Broken clients that leave something of a call behind.

use std::time::Duration;

use sleet::{
    oracle::{
        Oracle,
        peers::{NOTHING_LEFT, STACK_ENDS},
    },
    peer::{self, PeerKind, PeerSpec, Role},
    scenario::{Kind, Scenario},
};

use crate::network::story_a;

/// The scenarios of the family.
pub fn family() -> Vec<Scenario> {
    vec![
        careless("never-closed", PeerKind::Bare, &NOTHING_LEFT)
            .about("A client drops its agent without closing it: its tasks and sockets stay."),
        careless("never-closed-full", PeerKind::Full, &STACK_ENDS)
            .about("A client drops its peer connection without closing it: the tasks of the stack stay."),
    ]
}

fn careless(name: &str, kind: PeerKind, trips: &'static Oracle) -> Scenario {
    let story = move |sim: sleet::world::Sim, _| async move {
        let alice = sim.host("alice");
        let spec = PeerSpec {
            kind,
            name: "c1".into(),
            role: Role::Offerer,
            ice_servers: Vec::new(),
            ice_timeouts: None,
        };
        let host = alice.clone();
        let made = alice.spawn("careless", async move {
            let created = peer::create(&host, spec, Box::new(|_| Box::pin(async {}))).await;
            created.map(drop)
        });
        let _ = made.await;
        sim.sleep(Duration::from_secs(5)).await;
        alice.take_census(0);
    };
    Scenario::new(Kind::Demonstration, &format!("teardown/{name}"), story_a, story)
        .from("ORACLES 3, hazard 21")
        .trips(trips, 1)
}

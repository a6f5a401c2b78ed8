//! The two agents in a world of Sleet: links, trace and digest included; no signaling and no oracles.

use anyhow::{Context, ensure};
use sleet::{
    net::{
        latency::Latency,
        link::LinkProfile,
        topology::{HostSpec, Topology},
    },
    nic::Nic,
    seed::Seed,
    trace::{Digest, EventKind},
    world::{self, Bounds, Sim, WorldSpec},
};
use webrtc_ice::udp_network::{EphemeralUDP, UDPNetwork};

use super::{Ground, Line, ONE_WAY, Talk, agent, lines};

/// What a run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Came {
    /// Packets that both agents sent.
    pub packets: u64,
    /// The digest of the trace.
    pub digest: Digest,
}

/// Runs the call of `seed`.
///
/// # Errors
/// If it does not connect.
pub fn run(seed: u64, talk: Talk) -> anyhow::Result<Came> {
    let link = LinkProfile::good(Latency::constant_ms(ONE_WAY.as_millis() as u64 / 2));
    let topology = Topology::new([
        HostSpec::new("alice", "10.0.0.1", link.clone()),
        HostSpec::new("bob", "10.0.0.2", link),
    ]);
    let mut spec = WorldSpec::new(Seed(seed), topology);
    spec.bounds = Bounds {
        horizon: talk.lasts * 2 + Bounds::default().horizon,
        packets: u64::MAX,
        polls: u64::MAX,
    };
    let ending = world::run(spec, move |sim| async move {
        let [alice, bob] = lines();
        let bob = sim
            .host("bob")
            .spawn("bob", end(sim.clone(), "bob", false, bob, talk));
        end(sim, "alice", true, alice, talk).await;
        let _ = bob.await;
    })?;
    let failed = ending.trace.events.iter().find_map(|event| match &event.kind {
        EventKind::Failed { error, .. } => Some(error.clone()),
        EventKind::Stopped { bound, pending } => Some(format!("{bound:?}: {}", pending.join(", "))),
        _ => None,
    });
    ensure!(failed.is_none(), "seed {seed}: {}", failed.unwrap_or_default());
    Ok(Came {
        packets: ending.packets,
        digest: ending.trace.digest,
    })
}

/// One agent on its host. What goes wrong is an event of the trace.
async fn end(sim: Sim, host: &'static str, controls: bool, line: Line, talk: Talk) {
    let on = sim.host(host);
    let task = on.clone().spawn("agent", async move {
        let nic = Nic::up(&on).await?;
        let (first, last) = nic.ports();
        let ground = Ground {
            sockets: UDPNetwork::Ephemeral(EphemeralUDP::new(first, last)?),
            net: nic.net(),
            on_loopback: false,
        };
        let done = agent(ground, controls, line, talk).await;
        nic.down();
        done
    });
    let failed = match task.await.context("the agent panicked") {
        Ok(Ok(())) => return,
        Ok(Err(error)) | Err(error) => error,
    };
    sim.record(EventKind::Failed {
        step: "agent".to_owned(),
        error: failed.to_string(),
    });
}

//! The two agents on turmoil's own `Sim`: nothing recorded, nothing judged, no link but a constant latency.
//!
//! The stack's keepalives go by the calendar, so the clock of the process is turmoil's for as long as it runs: without it, an
//! hour of simulated silence would have no packets at all.

use std::{net::IpAddr, sync::Arc, thread, time::Duration};

use anyhow::{Context, anyhow};
use sleet::{
    ambient::{self, AmbientClock},
    seed::Seed,
    time::SimTime,
};
use turmoil::{Builder, Sim, net::UdpSocket};
use webrtc_ice::{
    udp_mux::{UDPMuxDefault, UDPMuxParams},
    udp_network::UDPNetwork,
};
use webrtc_util::vnet::net::{Net, NetConfig};

use super::{Ground, Line, ONE_WAY, Talk, agent, lines, udp::Datagrams};

/// The port of each agent.
const PORT: u16 = 5_000;

/// Runs the call of `seed` with ticks of `tick`.
///
/// # Errors
/// If it does not connect.
pub fn run(seed: u64, tick: Duration, talk: Talk) -> anyhow::Result<()> {
    on_a_thread(seed, move |clock| {
        let mut sim = simulation(seed, tick, talk.lasts * 2 + Duration::from_secs(120));
        let [alice, bob] = lines();
        for (name, controls, line) in [("alice", true, alice), ("bob", false, bob)] {
            let address = sim.lookup(name);
            sim.client(name, async move { Ok(end(address, controls, line, talk).await?) });
        }
        to_the_end(&mut sim, clock)
    })
}

/// A simulation with a latency of [`ONE_WAY`].
pub fn simulation<'a>(seed: u64, tick: Duration, lasts: Duration) -> Sim<'a> {
    Builder::new()
        .rng_seed(seed)
        .tick_duration(tick)
        .simulation_duration(lasts)
        .min_message_latency(ONE_WAY)
        .max_message_latency(ONE_WAY)
        .build()
}

/// Does `work` on a fresh thread, whose clock and entropy are those of the seed.
///
/// # Errors
/// Those of `work`, or that it panicked.
pub fn on_a_thread(
    seed: u64,
    work: impl FnOnce(&AmbientClock) -> anyhow::Result<()> + Send + 'static,
) -> anyhow::Result<()> {
    let inside = move || {
        let clock = Arc::new(AmbientClock::default());
        let _entered = ambient::enter(Seed(seed), clock.clone());
        work(&clock)
    };
    let thread = thread::Builder::new().stack_size(16 << 20).spawn(inside)?;
    thread.join().map_err(|_| anyhow!("stock turmoil panicked"))?
}

/// Lets the simulation run until its clients are done, with `clock` beside it.
///
/// # Errors
/// That of a client.
pub fn to_the_end(sim: &mut Sim<'_>, clock: &AmbientClock) -> anyhow::Result<()> {
    loop {
        clock.set(SimTime::from_nanos(sim.elapsed().as_nanos() as u64));
        if sim.step().map_err(|error| anyhow!("stock turmoil: {error}"))? {
            return Ok(());
        }
    }
}

/// What an agent, or a whole peer, stands on.
///
/// # Errors
/// If the port is taken.
pub async fn ground(address: IpAddr, port: u16) -> anyhow::Result<(Ground, Arc<UDPMuxDefault>)> {
    // The only address that turmoil binds, but for the loopback's.
    let socket = UdpSocket::bind(("0.0.0.0", port)).await.context("no port")?;
    let mux = UDPMuxDefault::new(UDPMuxParams::new(Datagrams(socket)));
    let net = net_of(address).await?;
    Ok((
        Ground {
            sockets: UDPNetwork::Muxed(mux.clone()),
            net,
            on_loopback: false,
        },
        mux,
    ))
}

/// The one address of a host, as the stack asks for it.
///
/// # Errors
/// If the stack refuses it.
pub async fn net_of(address: IpAddr) -> anyhow::Result<Arc<Net>> {
    let net = Net::new(Some(NetConfig {
        static_ips: vec![address.to_string()],
        ..NetConfig::default()
    }));
    let interface = format!("{address}/24").parse()?;
    let nic = net.get_nic()?;
    nic.lock()
        .await
        .add_addrs_to_interface("eth0", &[interface])
        .await?;
    Ok(Arc::new(net))
}

async fn end(address: IpAddr, controls: bool, line: Line, talk: Talk) -> anyhow::Result<()> {
    let (ground, mux) = ground(address, PORT).await?;
    agent(ground, controls, line, talk).await?;
    webrtc_ice::udp_mux::UDPMux::close(mux.as_ref()).await?;
    Ok(())
}

//! The whole call on turmoil's own `Sim`.

use std::{net::IpAddr, time::Duration};

use tokio_tungstenite::client_async;
use turmoil::net::{TcpListener, TcpStream};

use super::{
    peer,
    server::{Clients, serve},
};
use crate::pair::stock::{ground, on_a_thread, simulation, to_the_end};

/// The port of the signaling server.
const SIGNALING: u16 = 80;
/// The port of each peer.
const PORT: u16 = 5_000;

/// Runs the call of `seed` with ticks of `tick`.
///
/// # Errors
/// If it does not carry a message.
pub fn run(seed: u64, tick: Duration, lasts: Duration) -> anyhow::Result<()> {
    on_a_thread(seed, move |clock| {
        let mut sim = simulation(seed, tick, lasts * 2 + Duration::from_secs(120));
        sim.host("server", || async {
            let listener = TcpListener::bind(("0.0.0.0", SIGNALING)).await?;
            let clients = Clients::default();
            loop {
                let (stream, _) = listener.accept().await?;
                let clients = clients.clone();
                tokio::spawn(async move { serve(stream, clients).await });
            }
        });
        for (name, calls) in [("alice", true), ("bob", false)] {
            let address = sim.lookup(name);
            sim.client(name, async move { Ok(end(address, calls, lasts).await?) });
        }
        to_the_end(&mut sim, clock)
    })
}

async fn end(address: IpAddr, calls: bool, lasts: Duration) -> anyhow::Result<()> {
    let (ground, _mux) = ground(address, PORT).await?;
    let stream = TcpStream::connect(("server", SIGNALING)).await?;
    let (socket, _) = client_async("ws://server/", stream).await?;
    peer(ground, socket, calls, lasts).await
}

//! Two bare ICE agents that connect and stay connected: the same code on three networks.
//!
//! [`ours`] runs it in a world of Sleet, [`stock`] on turmoil's own `Sim`, [`loopback`] on the kernel's sockets in real time.
//! Descriptions and candidates go through memory, so that engine is measured against engine. The agents differ in
//! nothing but the sockets below them.

pub mod loopback;
pub mod ours;
pub mod stock;
pub mod udp;

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    time,
};
use webrtc_ice::{
    agent::{Agent, agent_config::AgentConfig},
    candidate::{Candidate, CandidateType, candidate_base::unmarshal_candidate},
    mdns::MulticastDnsMode,
    network_type::NetworkType,
    udp_network::UDPNetwork,
};
use webrtc_util::{Conn, vnet::net::Net};

/// How long a packet takes from one agent to the other on the simulated networks.
pub const ONE_WAY: Duration = Duration::from_millis(20);

/// What both agents do.
#[derive(Clone, Copy, Debug)]
pub struct Talk {
    /// How long they stay connected.
    pub lasts: Duration,
    /// How often each says something, or never.
    pub every: Option<Duration>,
}

impl Talk {
    /// Connected for that many seconds, and silent but for what keeps the path open.
    pub const fn quiet(seconds: u64) -> Self {
        Self {
            lasts: Duration::from_secs(seconds),
            every: None,
        }
    }
}

/// What agents tell each other before they are connected.
pub enum Told {
    /// Username fragment and password.
    Credentials(String, String),
    /// A candidate as an SDP attribute.
    Candidate(String),
}

/// One end: what it tells, and what it is told.
pub struct Line {
    to: UnboundedSender<Told>,
    from: UnboundedReceiver<Told>,
}

/// Two ends of a line.
pub fn lines() -> [Line; 2] {
    let ((to_bob, from_alice), (to_alice, from_bob)) = (mpsc::unbounded_channel(), mpsc::unbounded_channel());
    let (alice, bob) = ((to_bob, from_bob), (to_alice, from_alice));
    [alice, bob].map(|(to, from)| Line { to, from })
}

/// What an agent sends through.
pub struct Ground {
    /// How it gets its sockets.
    pub sockets: UDPNetwork,
    /// The addresses that it gathers, and its sockets where `sockets` makes them here.
    pub net: Arc<Net>,
    /// Whether the only address is the loopback's.
    pub on_loopback: bool,
}

/// Connects, says hello, talks, and closes.
///
/// # Errors
/// What the stack says; a line that ends early.
pub async fn agent(ground: Ground, controls: bool, mut line: Line, talk: Talk) -> anyhow::Result<()> {
    let agent = Agent::new(AgentConfig {
        udp_network: ground.sockets,
        multicast_dns_mode: MulticastDnsMode::Disabled,
        network_types: vec![NetworkType::Udp4],
        candidate_types: vec![CandidateType::Host],
        include_loopback: ground.on_loopback,
        net: Some(ground.net),
        is_controlling: controls,
        ..AgentConfig::default()
    });
    let agent = Arc::new(agent.await?);
    let to = line.to.clone();
    agent.on_candidate(Box::new(move |candidate| {
        if let Some(candidate) = candidate {
            let _ = to.send(Told::Candidate(candidate.marshal()));
        }
        Box::pin(async {})
    }));
    let (ufrag, password) = agent.get_local_user_credentials().await;
    let _ = line.to.send(Told::Credentials(ufrag, password));
    agent.gather_candidates()?;

    let mut credentials = None;
    let mut candidates = 0;
    while credentials.is_none() || candidates == 0 {
        match line.from.recv().await.context("the other end is gone")? {
            Told::Credentials(ufrag, password) => credentials = Some((ufrag, password)),
            Told::Candidate(attribute) => {
                let candidate: Arc<dyn Candidate + Send + Sync> = Arc::new(unmarshal_candidate(&attribute)?);
                agent.add_remote_candidate(&candidate)?;
                candidates += 1;
            }
        }
    }
    let (ufrag, password) = credentials.context("no credentials")?;
    let (_cancel, cancelled) = mpsc::channel(1);
    let connection: Arc<dyn Conn + Send + Sync> = match controls {
        true => agent.dial(cancelled, ufrag, password).await?,
        false => agent.accept(cancelled, ufrag, password).await?,
    };
    converse(connection.as_ref(), controls, talk).await?;
    agent.close().await?;
    Ok(())
}

/// One side says hello and the other answers; then both talk and listen until the time is over.
async fn converse(connection: &(dyn Conn + Send + Sync), begins: bool, talk: Talk) -> anyhow::Result<()> {
    let mut buf = [0; 1_500];
    if begins {
        connection.send(b"hello").await?;
        connection.recv(&mut buf).await?;
    } else {
        connection.recv(&mut buf).await?;
        connection.send(b"hello").await?;
    }
    let until = time::Instant::now() + talk.lasts;
    let every = talk.every.unwrap_or(talk.lasts);
    let mut says_at = time::Instant::now() + every;
    while time::Instant::now() < until {
        match time::timeout_at(says_at.min(until), connection.recv(&mut buf)).await {
            Ok(heard) => drop(heard?),
            Err(_) if talk.every.is_some() => {
                connection.send(b"talk").await?;
                says_at += every;
            }
            Err(_) => break,
        }
    }
    Ok(())
}

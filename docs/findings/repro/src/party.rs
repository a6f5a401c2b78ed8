//! A bare ICE agent on loopback, with what it says of itself.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::Context;
use tokio::{
    sync::{mpsc, watch},
    time::{sleep, timeout},
};
use webrtc_ice::{
    agent::{Agent, agent_config::AgentConfig},
    candidate::{Candidate, CandidateType, candidate_base::unmarshal_candidate},
    mdns::MulticastDnsMode,
    network_type::NetworkType,
    state::ConnectionState,
};
use webrtc_util::Conn;

use crate::wire::{Rule, Wire};

/// Host candidates on 127.0.0.1 alone; the rest as the crate has it by default.
pub fn on_loopback() -> AgentConfig {
    AgentConfig {
        network_types: vec![NetworkType::Udp4],
        candidate_types: vec![CandidateType::Host],
        multicast_dns_mode: MulticastDnsMode::Disabled,
        include_loopback: true,
        ip_filter: Arc::new(Some(Box::new(|ip| ip == IpAddr::V4(Ipv4Addr::LOCALHOST)))),
        ..AgentConfig::default()
    }
}

/// An agent that gathers.
pub struct Party {
    /// The agent.
    pub agent: Arc<Agent>,
    states: Arc<Mutex<Vec<(Instant, ConnectionState)>>>,
    gathered: watch::Receiver<bool>,
    conn: Arc<Mutex<Option<Arc<dyn Conn + Send + Sync>>>>,
}

impl Party {
    /// An agent that has begun to gather.
    pub async fn new(config: AgentConfig) -> anyhow::Result<Self> {
        let agent = Arc::new(Agent::new(config).await?);
        let states = Arc::new(Mutex::new(Vec::new()));
        let (tell, gathered) = watch::channel(false);
        agent.on_candidate(Box::new(move |candidate| {
            if candidate.is_none() {
                tell.send_replace(true);
            }
            Box::pin(async {})
        }));
        let said = states.clone();
        agent.on_connection_state_change(Box::new(move |state| {
            said.lock()
                .expect("no panic while it is held")
                .push((Instant::now(), state));
            Box::pin(async {})
        }));
        agent.gather_candidates()?;
        Ok(Self {
            agent,
            states,
            gathered,
            conn: Arc::default(),
        })
    }

    /// Waits until it has gathered everything.
    pub async fn has_gathered(&self) -> anyhow::Result<()> {
        self.gathered.clone().wait_for(|over| *over).await?;
        Ok(())
    }

    /// Its candidates.
    pub async fn candidates(&self) -> anyhow::Result<Vec<Arc<dyn Candidate + Send + Sync>>> {
        Ok(self.agent.get_local_candidates().await?)
    }

    /// The address of its only host candidate.
    pub async fn host(&self) -> anyhow::Result<SocketAddr> {
        let candidates = self.candidates().await?;
        let host = candidates
            .iter()
            .find(|c| c.candidate_type() == CandidateType::Host);
        Ok(host.context("no host candidate")?.addr())
    }

    /// Tells it of a host candidate of the other end.
    pub fn learn(&self, addr: SocketAddr) -> anyhow::Result<()> {
        let (ip, port) = (addr.ip(), addr.port());
        let candidate = unmarshal_candidate(&format!("1 1 udp 2130706431 {ip} {port} typ host"))?;
        let candidate: Arc<dyn Candidate + Send + Sync> = Arc::new(candidate);
        Ok(self.agent.add_remote_candidate(&candidate)?)
    }

    /// Begins to check, towards `other`; one of the two controls.
    pub async fn check(&self, controls: bool, other: &Self) {
        let (ufrag, pwd) = other.agent.get_local_user_credentials().await;
        let (agent, kept) = (self.agent.clone(), self.conn.clone());
        tokio::spawn(async move {
            // Nobody cancels, as long as this end of the channel is there.
            let (_cancel, cancelled) = mpsc::channel(1);
            let conn: Option<Arc<dyn Conn + Send + Sync>> = match controls {
                true => agent.dial(cancelled, ufrag, pwd).await.ok().map(|c| c as _),
                false => agent.accept(cancelled, ufrag, pwd).await.ok().map(|c| c as _),
            };
            *kept.lock().expect("no panic while it is held") = conn;
        });
    }

    /// Sends data to the other end.
    pub async fn send(&self, data: &[u8]) -> anyhow::Result<()> {
        let conn = self.conn.lock().expect("no panic while it is held").clone();
        conn.context("not connected")?.send(data).await?;
        Ok(())
    }

    /// What it said of its state, and when.
    pub fn said(&self) -> Vec<(Instant, ConnectionState)> {
        self.states.lock().expect("no panic while it is held").clone()
    }

    /// Its state as it said last.
    pub fn state(&self) -> ConnectionState {
        self.said()
            .last()
            .map_or(ConnectionState::New, |(_, state)| *state)
    }

    /// When it said `state` first, if it does within `bound`.
    pub async fn says(&self, state: ConnectionState, bound: Duration) -> Option<Instant> {
        let said = async {
            loop {
                if let Some((at, _)) = self.said().iter().find(|(_, s)| *s == state) {
                    return *at;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(bound, said).await.ok()
    }
}

/// A wire between the host candidates of two agents, who do not know of each other yet.
pub async fn joined(left: &Party, right: &Party, rule: Rule) -> anyhow::Result<Wire> {
    left.has_gathered().await?;
    right.has_gathered().await?;
    let wire = Wire::lay(rule).await?;
    wire.join(left.host().await?, right.host().await?);
    Ok(wire)
}

/// Calls the other end, with candidates exchanged.
pub async fn call(left: &Party, right: &Party, wire: &Wire) -> anyhow::Result<()> {
    left.check(true, right).await;
    right.check(false, left).await;
    left.learn(wire.left())?;
    right.learn(wire.right())
}

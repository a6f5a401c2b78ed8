//! A peer that is a `webrtc-ice` agent alone.
//!
//! This peer supplies in the simplest form what an `RTCPeerConnection` has and an agent lacks: a description that
//! carries only the ICE credentials, and the rule that a remote candidate needs a remote description first. "Data" goes
//! over the ICE connection itself, unreliably, and is repeated.

use std::{
    sync::{Arc, Mutex as StdMutex},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{self, Instant},
};
use webrtc_ice::{
    agent::{Agent, agent_config::AgentConfig},
    candidate::{CandidateType, candidate_base::unmarshal_candidate},
    mdns::MulticastDnsMode,
    network_type::NetworkType,
    udp_network::{EphemeralUDP, UDPNetwork},
    url::Url,
};
use webrtc_util::Conn;

use super::{
    CandidateHandler, Description, DescriptionKind, IceTimeouts, Log, Peer, PeerError, PeerSpec, Role,
    hello::Hello, stack,
};
use crate::{
    nic::Nic,
    servers::{IceServer, PASSWORD, USERNAME},
    trace::{Candidate, Machine},
    world::Host,
};

/// The time after which an unanswered message is sent again.
const REPEAT: Duration = Duration::from_millis(500);

/// A peer that is a bare ICE agent.
pub(super) struct BarePeer {
    agent: Arc<Agent>,
    role: Role,
    hello: Arc<Hello>,
    // The username fragment that local candidates belong to.
    generation: Arc<StdMutex<String>>,
    log: Log,
    nic: Nic,
    session: StdMutex<Session>,
}

#[derive(Default)]
struct Session {
    local: bool,
    remote: Option<(String, String)>,
    // Dropping it makes `dial` and `accept` return; the stack does not end them on close by itself.
    cancel: Option<mpsc::Sender<()>>,
    talk: Option<JoinHandle<()>>,
}

impl BarePeer {
    pub(super) async fn create(
        host: &Host,
        log: Log,
        spec: &PeerSpec,
        on_candidate: CandidateHandler,
    ) -> Result<Self, PeerError> {
        let nic = Nic::up(host).await?;
        let (first, last) = nic.ports();
        let agent = Agent::new(AgentConfig {
            udp_network: UDPNetwork::Ephemeral(EphemeralUDP::new(first, last).map_err(stack)?),
            multicast_dns_mode: MulticastDnsMode::Disabled,
            network_types: vec![NetworkType::Udp4],
            candidate_types: candidate_types(spec),
            urls: urls(spec)?,
            net: Some(nic.net()),
            disconnected_timeout: spec.ice_timeouts.map(IceTimeouts::disconnected),
            failed_timeout: spec.ice_timeouts.map(IceTimeouts::failed),
            is_controlling: spec.role == Role::Offerer,
            ..AgentConfig::default()
        })
        .await
        .map_err(stack)?;

        let (ufrag, _) = agent.get_local_user_credentials().await;
        let generation = Arc::new(StdMutex::new(ufrag));
        report(&agent, &log, generation.clone(), on_candidate);
        Ok(Self {
            agent: Arc::new(agent),
            role: spec.role,
            hello: Arc::new(Hello::new(log.clone(), spec.role, spec.talk_every)),
            generation,
            log,
            nic,
            session: StdMutex::default(),
        })
    }

    async fn describe(&self, kind: DescriptionKind) -> Description {
        let (ufrag, password) = self.agent.get_local_user_credentials().await;
        Description {
            kind,
            sdp: format!("a=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\n"),
        }
    }

    /// Begins another ICE generation; the agent checks again once the remote credentials are known.
    async fn begin_generation(&self) -> Result<(), PeerError> {
        self.agent
            .restart(String::new(), String::new())
            .await
            .map_err(stack)?;
        let (ufrag, _) = self.agent.get_local_user_credentials().await;
        *self.generation.lock().expect("no panic while it is held") = ufrag;
        Ok(())
    }

    /// Starts to connect once both descriptions are known.
    fn begin(&self) {
        let mut session = self.session();
        let (true, Some((ufrag, password)), None) = (session.local, session.remote.clone(), &session.cancel)
        else {
            return;
        };
        let (cancel, cancelled) = mpsc::channel(1);
        session.cancel = Some(cancel);
        let (agent, role, hello, log) = (
            self.agent.clone(),
            self.role,
            self.hello.clone(),
            self.log.clone(),
        );
        let talk = async move {
            let connected = match role {
                Role::Offerer => agent
                    .dial(cancelled, ufrag, password)
                    .await
                    .map(|c| c as Arc<dyn Conn + Send + Sync>),
                Role::Answerer => agent.accept(cancelled, ufrag, password).await.map(|c| c as _),
            };
            match connected {
                Ok(connection) => talk(&hello, connection).await,
                Err(error) => log.failed("connect", error),
            }
        };
        session.talk = Some(self.log.host.spawn("talk", talk));
    }

    fn session(&self) -> std::sync::MutexGuard<'_, Session> {
        self.session.lock().expect("no panic while it is held")
    }
}

fn urls(spec: &PeerSpec) -> Result<Vec<Url>, PeerError> {
    let url = |server: &IceServer| {
        let mut url = Url::parse_url(&server.url).map_err(stack)?;
        USERNAME.clone_into(&mut url.username);
        PASSWORD.clone_into(&mut url.password);
        Ok(url)
    };
    spec.ice_servers.iter().map(url).collect()
}

/// Returns the candidate types to gather: an agent refuses servers that it has no use for, so it gathers only the types
/// that it has servers for.
fn candidate_types(spec: &PeerSpec) -> Vec<CandidateType> {
    let mut types = vec![CandidateType::Host];
    if !spec.ice_servers.is_empty() {
        types.push(CandidateType::ServerReflexive);
    }
    if spec.ice_servers.iter().any(|s| s.turn) {
        types.push(CandidateType::Relay);
    }
    types
}

/// Records what the agent reports, and passes candidates to the application inside the stack's callback.
fn report(agent: &Agent, log: &Log, generation: Arc<StdMutex<String>>, on_candidate: CandidateHandler) {
    let l = log.clone();
    agent.on_connection_state_change(Box::new(move |state| {
        l.state(Machine::Ice, state.to_string().to_lowercase());
        Box::pin(async {})
    }));
    let l = log.clone();
    agent.on_selected_candidate_pair_change(Box::new(move |local, remote| {
        let brief = |c: &Arc<dyn webrtc_ice::candidate::Candidate + Send + Sync>| {
            format!("{} {}:{}", c.candidate_type(), c.address(), c.port())
        };
        l.pair(brief(local), brief(remote));
        Box::pin(async {})
    }));
    let log = log.clone();
    let handler = Arc::new(StdMutex::new(on_candidate));
    agent.on_candidate(Box::new(move |candidate| {
        let candidate = candidate.map(|c| Candidate {
            attribute: c.marshal(),
            ufrag: generation.lock().expect("no panic while it is held").clone(),
        });
        log.gathered(candidate.clone());
        (handler.lock().expect("handlers do not panic"))(candidate)
    }));
}

/// Runs the exchange over the ICE connection, and then listens until the connection ends.
async fn talk(hello: &Hello, connection: Arc<dyn Conn + Send + Sync>) {
    let mut buf = vec![0; 1_500];
    let mut talks_at = Instant::now();
    loop {
        if let Some(text) = hello.outstanding() {
            hello.say(text);
            let _ = connection.send(text.as_bytes()).await;
        }
        let connected = *hello.connected().borrow();
        let wait = match hello.small_talk() {
            _ if !connected => REPEAT,
            None => Duration::MAX,
            Some((text, every)) => {
                if talks_at <= Instant::now() {
                    // Data that the path does not carry now is lost: no sender waits for it.
                    let _ = connection.send(text.as_bytes()).await;
                    talks_at = Instant::now() + every;
                }
                talks_at - Instant::now()
            }
        };
        match time::timeout(wait, connection.recv(&mut buf)).await {
            Ok(Ok(len)) => {
                let answer = hello.hear(&String::from_utf8_lossy(&buf[..len]));
                // An outstanding message is sent at the top of the loop.
                if let Some(text) = answer.filter(|_| hello.outstanding().is_none()) {
                    hello.say(text);
                    let _ = connection.send(text.as_bytes()).await;
                }
            }
            Ok(Err(_)) => return,
            Err(_) => {}
        }
    }
}

#[async_trait]
impl Peer for BarePeer {
    async fn offer(&self) -> Result<Description, PeerError> {
        Ok(self.describe(DescriptionKind::Offer).await)
    }

    async fn restart(&self) -> Result<Description, PeerError> {
        self.begin_generation().await?;
        Ok(self.describe(DescriptionKind::Offer).await)
    }

    async fn answer(&self) -> Result<Description, PeerError> {
        Ok(self.describe(DescriptionKind::Answer).await)
    }

    async fn set_local(&self, _: Description) -> Result<(), PeerError> {
        self.session().local = true;
        self.agent.gather_candidates().map_err(stack)?;
        self.begin();
        Ok(())
    }

    async fn set_remote(&self, description: Description) -> Result<(), PeerError> {
        let credentials = description
            .ufrag()
            .zip(description.password())
            .ok_or(PeerError::NoCredentials)?;
        let (ufrag, password) = (credentials.0.to_owned(), credentials.1.to_owned());
        let running = self.session().cancel.is_some();
        self.session().remote = Some((ufrag.clone(), password.clone()));
        if running {
            if description.kind == DescriptionKind::Offer {
                self.begin_generation().await?;
            }
            let set = self.agent.set_remote_credentials(ufrag, password).await;
            return set.map_err(stack);
        }
        self.begin();
        Ok(())
    }

    async fn add_candidate(&self, candidate: Candidate) -> Result<(), PeerError> {
        if self.session().remote.is_none() {
            return Err(PeerError::NoRemoteDescription);
        }
        let candidate = unmarshal_candidate(&candidate.attribute).map_err(stack)?;
        self.agent
            .add_remote_candidate(&(Arc::new(candidate) as _))
            .map_err(stack)
    }

    fn connected(&self) -> watch::Receiver<bool> {
        self.hello.connected()
    }

    fn ice_state(&self) -> watch::Receiver<String> {
        self.log.ice.subscribe()
    }

    async fn close(&self) {
        self.log.closing();
        let talk = {
            let mut session = self.session();
            session.cancel.take();
            session.talk.take()
        };
        if let Err(error) = self.agent.close().await {
            self.log.failed("close", error);
        }
        self.log.closed();
        if let Some(talk) = talk {
            talk.abort();
        }
        self.nic.down();
    }
}

//! The servers of the harness as programs: signaling, STUN and TURN.

use std::sync::Arc;

use async_trait::async_trait;

use super::{App, Launch, NoUser, NotUnderstood, Program, StartError};
use crate::{servers::RunningServer, signaling::server::Server, trace::Intent};

/// The WebSocket signaling server, with the plan's `signaling`.
pub(super) struct SignalingProgram;

#[async_trait]
impl Program for SignalingProgram {
    async fn start(&self, launch: Launch) -> Result<Arc<dyn App>, StartError> {
        let Some(spec) = launch.plan.signaling.clone() else {
            return Err(StartError("the plan has no signaling service".into()));
        };
        match Server::start(&launch.host, spec, launch.push).await {
            Ok(_) => Ok(Arc::new(NoUser)),
            Err(error) => Err(StartError(error.to_string())),
        }
    }
}

/// The STUN or TURN server that the plan has on the host.
pub(super) struct IceServerProgram;

#[async_trait]
impl Program for IceServerProgram {
    async fn start(&self, launch: Launch) -> Result<Arc<dyn App>, StartError> {
        let name = launch.host.name();
        let spec = launch.plan.ice_servers.iter().find(|s| s.host == name);
        let turn = spec.is_some_and(|s| s.turn);
        match RunningServer::start(&launch.host, turn).await {
            Ok(server) => Ok(Arc::new(IceServerApp(server))),
            Err(error) => Err(StartError(error.to_string())),
        }
    }
}

struct IceServerApp(RunningServer);

#[async_trait]
impl App for IceServerApp {
    async fn act(self: Arc<Self>, _: Intent) -> Result<(), NotUnderstood> {
        Err(NotUnderstood)
    }

    async fn go_offline(self: Arc<Self>) {
        self.0.retire().await;
    }

    async fn allocations(&self) -> Result<u64, String> {
        self.0.allocations().await
    }
}

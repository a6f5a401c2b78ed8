//! The deployment: which program runs on which host.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{
    Program,
    servers::{IceServerProgram, SignalingProgram},
};
use crate::fault::Plan;

/// The programs of a scenario.
#[derive(Clone, Default)]
pub struct Deployment {
    servers: BTreeMap<String, Arc<dyn Program>>,
    apps: BTreeMap<String, Arc<dyn Program>>,
    others: Option<Arc<dyn Program>>,
}

impl fmt::Debug for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers: Vec<&String> = self.servers.keys().collect();
        write!(f, "Deployment with servers {servers:?}")
    }
}

impl Deployment {
    /// Creates a deployment that runs `app` on every host without another program. The signaling service and the STUN
    /// and TURN servers of the plan run by themselves.
    pub fn of(app: impl Program) -> Self {
        Self {
            others: Some(Arc::new(app)),
            ..Self::default()
        }
    }

    /// Runs `program` on `host` as a server, without a user. Servers start first.
    pub fn server(mut self, host: &str, program: impl Program) -> Self {
        self.servers.insert(host.to_owned(), Arc::new(program));
        self
    }

    /// Runs `app` on `host` for its user, whatever the others run.
    pub fn app(mut self, host: &str, app: impl Program) -> Self {
        self.apps.insert(host.to_owned(), Arc::new(app));
        self
    }

    /// Returns the program of `host`, and whether it is a server.
    pub(super) fn on(&self, plan: &Plan, host: &str) -> Option<(Arc<dyn Program>, bool)> {
        if let Some(program) = self.servers.get(host) {
            return Some((program.clone(), true));
        }
        if plan.is_service(host) {
            return Some((Arc::new(SignalingProgram), true));
        }
        if plan.ice_servers.iter().any(|s| s.host == host) {
            return Some((Arc::new(IceServerProgram), true));
        }
        let app = self.apps.get(host).or(self.others.as_ref());
        app.map(|app| (app.clone(), false))
    }
}

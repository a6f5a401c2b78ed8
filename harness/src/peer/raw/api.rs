//! The builders of an app's connections, under the stack's names.

use tokio::sync::Mutex;
use webrtc::{
    Error,
    api::{self, media_engine::MediaEngine, setting_engine::SettingEngine},
    interceptor::registry::Registry,
    peer_connection::configuration::RTCConfiguration,
};

use super::{Interface, RTCPeerConnection, configure};

/// A replacement for `webrtc::api::APIBuilder`.
#[derive(Default)]
pub struct APIBuilder {
    settings: SettingEngine,
    stack: api::APIBuilder,
}

impl APIBuilder {
    /// Same as the stack's method.
    pub fn new() -> Self {
        Self::default()
    }

    /// Same as the stack's method. In a run the network, the network types and multicast DNS are those of
    /// [`configure`].
    pub fn with_setting_engine(mut self, setting_engine: SettingEngine) -> Self {
        self.settings = setting_engine;
        self
    }

    /// Same as the stack's method.
    pub fn with_media_engine(mut self, media_engine: MediaEngine) -> Self {
        self.stack = self.stack.with_media_engine(media_engine);
        self
    }

    /// Same as the stack's method.
    pub fn with_interceptor_registry(mut self, interceptor_registry: Registry) -> Self {
        self.stack = self.stack.with_interceptor_registry(interceptor_registry);
        self
    }

    /// Same as the stack's method.
    pub fn build(self) -> API {
        API {
            state: Mutex::new(ApiState::Planned(Box::new(self))),
        }
    }
}

/// A replacement for `webrtc::api::API`, with its `new_peer_connection`. The network interface comes up with the first
/// connection and serves all of them.
pub struct API {
    state: Mutex<ApiState>,
}

enum ApiState {
    Planned(Box<APIBuilder>),
    Built(Box<(api::API, Interface)>),
}

impl API {
    /// Same as the stack's method.
    ///
    /// # Errors
    /// Fails as the stack's method does; in a run also if the task belongs to no host or the interface cannot be
    /// brought up.
    pub async fn new_peer_connection(
        &self,
        configuration: RTCConfiguration,
    ) -> Result<RTCPeerConnection, Error> {
        let mut state = self.state.lock().await;
        if let ApiState::Planned(plan) = &mut *state {
            let mut plan = std::mem::take(plan);
            let interface = configure(&mut plan.settings)
                .await
                .map_err(|e| Error::new(e.to_string()))?;
            let api = plan.stack.with_setting_engine(plan.settings).build();
            *state = ApiState::Built(Box::new((api, interface)));
        }
        let ApiState::Built(built) = &*state else {
            unreachable!("it was built above");
        };
        let (api, interface) = &**built;
        let connection = api.new_peer_connection(configuration).await?;
        RTCPeerConnection::over(connection, interface).await
    }
}

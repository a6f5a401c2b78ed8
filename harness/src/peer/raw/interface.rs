//! The network interface of the peer connections that an app builds, and when it is up.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard},
};

use webrtc::api::setting_engine::SettingEngine;
use webrtc_ice::{
    mdns::MulticastDnsMode,
    network_type::NetworkType,
    udp_network::{EphemeralUDP, UDPNetwork},
};

use crate::{
    nic::{Nic, NicError},
    peer::stack,
    world::{Host, NoHost},
};

/// The network interface of everything that is built with one `SettingEngine`.
///
/// It is up from [`configure`] on; it counts as down when the last connection over it is closed or dropped, comes up again
/// with the next one, and goes for good with its last owner or with a crash of its host. Ports: [`crate::nic::PORTS`]
/// for all connections that are open at the same time. Outside a run there is none.
#[derive(Clone)]
pub struct Interface {
    shared: Option<Arc<Shared>>,
}

struct Shared {
    nic: Nic,
    host: Host,
    users: Mutex<Users>,
}

struct Users {
    open: usize,
    is_up: bool,
}

/// The use of an interface by one connection.
pub(super) struct Use {
    shared: Arc<Shared>,
}

/// Configures `settings` to use the current host's network: UDP over IPv4, no multicast DNS, the addresses that are up,
/// and ports of its own. Outside a run it changes nothing.
///
/// # Errors
/// Fails if the task belongs to no host, or the interface cannot be brought up.
///
/// # Example
///
/// ```
/// # async fn code() -> Result<(), Box<dyn std::error::Error>> {
/// use sleet::webrtc::{RTCPeerConnection, configure};
/// use webrtc::{
///     api::{APIBuilder, setting_engine::SettingEngine},
///     peer_connection::configuration::RTCConfiguration,
/// };
///
/// let mut settings = SettingEngine::default();
/// let interface = configure(&mut settings).await?;
/// let api = APIBuilder::new().with_setting_engine(settings).build();
/// let connection = api.new_peer_connection(RTCConfiguration::default()).await?;
/// let connection = RTCPeerConnection::over(connection, &interface).await?;
/// # Ok(())
/// # }
/// ```
pub async fn configure(settings: &mut SettingEngine) -> Result<Interface, NicError> {
    let host = match Host::current() {
        Ok(host) => host,
        Err(NoHost::OutsideRun) => return Ok(Interface { shared: None }),
        Err(why) => return Err(NicError::NoHost(why)),
    };
    let nic = Nic::up(&host).await?;
    let (first, last) = nic.ports();
    let ports = EphemeralUDP::new(first, last).map_err(|e| NicError::Stack(stack(e).to_string()))?;
    settings.set_vnet(Some(nic.net()));
    settings.set_udp_network(UDPNetwork::Ephemeral(ports));
    settings.set_network_types(vec![NetworkType::Udp4]);
    settings.set_ice_multicast_dns_mode(MulticastDnsMode::Disabled);
    let users = Users { open: 0, is_up: true };
    Ok(Interface {
        shared: Some(Arc::new(Shared {
            nic,
            host,
            users: Mutex::new(users),
        })),
    })
}

impl Interface {
    /// Returns the host; `None` outside a run.
    pub(super) fn host(&self) -> Option<&Host> {
        self.shared.as_ref().map(|shared| &shared.host)
    }

    /// Registers another connection over the interface, and brings the interface up if necessary.
    pub(super) async fn enter(&self) -> Result<Option<Use>, NicError> {
        let Some(shared) = &self.shared else {
            return Ok(None);
        };
        let was_up = {
            let mut users = shared.users();
            users.open += 1;
            std::mem::replace(&mut users.is_up, true)
        };
        let entered = Use {
            shared: shared.clone(),
        };
        if !was_up {
            shared.nic.wake().await;
        }
        Ok(Some(entered))
    }
}

impl fmt::Debug for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.shared {
            None => f.write_str("no interface: outside a run"),
            Some(shared) => write!(f, "interface of {}", shared.host.name()),
        }
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        let mut users = self.shared.users();
        users.open -= 1;
        if users.open == 0 {
            users.is_up = false;
            self.shared.nic.down();
        }
    }
}

impl Shared {
    fn users(&self) -> MutexGuard<'_, Users> {
        self.users.lock().expect("no panic while it is held")
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.nic.down();
    }
}

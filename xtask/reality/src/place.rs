//! Where a call takes place: its lane of the network, and what belongs to it.

use std::path::Path;

use crate::{cases::Story, nat::Gate, world::World};

/// Where a call takes place.
pub struct Place<'a> {
    /// The network.
    pub world: &'a World,
    /// The lane of it.
    pub lane: u8,
    /// The app under test.
    pub app: &'a Path,
    /// Whether STUN and TURN are by our own server instead of coturn.
    pub own_server: bool,
    /// Where logs go.
    pub logs: &'a Path,
    /// What stands between the clients and the core.
    pub gates: [Gate; 2],
    /// What happens, and what counts as well.
    pub story: Story,
}

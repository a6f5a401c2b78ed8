//! How a phone is set up.

/// What becomes of a way to reach the other side (an ICE candidate) that comes before the other side's description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trickle {
    /// It is given to the peer connection at once; what that refuses is logged.
    Naive,
    /// It is kept until the description is there.
    Buffered,
}

/// How a phone is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The signaling server, `host:port`.
    pub server: String,
    /// A STUN server, `stun:host:port`, for phones behind a NAT.
    pub stun: Option<String>,
    /// A TURN server, for phones whose NATs let nothing else through.
    pub turn: Option<Turn>,
    /// Whether two phones on one machine shall find each other.
    pub loopback: bool,
    pub trickle: Trickle,
}

impl Settings {
    /// For a phone that knows `server` and no other: good where there is no NAT.
    pub fn new(server: &str, trickle: Trickle) -> Self {
        Self {
            server: server.to_owned(),
            stun: None,
            turn: None,
            loopback: false,
            trickle,
        }
    }
}

/// A TURN server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// `turn:host:port`.
    pub url: String,
    /// Who we are there.
    pub username: String,
    /// With which password.
    pub password: String,
}

//! A datagram in the form that the stack's virtual network passes around.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    time::SystemTime,
};

use webrtc_util::vnet::chunk::Chunk;

/// A datagram from our side of the network.
#[derive(Clone, Debug)]
pub(super) struct Datagram {
    stamped: SystemTime,
    src: SocketAddr,
    dst: SocketAddr,
    payload: Vec<u8>,
}

impl Datagram {
    pub(super) fn new(src: SocketAddr, dst: SocketAddr, payload: Vec<u8>) -> Self {
        Self {
            stamped: SystemTime::UNIX_EPOCH,
            src,
            dst,
            payload,
        }
    }
}

impl fmt::Display for Datagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "udp {} -> {}", self.src, self.dst)
    }
}

impl Chunk for Datagram {
    #[allow(
        clippy::disallowed_methods,
        reason = "the router compares it with the clock that the stack sees"
    )]
    fn set_timestamp(&mut self) -> SystemTime {
        self.stamped = SystemTime::now();
        self.stamped
    }

    fn get_timestamp(&self) -> SystemTime {
        self.stamped
    }

    fn get_source_ip(&self) -> IpAddr {
        self.src.ip()
    }

    fn get_destination_ip(&self) -> IpAddr {
        self.dst.ip()
    }

    fn set_source_addr(&mut self, address: &str) -> Result<(), webrtc_util::Error> {
        self.src = address.parse()?;
        Ok(())
    }

    fn set_destination_addr(&mut self, address: &str) -> Result<(), webrtc_util::Error> {
        self.dst = address.parse()?;
        Ok(())
    }

    fn source_addr(&self) -> SocketAddr {
        self.src
    }

    fn destination_addr(&self) -> SocketAddr {
        self.dst
    }

    fn user_data(&self) -> Vec<u8> {
        self.payload.clone()
    }

    /// Empty, because the stack's own tags count across the process.
    fn tag(&self) -> String {
        String::new()
    }

    fn network(&self) -> String {
        "udp".to_owned()
    }

    fn clone_to(&self) -> Box<dyn Chunk + Send + Sync> {
        Box::new(self.clone())
    }
}

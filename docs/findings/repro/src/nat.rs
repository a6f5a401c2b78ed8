//! A NAT on loopback that maps by address and port and lets strangers in, for one host behind it.
//!
//! Loopback has no routes: the host behind the NAT finds each address outside at a socket of its own, its face.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use anyhow::Context;
use tokio::net::UdpSocket;

use crate::wire::stun_type;

/// How many mappings it makes at most: each takes two files of the process.
const MAPPINGS: usize = 100;

type Sockets = Mutex<BTreeMap<SocketAddr, Arc<UdpSocket>>>;

/// The NAT.
pub struct Nat {
    host: SocketAddr,
    /// By address outside, where packets to it leave from.
    mappings: Sockets,
    /// By address outside, where the host finds it.
    faces: Sockets,
    checks: AtomicUsize,
}

impl Nat {
    /// A NAT with `host` behind it.
    pub fn before(host: SocketAddr) -> Arc<Self> {
        Arc::new(Self {
            host,
            mappings: Sockets::default(),
            faces: Sockets::default(),
            checks: AtomicUsize::new(0),
        })
    }

    /// The address from which the host is seen by `outside`.
    pub fn seen_by(self: &Arc<Self>, outside: SocketAddr) -> anyhow::Result<SocketAddr> {
        Ok(self.mapping(outside).context("no mapping")?.local_addr()?)
    }

    /// Where the host finds `outside`.
    pub fn shows(self: &Arc<Self>, outside: SocketAddr) -> anyhow::Result<SocketAddr> {
        Ok(self.face(outside).context("no face")?.local_addr()?)
    }

    /// How many Binding requests the host has sent.
    pub fn checks(&self) -> usize {
        self.checks.load(Relaxed)
    }

    fn mapping(self: &Arc<Self>, outside: SocketAddr) -> Option<Arc<UdpSocket>> {
        let (socket, is_new) = socket(&self.mappings, outside)?;
        if is_new {
            let (nat, mapped) = (self.clone(), socket.clone());
            tokio::spawn(async move {
                let mut buffer = vec![0; 2048];
                while let Ok((n, from)) = mapped.recv_from(&mut buffer).await {
                    if let Some(face) = nat.face(from) {
                        drop(face.send_to(&buffer[..n], nat.host).await);
                    }
                }
            });
        }
        Some(socket)
    }

    fn face(self: &Arc<Self>, outside: SocketAddr) -> Option<Arc<UdpSocket>> {
        let (socket, is_new) = socket(&self.faces, outside)?;
        if is_new {
            let (nat, face) = (self.clone(), socket.clone());
            tokio::spawn(async move {
                let mut buffer = vec![0; 2048];
                while let Ok((n, _)) = face.recv_from(&mut buffer).await {
                    if stun_type(&buffer[..n]) == Some(0x0001) {
                        nat.checks.fetch_add(1, Relaxed);
                    }
                    if let Some(mapped) = nat.mapping(outside) {
                        drop(mapped.send_to(&buffer[..n], outside).await);
                    }
                }
            });
        }
        Some(socket)
    }
}

/// The socket for `outside`, and whether it is new.
fn socket(sockets: &Sockets, outside: SocketAddr) -> Option<(Arc<UdpSocket>, bool)> {
    let mut sockets = sockets.lock().expect("no panic while it is held");
    if let Some(socket) = sockets.get(&outside) {
        return Some((socket.clone(), false));
    }
    if sockets.len() >= MAPPINGS {
        return None;
    }
    let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
    socket.set_nonblocking(true).ok()?;
    let socket = Arc::new(UdpSocket::from_std(socket).ok()?);
    sockets.insert(outside, socket.clone());
    Some((socket, true))
}

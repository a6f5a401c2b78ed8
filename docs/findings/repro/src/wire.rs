//! A wire between two ends on loopback: a small UDP relay that loses, changes and delays what it is told to.
//!
//! Who is on the left finds the other end at [`Wire::left`], and who is on the right finds it at [`Wire::right`].

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tokio::{net::UdpSocket, sync::mpsc};

/// Which way a datagram goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the left end to the right one.
    ToRight,
    /// From the right end to the left one.
    ToLeft,
}

/// What becomes of a datagram.
#[derive(Clone, Debug)]
pub enum Fate {
    /// It arrives.
    Pass,
    /// It is lost.
    Lose,
    /// It arrives later.
    Later(Duration),
    /// Other bytes arrive.
    Instead(Vec<u8>),
}

/// Decides what becomes of each datagram.
pub type Rule = Box<dyn FnMut(Way, &[u8]) -> Fate + Send>;

/// A datagram that entered the wire.
#[derive(Clone, Debug)]
pub struct Crossing {
    /// When.
    pub at: Instant,
    /// Which way.
    pub way: Way,
    /// Its bytes.
    pub data: Vec<u8>,
}

impl Crossing {
    /// The type of the STUN message that it is, if it is one.
    pub fn stun(&self) -> Option<u16> {
        stun_type(&self.data)
    }
}

/// The type of a STUN message: its first two bytes (RFC 8489 section 5).
pub fn stun_type(data: &[u8]) -> Option<u16> {
    const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
    (data.len() >= 20 && data[0] < 4 && data[4..8] == COOKIE).then(|| u16::from_be_bytes([data[0], data[1]]))
}

/// A rule that lets everything pass.
pub fn calm() -> Rule {
    Box::new(|_, _| Fate::Pass)
}

/// A rule that loses the first datagram that `is` says something about.
pub fn loses_first(mut is: impl FnMut(Way, &[u8]) -> bool + Send + 'static) -> Rule {
    let mut lost = false;
    Box::new(move |way, data| {
        if !lost && is(way, data) {
            lost = true;
            return Fate::Lose;
        }
        Fate::Pass
    })
}

/// The wire.
pub struct Wire {
    left: SocketAddr,
    right: SocketAddr,
    shared: Arc<Shared>,
    rebinds: mpsc::UnboundedSender<UdpSocket>,
}

#[derive(Default)]
struct Shared {
    ends: Mutex<(Option<SocketAddr>, Option<SocketAddr>)>,
    dark: AtomicBool,
    crossed: Mutex<Vec<Crossing>>,
}

impl Wire {
    /// Lays a wire. The left end is who sends first, unless [`Wire::join`] says so.
    pub async fn lay(rule: Rule) -> anyhow::Result<Self> {
        let (left, right) = (local_socket().await?, local_socket().await?);
        let (rebinds, rebound) = mpsc::unbounded_channel();
        let wire = Self {
            left: left.local_addr()?,
            right: right.local_addr()?,
            shared: Arc::default(),
            rebinds,
        };
        tokio::spawn(carry(
            wire.shared.clone(),
            rule,
            Arc::new(left),
            Arc::new(right),
            rebound,
        ));
        Ok(wire)
    }

    /// A wire to a server at `server`, for one client.
    pub async fn to(server: SocketAddr, rule: Rule) -> anyhow::Result<Self> {
        let wire = Self::lay(rule).await?;
        wire.shared.ends().1 = Some(server);
        Ok(wire)
    }

    /// The ends of the wire.
    pub fn join(&self, left_end: SocketAddr, right_end: SocketAddr) {
        *self.shared.ends() = (Some(left_end), Some(right_end));
    }

    /// Where the left end finds the other.
    pub fn left(&self) -> SocketAddr {
        self.left
    }

    /// Where the right end finds the other.
    pub fn right(&self) -> SocketAddr {
        self.right
    }

    /// From now on everything is lost.
    pub fn go_dark(&self) {
        self.shared.dark.store(true, Relaxed);
    }

    /// From now on the left end has another port, as seen from the right: nobody is at the old one.
    pub async fn rebind(&self) -> anyhow::Result<()> {
        Ok(self.rebinds.send(local_socket().await?)?)
    }

    /// What entered the wire, whatever became of it.
    pub fn crossed(&self) -> Vec<Crossing> {
        self.shared
            .crossed
            .lock()
            .expect("no panic while it is held")
            .clone()
    }

    /// How many datagrams entered the wire that `is` says something about.
    pub fn count(&self, is: impl Fn(&Crossing) -> bool) -> usize {
        self.crossed().iter().filter(|c| is(c)).count()
    }

    /// The first datagram that `is` says something about.
    pub fn first(&self, is: impl Fn(&Crossing) -> bool) -> Option<Crossing> {
        self.crossed().iter().find(|c| is(c)).cloned()
    }
}

impl Shared {
    fn ends(&self) -> MutexGuard<'_, (Option<SocketAddr>, Option<SocketAddr>)> {
        self.ends.lock().expect("no panic while it is held")
    }
}

/// A socket of its own on loopback.
pub async fn local_socket() -> anyhow::Result<UdpSocket> {
    Ok(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?)
}

async fn carry(
    shared: Arc<Shared>,
    mut rule: Rule,
    left: Arc<UdpSocket>,
    mut right: Arc<UdpSocket>,
    mut rebound: mpsc::UnboundedReceiver<UdpSocket>,
) {
    let (mut from_left, mut from_right) = (vec![0; 2048], vec![0; 2048]);
    loop {
        let (way, data, from) = tokio::select! {
            Ok((n, from)) = left.recv_from(&mut from_left) => (Way::ToRight, &from_left[..n], from),
            Ok((n, from)) = right.recv_from(&mut from_right) => (Way::ToLeft, &from_right[..n], from),
            Some(socket) = rebound.recv() => {
                right = Arc::new(socket);
                continue;
            }
        };
        let (out, to) = {
            let mut ends = shared.ends();
            match way {
                Way::ToRight => {
                    ends.0.get_or_insert(from);
                    (right.clone(), ends.1)
                }
                Way::ToLeft => (left.clone(), ends.0),
            }
        };
        let crossing = Crossing {
            at: Instant::now(),
            way,
            data: data.to_vec(),
        };
        shared
            .crossed
            .lock()
            .expect("no panic while it is held")
            .push(crossing);
        let fate = if shared.dark.load(Relaxed) {
            Fate::Lose
        } else {
            rule(way, data)
        };
        let (data, delay) = match fate {
            Fate::Lose => continue,
            Fate::Pass => (data.to_vec(), None),
            Fate::Instead(data) => (data, None),
            Fate::Later(delay) => (data.to_vec(), Some(delay)),
        };
        let Some(to) = to else { continue };
        match delay {
            None => drop(out.send_to(&data, to).await),
            Some(delay) => drop(tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                drop(out.send_to(&data, to).await);
            })),
        }
    }
}

//! Keeps the bytes of packets, for one run under examination.
//!
//! A trace holds decoded content and a hash, because suites keep many traces; a capture needs the bytes. A tap must
//! never change what happens in a run: like a watch, it is told, and never asked.

use std::sync::Mutex;

use super::{Flow, PacketId};
use crate::time::SimTime;

/// A packet as it passed the network interface of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tapped {
    /// The number of the packet; 0 for a reset that the network itself sends.
    pub packet: PacketId,
    /// The time.
    pub at: SimTime,
    /// The host; none where no interface has the address.
    pub host: Option<String>,
    /// Whether the host received the packet; else it sent it.
    pub received: bool,
    /// The addresses on the host's side of NATs.
    pub flow: Flow,
    /// The header of a TCP segment.
    pub segment: Option<Segment>,
    /// The payload at that place: after corruption or truncation on the way, what is left.
    pub payload: Vec<u8>,
}

/// The header of a TCP segment (RFC 9293, section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Segment {
    pub seq: u32,
    pub ack: u32,
    pub window: u16,
    /// The control bits, FIN the lowest.
    pub flags: u8,
}

/// Keeps the packets that pass.
#[derive(Debug, Default)]
pub struct Tap {
    passed: Mutex<Vec<Tapped>>,
}

impl Tap {
    /// Adds a packet.
    pub(crate) fn passes(&self, packet: Tapped) {
        if let Ok(mut passed) = self.passed.lock() {
            passed.push(packet);
        }
    }

    /// Returns the packets that have passed so far, in order, and removes them.
    pub fn take(&self) -> Vec<Tapped> {
        self.passed
            .lock()
            .map(|mut p| std::mem::take(&mut *p))
            .unwrap_or_default()
    }
}

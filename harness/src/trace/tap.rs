//! The bytes of packets, for one run that somebody looks into.
//!
//! A trace holds what packets say and a hash, because suites keep many traces; a capture needs the bytes. A tap must never change
//! what happens in a run: like a watch, it is told, and never asked.

use std::sync::Mutex;

use super::{Flow, PacketId};
use crate::time::SimTime;

/// A packet as it passed the network interface of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tapped {
    /// Its number; 0 for a reset that the network itself sends.
    pub packet: PacketId,
    /// When.
    pub at: SimTime,
    /// The host; none where nobody has the address.
    pub host: Option<String>,
    /// Whether the host received it; else it sent it.
    pub received: bool,
    /// Its addresses there: those on its side of NATs.
    pub flow: Flow,
    /// Its header, if it is a TCP segment.
    pub segment: Option<Segment>,
    /// What it carries there: of one that was corrupted or truncated on its way, what is left.
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

/// Keeps what passes.
#[derive(Debug, Default)]
pub struct Tap {
    passed: Mutex<Vec<Tapped>>,
}

impl Tap {
    /// A packet passes.
    pub(crate) fn passes(&self, packet: Tapped) {
        if let Ok(mut passed) = self.passed.lock() {
            passed.push(packet);
        }
    }

    /// Everything that has passed so far, in order.
    pub fn take(&self) -> Vec<Tapped> {
        self.passed
            .lock()
            .map(|mut p| std::mem::take(&mut *p))
            .unwrap_or_default()
    }
}

//! A packet in flight: where it is, when it is due, and its addresses.
//!
//! Plain values: nothing here decides the fate of a packet.

use std::net::SocketAddr;

use bytes::Bytes;
use turmoil_net::{Packet, TcpFlags, TcpSegment, Transport, UdpDatagram};

use crate::{
    time::SimTime,
    trace::{Flow, PacketId, Proto, Segment},
};

/// The next hop of a packet in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hop {
    /// The packet is about to cross the core and enter the link of its destination.
    Core,
    /// The packet is about to reach its host, past the firewall.
    Door,
    /// A reset that the network itself sends, with addresses as its receiver sees them: it passes every firewall.
    Inject,
    /// Such a reset, with addresses as the other end sees them: it still has to pass the NATs.
    InjectRouted,
}

/// A packet in flight, ordered by the time at which it is due, then by the order in which it set out.
pub(super) struct InFlight {
    pub at: SimTime,
    pub order: u64,
    pub hop: Hop,
    pub id: PacketId,
    pub packet: Packet,
}

impl PartialEq for InFlight {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl Eq for InFlight {}

impl PartialOrd for InFlight {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for InFlight {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// Returns the flow of a packet.
pub(super) fn flow_of(packet: &Packet) -> Flow {
    let (proto, src_port, dst_port) = match &packet.payload {
        Transport::Udp(datagram) => (Proto::Udp, datagram.src_port, datagram.dst_port),
        Transport::Tcp(segment) => (Proto::Tcp, segment.src_port, segment.dst_port),
    };
    Flow {
        proto,
        src: SocketAddr::new(packet.src, src_port),
        dst: SocketAddr::new(packet.dst, dst_port),
    }
}

/// Replaces the addresses of a packet: by those that NATs gave it, or those of the sending host.
pub(super) fn readdress(mut packet: Packet, flow: Flow) -> Packet {
    (packet.src, packet.dst) = (flow.src.ip(), flow.dst.ip());
    let (src_port, dst_port) = match &mut packet.payload {
        Transport::Udp(datagram) => (&mut datagram.src_port, &mut datagram.dst_port),
        Transport::Tcp(segment) => (&mut segment.src_port, &mut segment.dst_port),
    };
    (*src_port, *dst_port) = (flow.src.port(), flow.dst.port());
    packet
}

/// Returns the payload of a packet.
pub(super) fn payload_of(packet: &Packet) -> &Bytes {
    match &packet.payload {
        Transport::Udp(datagram) => &datagram.payload,
        Transport::Tcp(segment) => &segment.payload,
    }
}

/// Returns the header of a TCP segment, as captures hold it.
pub(super) fn segment_of(packet: &Packet) -> Option<Segment> {
    let Transport::Tcp(segment) = &packet.payload else {
        return None;
    };
    let flags = segment.flags;
    let bits = [flags.fin, flags.syn, flags.rst, flags.psh, flags.ack, flags.urg];
    let bits = bits.iter().enumerate().map(|(i, set)| u8::from(*set) << i);
    Some(Segment {
        seq: segment.seq,
        ack: segment.ack,
        window: segment.window,
        flags: bits.sum(),
    })
}

/// Reports whether a packet opens a TCP connection.
pub(super) fn opens(packet: &Packet) -> bool {
    matches!(&packet.payload, Transport::Tcp(segment) if segment.flags.syn && !segment.flags.ack)
}

/// Creates a datagram along `flow`.
pub(super) fn datagram(flow: Flow, payload: Bytes) -> Packet {
    Packet {
        src: flow.src.ip(),
        dst: flow.dst.ip(),
        ttl: 64,
        payload: Transport::Udp(UdpDatagram {
            src_port: flow.src.port(),
            dst_port: flow.dst.port(),
            payload,
        }),
    }
}

/// Creates a reset along `flow`, as the network itself sends it.
pub(super) fn reset(flow: Flow) -> Packet {
    Packet {
        src: flow.src.ip(),
        dst: flow.dst.ip(),
        ttl: 64,
        payload: Transport::Tcp(TcpSegment {
            src_port: flow.src.port(),
            dst_port: flow.dst.port(),
            seq: 0,
            ack: 0,
            flags: TcpFlags {
                rst: true,
                ..TcpFlags::default()
            },
            window: 0,
            payload: Bytes::new(),
        }),
    }
}

/// Returns the first 64 bits of the blake3 hash of `payload`, in hexadecimal.
pub(super) fn short_hash(payload: &[u8]) -> String {
    let hash = blake3::hash(payload);
    let first = hash.as_bytes().first_chunk().copied().unwrap_or_default();
    format!("{:016x}", u64::from_be_bytes(first))
}

//! The bytes of a packet on the wire: IP (RFC 791, 8200), UDP (RFC 768), TCP (RFC 9293), checksums included.

use std::net::IpAddr;

use sleet::trace::{Flow, Segment, Tapped};

const UDP: u8 = 17;
const TCP: u8 = 6;
/// The time to live. Every router of the simulated network is invisible.
const HOPS: u8 = 64;

/// Returns the IP packet. The payload is cut to the largest size that IP allows.
pub(super) fn ip(packet: &Tapped) -> Vec<u8> {
    let most = usize::from(u16::MAX) - 60;
    let payload = &packet.payload[..packet.payload.len().min(most)];
    let (protocol, mut transport) = match &packet.segment {
        Some(segment) => (TCP, tcp(packet.flow, segment, payload)),
        None => (UDP, udp(packet.flow, payload)),
    };
    let sum = transport_checksum(packet.flow, protocol, &transport);
    let place = if protocol == TCP { 16 } else { 6 };
    transport[place..place + 2].copy_from_slice(&sum.to_be_bytes());
    let mut out = header(packet, protocol, transport.len() as u16);
    out.extend(transport);
    out
}

fn header(packet: &Tapped, protocol: u8, len: u16) -> Vec<u8> {
    match (packet.flow.src.ip(), packet.flow.dst.ip()) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let mut out = vec![0x45, 0];
            out.extend((len + 20).to_be_bytes());
            // The low 16 bits of the packet's number: they distinguish copies from other packets.
            out.extend((packet.packet as u16).to_be_bytes());
            out.extend([0x40, 0, HOPS, protocol, 0, 0]);
            out.extend(src.octets());
            out.extend(dst.octets());
            let sum = checksum(&[&out]);
            out[10..12].copy_from_slice(&sum.to_be_bytes());
            out
        }
        (src, dst) => {
            let mut out = vec![0x60, 0, 0, 0];
            out.extend(len.to_be_bytes());
            out.extend([protocol, HOPS]);
            out.extend(octets(src));
            out.extend(octets(dst));
            out
        }
    }
}

fn udp(flow: Flow, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 8);
    out.extend(flow.src.port().to_be_bytes());
    out.extend(flow.dst.port().to_be_bytes());
    out.extend((payload.len() as u16 + 8).to_be_bytes());
    out.extend([0, 0]);
    out.extend(payload);
    out
}

fn tcp(flow: Flow, segment: &Segment, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 20);
    out.extend(flow.src.port().to_be_bytes());
    out.extend(flow.dst.port().to_be_bytes());
    out.extend(segment.seq.to_be_bytes());
    out.extend(segment.ack.to_be_bytes());
    // Five words of header: there are no options.
    out.extend([0x50, segment.flags]);
    out.extend(segment.window.to_be_bytes());
    out.extend([0, 0, 0, 0]);
    out.extend(payload);
    out
}

/// Computes the checksum over the pseudo-header and `transport`, whose own field is still zero.
fn transport_checksum(flow: Flow, protocol: u8, transport: &[u8]) -> u16 {
    let (src, dst) = (octets(flow.src.ip()), octets(flow.dst.ip()));
    let len = (transport.len() as u32).to_be_bytes();
    match checksum(&[&src, &dst, &len, &[0, protocol], transport]) {
        // UDP writes a sum of zero as its complement: zero means that there is no checksum.
        0 if protocol == UDP => u16::MAX,
        sum => sum,
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// Computes the internet checksum (RFC 1071) over parts of which all but the last have an even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u32;
    for part in parts {
        for pair in part.chunks(2) {
            sum += u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
            sum = (sum & 0xffff) + (sum >> 16);
        }
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_rfc_1071() {
        // The example of section 3.
        let data = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(checksum(&[&data]), !0xddf2);
        assert_eq!(checksum(&[&data[..4], &data[4..]]), !0xddf2);
        assert_eq!(checksum(&[&[0xff]]), !0xff00);
    }
}

//! What an IPv4 packet says of where it comes from and where it goes, and its checksums.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use sleet::trace::{Flow, Proto};

/// The length of an IPv4 header without options, in bytes.
pub const IP: usize = 20;
/// The length of a UDP header, in bytes.
pub const UDP: usize = 8;
/// TCP and UDP by their numbers.
const TCP_NUMBER: u8 = 6;
const UDP_NUMBER: u8 = 17;
/// Where their checksums lie, from the end of the IP header on.
const TCP_SUM: usize = 16;
const UDP_SUM: usize = 6;

/// Source and destination of an IPv4 packet.
pub fn ends(packet: &[u8]) -> Option<(Ipv4Addr, Ipv4Addr)> {
    let header = packet.first_chunk::<IP>().filter(|h| h[0] >> 4 == 4)?;
    let address = |at: usize| Ipv4Addr::new(header[at], header[at + 1], header[at + 2], header[at + 3]);
    Some((address(12), address(16)))
}

/// The same with ports, of a whole packet of UDP or TCP without options of IP.
pub fn flow_of(packet: &[u8]) -> Option<Flow> {
    let (src, dst) = ends(packet).filter(|_| is_whole(packet))?;
    let proto = match packet[9] {
        UDP_NUMBER => Proto::Udp,
        TCP_NUMBER => Proto::Tcp,
        _ => return None,
    };
    let ports = packet.get(IP..)?.first_chunk::<4>()?;
    let port = |at: usize| u16::from_be_bytes([ports[at], ports[at + 1]]);
    Some(Flow {
        proto,
        src: SocketAddr::new(IpAddr::V4(src), port(0)),
        dst: SocketAddr::new(IpAddr::V4(dst), port(2)),
    })
}

/// The packet, which [`flow_of`] has read, with the addresses and ports of `flow`. Addresses that are not IPv4 stay.
pub fn readdressed(packet: &[u8], flow: Flow) -> Vec<u8> {
    let mut packet = packet.to_vec();
    for (end, address, port) in [(flow.src, 12, IP), (flow.dst, 16, IP + 2)] {
        if let IpAddr::V4(ip) = end.ip() {
            packet[address..address + 4].copy_from_slice(&ip.octets());
        }
        packet[port..port + 2].copy_from_slice(&end.port().to_be_bytes());
    }
    sign(&mut packet);
    packet
}

/// Whether it is a datagram of UDP that is no fragment, in IPv4 without options.
pub fn is_whole_datagram(packet: &[u8]) -> bool {
    packet.len() >= IP + UDP && is_whole(packet) && packet[9] == UDP_NUMBER
}

fn is_whole(packet: &[u8]) -> bool {
    // More fragments, or an offset.
    packet.len() > IP && packet[0] == 0x45 && (packet[6] & 0x3f, packet[7]) == (0, 0)
}

/// Makes the checksums of a whole packet of UDP or TCP fit.
pub fn sign(packet: &mut [u8]) {
    set(packet, 10, |_| 0);
    set(packet, 10, |packet| checksum(0, &packet[..IP]));
    let is_udp = packet[9] == UDP_NUMBER;
    let at = IP + if is_udp { UDP_SUM } else { TCP_SUM };
    if packet.len() < at + 2 {
        return;
    }
    set(packet, at, |_| 0);
    set(packet, at, |packet| {
        match checksum(pseudo_header(packet), &packet[IP..]) {
            // Zero would say that there is none (RFC 768).
            0 if is_udp => u16::MAX,
            sum => sum,
        }
    });
}

/// Sets the two bytes at `at`.
pub fn set(packet: &mut [u8], at: usize, value: impl Fn(&[u8]) -> u16) {
    let bytes = value(packet).to_be_bytes();
    packet[at..at + 2].copy_from_slice(&bytes);
}

/// The sum of what RFC 768 and RFC 9293 put before a datagram or a segment: both addresses, the protocol, the length.
fn pseudo_header(packet: &[u8]) -> u32 {
    sum(&packet[12..IP]) + u32::from(packet[9]) + (packet.len() - IP) as u32
}

fn sum(bytes: &[u8]) -> u32 {
    let words = bytes.chunks(2);
    words
        .map(|word| u32::from(word[0]) << 8 | word.get(1).map_or(0, |low| u32::from(*low)))
        .sum()
}

/// The Internet checksum of RFC 1071 over `bytes`, on top of a sum.
fn checksum(before: u32, bytes: &[u8]) -> u16 {
    let mut sum = before + sum(bytes);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// What is left of the checksums of IP and of what is in it when they are taken over themselves: zero where they fit.
#[cfg(test)]
pub fn misfits(packet: &[u8]) -> (u16, u16) {
    (
        checksum(0, &packet[..IP]),
        checksum(pseudo_header(packet), &packet[IP..]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From 10.0.0.1:1 to 10.0.0.2:2, with a payload of five bytes.
    fn packet(number: u8) -> Vec<u8> {
        let mut packet = vec![
            0x45, 0, 0, 45, 0, 0, 0x40, 0, 64, number, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 1, 0, 2,
        ];
        packet.extend([0; 16]);
        packet.extend(b"sleet");
        packet
    }

    #[test]
    fn a_packet_gets_other_addresses_and_ports_and_checksums_that_fit() {
        for (number, proto) in [(UDP_NUMBER, Proto::Udp), (TCP_NUMBER, Proto::Tcp)] {
            let flow = flow_of(&packet(number)).expect("a flow");
            assert_eq!((flow.proto, flow.src.to_string()), (proto, "10.0.0.1:1".into()));
            let to = Flow {
                src: "198.18.1.1:40000".parse().expect("an address"),
                dst: "198.19.1.1:40001".parse().expect("an address"),
                ..flow
            };
            let moved = readdressed(&packet(number), to);
            assert_eq!(flow_of(&moved), Some(to));
            assert_eq!(misfits(&moved), (0, 0));
            assert_eq!(&moved[40..], b"sleet");
        }
    }

    #[test]
    fn what_has_no_ports_has_no_flow() {
        assert_eq!(flow_of(&packet(1)), None, "ICMP");
        let mut fragment = packet(UDP_NUMBER);
        fragment[7] = 1;
        assert_eq!(flow_of(&fragment), None);
        assert_eq!(flow_of(&packet(UDP_NUMBER)[..22]), None, "cut off");
    }
}

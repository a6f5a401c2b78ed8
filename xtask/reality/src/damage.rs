//! Damage to packets that a kernel lets through: bits of UDP payloads flipped, or their ends cut off, with checksums that fit again.
//!
//! A packet whose checksums do not fit would be lost, which is another fault. TCP is left as it is: a receiver would see the damage
//! and wait for the segment to be sent again.

use serde::{Deserialize, Serialize};

/// The lengths of an IPv4 header without options and of a UDP header, in bytes.
const IP: usize = 20;
const UDP: usize = 8;
/// UDP by its number.
const PROTOCOL: u8 = 17;

/// What a link does to a datagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// The bit of the payload that is flipped.
    pub bit: Option<u64>,
    /// How much of the payload is left, in bytes.
    pub len: Option<u32>,
}

/// The packet with all of `damage`. What is not UDP in IPv4 without options stays as it is, and so do fragments.
pub fn done(packet: &[u8], damage: &[Damage]) -> Vec<u8> {
    let mut packet = packet.to_vec();
    if damage.is_empty() || !is_whole_datagram(&packet) {
        return packet;
    }
    for Damage { bit, len } in damage {
        if let Some(len) = len {
            packet.truncate(packet.len().min(IP + UDP + *len as usize));
        }
        let byte = bit.and_then(|bit| packet.get_mut(IP + UDP + (bit / 8) as usize));
        if let (Some(byte), Some(bit)) = (byte, bit) {
            *byte ^= 1 << (bit % 8);
        }
    }
    set(&mut packet, 2, |packet| packet.len() as u16);
    set(&mut packet, IP + 4, |packet| (packet.len() - IP) as u16);
    set(&mut packet, 10, |_| 0);
    set(&mut packet, 10, |packet| checksum(0, &packet[..IP]));
    set(&mut packet, IP + 6, |_| 0);
    set(&mut packet, IP + 6, |packet| {
        match checksum(pseudo_header(packet), &packet[IP..]) {
            // Zero would say that there is none (RFC 768).
            0 => u16::MAX,
            sum => sum,
        }
    });
    packet
}

fn is_whole_datagram(packet: &[u8]) -> bool {
    packet.len() >= IP + UDP
        && packet[0] == 0x45
        && packet[9] == PROTOCOL
        // More fragments, or an offset.
        && (packet[6] & 0x3f, packet[7]) == (0, 0)
}

fn set(packet: &mut [u8], at: usize, value: impl Fn(&[u8]) -> u16) {
    let bytes = value(packet).to_be_bytes();
    packet[at..at + 2].copy_from_slice(&bytes);
}

/// The sum of what RFC 768 puts before a datagram: both addresses, the protocol, the length.
fn pseudo_header(packet: &[u8]) -> u32 {
    sum(&packet[12..IP]) + u32::from(PROTOCOL) + (packet.len() - IP) as u32
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Five bytes from 10.0.0.1:1 to 10.0.0.2:2.
    fn datagram() -> Vec<u8> {
        let mut packet = vec![
            0x45, 0, 0, 33, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        ];
        packet.extend([0, 1, 0, 2, 0, 13, 0, 0]);
        packet.extend(b"sleet");
        done(&packet, &[Damage::default()])
    }

    fn sums(packet: &[u8]) -> (u16, u16) {
        (
            checksum(0, &packet[..IP]),
            checksum(pseudo_header(packet), &packet[IP..]),
        )
    }

    #[test]
    fn what_is_damaged_has_checksums_that_fit() {
        let whole = datagram();
        assert_eq!(sums(&whole), (0, 0));
        let flipped = done(
            &whole,
            &[Damage {
                bit: Some(9),
                len: None,
            }],
        );
        assert_eq!(&flipped[IP + UDP..], b"sneet", "l and n differ in bit 1");
        assert_eq!(sums(&flipped), (0, 0));
    }

    #[test]
    fn what_is_cut_off_is_gone_from_the_lengths_too() {
        let cut = done(
            &datagram(),
            &[Damage {
                bit: None,
                len: Some(2),
            }],
        );
        assert_eq!(&cut[IP + UDP..], b"sl");
        assert_eq!((cut[3], cut[IP + 5]), (30, 10));
        assert_eq!(sums(&cut), (0, 0));
    }

    #[test]
    fn tcp_and_fragments_stay_as_they_are() {
        let harm = [Damage {
            bit: Some(0),
            len: Some(1),
        }];
        for (at, value) in [(9, 6), (6, 0x20), (7, 1)] {
            let mut packet = datagram();
            packet[at] = value;
            assert_eq!(done(&packet, &harm), packet, "byte {at}");
        }
    }
}

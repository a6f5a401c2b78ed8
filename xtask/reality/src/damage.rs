//! Damage to packets that a kernel lets through: bits of UDP payloads flipped, or their ends cut off, with checksums that fit again.
//!
//! A packet whose checksums do not fit would be lost, which is another fault. TCP is left as it is: a receiver would see the damage
//! and wait for the segment to be sent again.

use serde::{Deserialize, Serialize};

use crate::packet::{IP, UDP, is_whole_datagram, set, sign};

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
    sign(&mut packet);
    packet
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::misfits;

    /// Five bytes from 10.0.0.1:1 to 10.0.0.2:2.
    fn datagram() -> Vec<u8> {
        let mut packet = vec![
            0x45, 0, 0, 33, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        ];
        packet.extend([0, 1, 0, 2, 0, 13, 0, 0]);
        packet.extend(b"sleet");
        done(&packet, &[Damage::default()])
    }

    #[test]
    fn what_is_damaged_has_checksums_that_fit() {
        let whole = datagram();
        assert_eq!(misfits(&whole), (0, 0));
        let flipped = done(
            &whole,
            &[Damage {
                bit: Some(9),
                len: None,
            }],
        );
        assert_eq!(&flipped[IP + UDP..], b"sneet", "l and n differ in bit 1");
        assert_eq!(misfits(&flipped), (0, 0));
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
        assert_eq!(misfits(&cut), (0, 0));
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

//! Addresses as text, as [`SocketAddr`] displays them, but without the machinery of formatting: a line of a trace has two for each
//! packet.

use std::net::SocketAddr;

use serde::{Serialize, Serializer};

/// Serializes `address` as serde does.
pub(super) fn serialize<S: Serializer>(address: &SocketAddr, serializer: S) -> Result<S::Ok, S::Error> {
    let SocketAddr::V4(v4) = address else {
        return address.serialize(serializer);
    };
    let mut text = Text::default();
    for (octet, behind) in v4.ip().octets().into_iter().zip(*b"...:") {
        text.number(octet.into());
        text.byte(behind);
    }
    text.number(v4.port());
    serializer.serialize_str(std::str::from_utf8(&text.bytes[..text.len]).expect("ASCII"))
}

/// Room for `255.255.255.255:65535`.
#[derive(Default)]
struct Text {
    bytes: [u8; 21],
    len: usize,
}

impl Text {
    fn byte(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    fn number(&mut self, number: u16) {
        let mut unit = match number {
            10_000.. => 10_000,
            1_000.. => 1_000,
            100.. => 100,
            10.. => 10,
            _ => 1,
        };
        while unit > 0 {
            self.byte(b'0' + u8::try_from(number / unit % 10).expect("a digit"));
            unit /= 10;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    fn text_of(address: SocketAddr) -> String {
        let text = serialize(&address, serde_json::value::Serializer).expect("a text");
        text.as_str().expect("a text").to_owned()
    }

    proptest! {
        #[test]
        fn an_address_reads_as_it_displays(v4: u32, v6: u128, port: u16) {
            for address in [
                SocketAddr::from((Ipv4Addr::from(v4), port)),
                SocketAddr::from((Ipv6Addr::from(v6), port)),
            ] {
                prop_assert_eq!(text_of(address), address.to_string());
            }
        }
    }

    #[test]
    fn no_digit_is_lost_where_a_number_grows() {
        for port in [0, 9, 10, 99, 100, 999, 1_000, 9_999, 10_000, 65_535] {
            let address = SocketAddr::from(([0, 10, 200, 255], port));
            assert_eq!(text_of(address), address.to_string());
        }
    }
}

//! Decodes a packet into one readable line.
//!
//! What a line says of STUN is written and read in one place, [`stun_line`]; the rest of it is for people.

use turmoil_net::{TcpFlags, Transport};

use super::{
    keys::IceKeys,
    stun_line::{self, CARRIES, ON_CHANNEL},
};

/// What is said of a datagram that begins like STUN and is none.
const MALFORMED: &str = "malformed stun";
/// What is said of audio, and of reports about it: which of the two a packet is shows only to who has the keys of SRTP.
pub const MEDIA: &str = "rtp or rtcp";

/// Describes a transport payload that is sent. What protects a check is judged by `keys`.
pub fn describe(transport: &Transport, keys: &IceKeys) -> String {
    match transport {
        Transport::Udp(datagram) => describe_datagram(&datagram.payload, Some(keys)),
        Transport::Tcp(segment) => match (flags(segment.flags), segment.payload.len()) {
            (flags, 0) => format!("tcp {flags}"),
            (flags, n) => format!("tcp {flags} {n} bytes"),
        },
    }
}

/// Describes a datagram and the one inside it, if a TURN server is to relay or relays that (RFC 8656, sections 11 and 12). What is
/// inside that one is nobody's: no server relays to another.
pub fn describe_datagram(payload: &[u8], keys: Option<&IceKeys>) -> String {
    match describe_outer(payload, keys) {
        (outer, Some(inside)) => outer + CARRIES + &describe_outer(&inside, keys).0,
        (outer, None) => outer,
    }
}

/// Describes a datagram, whose protocol the first byte tells (RFC 7983, section 7), and returns the one inside it, if it has one.
fn describe_outer(payload: &[u8], keys: Option<&IceKeys>) -> (String, Option<Vec<u8>>) {
    let alone = |says: &str| (says.to_owned(), None);
    match payload.first() {
        None => alone("empty"),
        Some(0..=3) => stun_line::write(payload, keys).unwrap_or_else(|| alone(MALFORMED)),
        Some(20..=63) => (format!("dtls {}", dtls_record(payload)), None),
        Some(64..=79) => on_channel(payload),
        Some(128..=191) => alone(MEDIA),
        Some(_) => alone("data"),
    }
}

/// Describes the header of what goes over a channel, and returns the datagram inside (RFC 8656, section 12.4).
fn on_channel(payload: &[u8]) -> (String, Option<Vec<u8>>) {
    let number = |at: usize| Some(u16::from_be_bytes([*payload.get(at)?, *payload.get(at + 1)?]));
    let inside = number(2).and_then(|length| payload.get(4..4 + usize::from(length)));
    let channel = number(0).unwrap_or_default();
    (format!("{ON_CHANNEL}{channel}"), inside.map(<[u8]>::to_vec))
}

/// Names the first record of a DTLS datagram (RFC 6347, section 4.1).
fn dtls_record(payload: &[u8]) -> String {
    let handshake = |kind| match kind {
        1 => "client-hello".to_owned(),
        2 => "server-hello".to_owned(),
        3 => "hello-verify-request".to_owned(),
        11 => "certificate".to_owned(),
        12 => "server-key-exchange".to_owned(),
        13 => "certificate-request".to_owned(),
        14 => "server-hello-done".to_owned(),
        15 => "certificate-verify".to_owned(),
        16 => "client-key-exchange".to_owned(),
        20 => "finished".to_owned(),
        other => format!("handshake {other}"),
    };
    let epoch = payload.get(3..5).map_or(0, |e| u16::from_be_bytes([e[0], e[1]]));
    match payload[0] {
        20 => "change-cipher-spec".into(),
        21 => "alert".into(),
        22 if epoch == 0 => payload
            .get(13)
            .map_or("handshake".to_owned(), |kind| handshake(*kind)),
        22 => "encrypted handshake".into(),
        23 => "application data".into(),
        other => format!("record {other}"),
    }
}

fn flags(flags: TcpFlags) -> String {
    let names = [
        (flags.syn, "syn"),
        (flags.fin, "fin"),
        (flags.rst, "rst"),
        (flags.psh, "psh"),
        (flags.ack, "ack"),
    ];
    let set: Vec<&str> = names
        .iter()
        .filter(|(set, _)| *set)
        .map(|(_, name)| *name)
        .collect();
    set.join("+")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sample request of RFC 5769, section 2.1.
    const RFC5769_REQUEST: &[u8] = &[
        0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa,
        0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e, 0x20, 0x74, 0x65, 0x73, 0x74, 0x20,
        0x63, 0x6c, 0x69, 0x65, 0x6e, 0x74, 0x00, 0x24, 0x00, 0x04, 0x6e, 0x00, 0x01, 0xff, 0x80, 0x29, 0x00,
        0x08, 0x93, 0x2f, 0xf9, 0xb1, 0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09, 0x65, 0x76, 0x74, 0x6a,
        0x3a, 0x68, 0x36, 0x76, 0x59, 0x20, 0x20, 0x20, 0x00, 0x08, 0x00, 0x14, 0x9a, 0xea, 0xa7, 0x0c, 0xbf,
        0xd8, 0xcb, 0x56, 0x78, 0x1e, 0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49, 0xc1, 0xb5, 0x71, 0xa2, 0x80, 0x28,
        0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf,
    ];

    #[test]
    fn a_connectivity_check_is_decoded() {
        assert_eq!(
            describe_datagram(RFC5769_REQUEST, None),
            "stun binding request evtj:h6vY controlled priority=1845494271"
        );
    }

    #[test]
    fn what_a_relay_carries_is_decoded() {
        let inside = &RFC5769_REQUEST;
        let mut channel_data = vec![0x40, 0x01, 0, inside.len() as u8];
        channel_data.extend_from_slice(inside);
        let line = describe_datagram(&channel_data, None);
        let inside = describe_datagram(inside, None);
        assert_eq!(line, format!("turn channel=16385 carries {inside}"));
        assert_eq!(
            describe_datagram(&channel_data[..40], None),
            "turn channel=16385",
            "cut"
        );
        let mut nested = vec![0x40, 0x02, 0, channel_data.len() as u8];
        nested.extend(channel_data);
        assert_eq!(
            describe_datagram(&nested, None),
            "turn channel=16386 carries turn channel=16385"
        );
    }

    #[test]
    fn a_truncated_message_is_named_and_nothing_panics() {
        for n in 1..RFC5769_REQUEST.len() {
            let line = describe_datagram(&RFC5769_REQUEST[..n], None);
            assert_eq!(line, "malformed stun", "{n} bytes");
        }
        for first in 0..=255u8 {
            describe_datagram(&[first], None);
            describe_datagram(&[first; 14], None);
        }
    }
}

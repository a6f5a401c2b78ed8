//! Decodes a packet into one readable line.
//!
//! What a line says of STUN is written and read in one place, [`stun_line`]; the rest of it is for people.

use stun::{attributes::ATTR_DATA, message::Message};
use turmoil_net::{TcpFlags, Transport};

use super::{keys::IceKeys, stun_line};

/// What is said of a datagram that begins like STUN and is none.
const MALFORMED: &str = "malformed stun";

/// Describes a transport payload that is sent. What protects a check is judged by `keys`.
pub fn describe(transport: &Transport, keys: &IceKeys) -> String {
    match transport {
        Transport::Udp(datagram) => match datagram.payload.first() {
            Some(0..=3) => {
                stun_line::write(&datagram.payload, Some(keys)).unwrap_or_else(|| MALFORMED.into())
            }
            _ => describe_datagram(&datagram.payload),
        },
        Transport::Tcp(segment) => match (flags(segment.flags), segment.payload.len()) {
            (flags, 0) => format!("tcp {flags}"),
            (flags, n) => format!("tcp {flags} {n} bytes"),
        },
    }
}

/// Describes a datagram, whose protocol the first byte tells (RFC 7983, section 7).
pub fn describe_datagram(payload: &[u8]) -> String {
    match payload.first() {
        None => "empty".into(),
        Some(0..=3) => stun_line::write(payload, None).unwrap_or_else(|| MALFORMED.into()),
        Some(20..=63) => format!("dtls {}", dtls_record(payload)),
        Some(64..=79) => "turn channel data".into(),
        Some(128..=191) => "rtp or rtcp".into(),
        Some(_) => "data".into(),
    }
}

/// Describes the datagram inside a datagram: what a TURN server is asked to relay, or relays (RFC 8656, sections 11 and
/// 12). `None` if there is none.
pub fn describe_inside(payload: &[u8]) -> Option<String> {
    let inside = match payload.first()? {
        0..=3 => {
            let mut message = Message::new();
            message.unmarshal_binary(payload).ok()?;
            message.get(ATTR_DATA).ok()?
        }
        64..=79 => {
            let length = u16::from_be_bytes([*payload.get(2)?, *payload.get(3)?]);
            payload.get(4..4 + usize::from(length))?.to_vec()
        }
        _ => return None,
    };
    Some(describe_datagram(&inside))
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
            describe_datagram(RFC5769_REQUEST),
            "stun binding request evtj:h6vY controlled priority=1845494271"
        );
    }

    #[test]
    fn what_a_relay_carries_is_decoded() {
        let inside = &RFC5769_REQUEST;
        let mut channel_data = vec![0x40, 0x01, 0, inside.len() as u8];
        channel_data.extend_from_slice(inside);
        let line = describe_inside(&channel_data).expect("a datagram");
        assert!(line.starts_with("stun binding request"), "{line}");
        assert_eq!(describe_inside(&channel_data[..40]), None, "cut");
        assert_eq!(describe_inside(inside), None, "a check carries nothing");
    }

    #[test]
    fn a_truncated_message_is_named_and_nothing_panics() {
        for n in 1..RFC5769_REQUEST.len() {
            let line = describe_datagram(&RFC5769_REQUEST[..n]);
            assert_eq!(line, "malformed stun", "{n} bytes");
        }
        for first in 0..=255u8 {
            describe_datagram(&[first]);
            describe_datagram(&[first; 14]);
        }
    }
}

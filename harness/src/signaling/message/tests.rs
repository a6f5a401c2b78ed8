//! Tests of the messages: they are read as they are written.

use super::*;

#[test]
fn every_message_is_read_as_it_is_written_and_called_by_its_name() {
    let (call, ufrag) = ("c1".to_owned(), "abcd".to_owned());
    let sdp = "v=0\r\n".to_owned();
    let messages = [
        Message::Register {
            client: "alice".into(),
            connection: 1,
        },
        Message::Registered {
            acks: false,
            copies: false,
        },
        Message::Registered {
            acks: true,
            copies: true,
        },
        Message::Ack { of: 1, absent: true },
        Message::Dial { call: call.clone() },
        Message::Ring { call: call.clone() },
        Message::Joined {
            call: call.clone(),
            ufrag: ufrag.clone(),
        },
        Message::Offer {
            call: call.clone(),
            attempt: 1,
            ufrag: ufrag.clone(),
            sdp: sdp.clone(),
            restarts: None,
        },
        Message::Offer {
            call: call.clone(),
            attempt: 2,
            ufrag: ufrag.clone(),
            sdp: sdp.clone(),
            restarts: Some(ufrag.clone()),
        },
        Message::Answer {
            call: call.clone(),
            offer: ufrag.clone(),
            ufrag: ufrag.clone(),
            sdp,
        },
        Message::Candidate {
            call: call.clone(),
            ufrag: ufrag.clone(),
            candidate: "1 1 udp".into(),
        },
        Message::EndOfCandidates {
            call: call.clone(),
            ufrag,
        },
        Message::Hangup { call: call.clone() },
        Message::Busy { call: call.clone() },
        Message::Ringing { call: call.clone() },
        Message::Reject { call: call.clone() },
        Message::Glare {
            call: call.clone(),
            instead: "c2".into(),
        },
        Message::Elsewhere { call: call.clone() },
        Message::TryAgain {
            call: call.clone(),
            attempt: 2,
            slow: true,
        },
        Message::Error {
            call: Some(call),
            code: "absent".into(),
        },
    ];
    for message in messages {
        let envelope = Envelope::to("bob", message);
        let json = envelope.to_json();
        assert!(
            json.contains(&format!(r#""type":"{}""#, envelope.message.name())),
            "{json}"
        );
        assert_eq!(Envelope::parse(&json).expect("own output"), envelope);
    }
}

#[test]
fn other_versions_and_nonsense_are_refused() {
    assert!(matches!(
        Envelope::parse(r#"{"v":2,"type":"registered"}"#),
        Err(MessageError::Version(2))
    ));
    for bad in ["", "{}", r#"{"v":1,"type":"dance"}"#, r#"{"v":1,"type":"dial"}"#] {
        assert!(
            matches!(Envelope::parse(bad), Err(MessageError::Malformed(_))),
            "{bad}"
        );
    }
}

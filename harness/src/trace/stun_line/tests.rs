//! What is written of a STUN message, what is read again, and what protects it.

use stun::{
    agent::TransactionId,
    fingerprint::FINGERPRINT,
    message::{BINDING_REQUEST, BINDING_SUCCESS, MessageType, Setter},
    textattrs::Username,
};

use super::*;

fn built(setters: Vec<Box<dyn Setter>>) -> Vec<u8> {
    let mut message = Message::new();
    message.build(&setters).expect("it builds");
    message.raw
}

fn integrity(password: &str) -> Box<dyn Setter> {
    Box::new(MessageIntegrity::new_short_term_integrity(password.into()))
}

fn flaws_of(payload: &[u8], keys: &IceKeys) -> Vec<String> {
    let (says, _) = write(payload, Some(keys)).expect("STUN");
    let line = StunLine::read(&says).expect("STUN");
    line.flaws.iter().map(|flaw| (*flaw).to_owned()).collect()
}

#[test]
fn what_was_written_is_read() {
    let line = StunLine::read("stun binding request ab:cd controlling use-candidate priority=7 no-integrity");
    let expected = StunLine {
        method: "binding",
        class: "request",
        asks: Some(("ab", "cd")),
        role: Some(IceRole::Controlling),
        nominates: true,
        priority: Some(7),
        flaws: vec!["no-integrity"],
        ..StunLine::default()
    };
    assert_eq!(line, Some(expected));
    let error = StunLine::read("stun create-permission error peer=10.0.0.1:5 code=487").expect("STUN");
    assert_eq!(error.code, Some(487));
    let peer: SocketAddr = "10.0.0.1:5".parse().expect("an address");
    assert_eq!(error.peers, [peer]);
    assert_eq!(error.asks, None, "an address names no generations");
    assert_eq!(StunLine::read("dtls client-hello"), None);
}

#[test]
fn a_request_for_permissions_names_every_peer_and_its_transaction() {
    let mut request = Message::new();
    let kind = MessageType::new(METHOD_CREATE_PERMISSION, CLASS_REQUEST);
    request
        .build(&[Box::new(kind), Box::new(TransactionId([0xab; 12]))])
        .expect("it builds");
    for last in [1, 2] {
        let peer = XorMappedAddress {
            ip: [10, 0, 0, last].into(),
            port: 7,
        };
        peer.add_to_as(&mut request, ATTR_XOR_PEER_ADDRESS)
            .expect("it fits");
    }
    let (says, inside) = write(&request.raw, None).expect("STUN");
    assert_eq!(inside, None);
    let line = StunLine::read(&says).expect("STUN");
    assert_eq!(line.id, Some("abababab"));
    let peers = ["10.0.0.1:7", "10.0.0.2:7"].map(|peer| peer.parse::<SocketAddr>().expect("an address"));
    assert_eq!(line.peers, peers);
}

#[test]
fn what_is_inside_a_packet_is_not_taken_for_the_packet() {
    let says = "stun send indication peer=10.0.0.2:7 carries stun binding request ab:cd controlled";
    let outer = StunLine::read(says).expect("STUN");
    assert_eq!((outer.method, outer.asks, outer.role), ("send", None, None));
    let inside = StunLine::between_ends(says).expect("STUN");
    assert!(inside.is_check());
    assert_eq!((inside.asks, inside.peers.len()), (Some(("ab", "cd")), 0));
    assert_eq!(channel_of("turn channel=16385 carries data"), Some(16385));
    assert_eq!(channel_of(says), None);
}

#[test]
fn a_check_and_its_answer_are_under_the_password_of_the_end_that_is_asked() {
    let keys = IceKeys::default();
    keys.learn("bob", "the password of bob");
    let id = TransactionId::new();
    let message = |typ, password: &str| {
        let user: Box<dyn Setter> = Box::new(Username::new(ATTR_USERNAME, "bob:alice".into()));
        let mut setters: Vec<Box<dyn Setter>> = vec![Box::new(typ), Box::new(id)];
        if typ == BINDING_REQUEST {
            setters.push(user);
        }
        setters.extend([integrity(password), Box::new(FINGERPRINT)]);
        built(setters)
    };
    assert!(
        flaws_of(&message(BINDING_SUCCESS, "any"), &keys).is_empty(),
        "nobody asked"
    );
    assert!(flaws_of(&message(BINDING_REQUEST, "the password of bob"), &keys).is_empty());
    assert_eq!(
        flaws_of(&message(BINDING_REQUEST, "another"), &keys),
        ["wrong-integrity"]
    );
    assert!(flaws_of(&message(BINDING_SUCCESS, "the password of bob"), &keys).is_empty());
    assert_eq!(
        flaws_of(&message(BINDING_SUCCESS, "another"), &keys),
        ["wrong-integrity"]
    );
}

#[test]
fn a_name_with_spaces_in_it_writes_no_other_words() {
    let user = Username::new(
        ATTR_USERNAME,
        "bob:al use-candidate no-integrity carries stun".into(),
    );
    let id = TransactionId::new();
    let payload = built(vec![Box::new(BINDING_REQUEST), Box::new(id), Box::new(user)]);
    let (says, _) = write(&payload, None).expect("STUN");
    let line = StunLine::read(&says).expect("STUN");
    assert_eq!(carried(&says), None);
    assert_eq!((line.nominates, line.flaws.len()), (false, 0));
    assert_eq!(line.asks.map(|(to, _)| to), Some("bob"));
}

#[test]
fn what_is_missing_is_named_and_servers_need_neither() {
    let keys = IceKeys::default();
    keys.learn("bob", "the password of bob");
    let bare: Vec<Box<dyn Setter>> = vec![Box::new(BINDING_REQUEST), Box::new(TransactionId::new())];
    assert!(flaws_of(&built(bare), &keys).is_empty(), "a STUN server is asked");
    let mut nominates = Message::new();
    nominates
        .build(&[Box::new(BINDING_REQUEST), Box::new(TransactionId::new())])
        .expect("it builds");
    nominates.add(ATTR_USE_CANDIDATE, &[]);
    assert_eq!(flaws_of(&nominates.raw, &keys), ["no-username"]);
    let check: Vec<Box<dyn Setter>> = vec![
        Box::new(BINDING_REQUEST),
        Box::new(TransactionId::new()),
        Box::new(Username::new(ATTR_USERNAME, "bob:alice".into())),
    ];
    let mut check = built(check);
    assert_eq!(flaws_of(&check, &keys), ["no-integrity", "no-fingerprint"]);
    check.extend([0x80, 0x28, 0, 4, 1, 2, 3, 4]);
    check[3] += 8;
    assert_eq!(flaws_of(&check, &keys), ["no-integrity", "wrong-fingerprint"]);
}

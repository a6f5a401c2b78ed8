//! STUN messages as lines of the trace: the one place that writes them and reads them.
//!
//! A line tells what the rules of the wire speak of, and never bytes: no transaction ids, no keys.

use std::net::SocketAddr;

use crc::{CRC_32_ISO_HDLC, Crc};
use stun::{
    attributes::{
        ATTR_CHANNEL_NUMBER, ATTR_ERROR_CODE, ATTR_FINGERPRINT, ATTR_ICE_CONTROLLED, ATTR_ICE_CONTROLLING,
        ATTR_LIFETIME, ATTR_MESSAGE_INTEGRITY, ATTR_PRIORITY, ATTR_USE_CANDIDATE, ATTR_USERNAME,
        ATTR_XOR_PEER_ADDRESS, ATTR_XOR_RELAYED_ADDRESS, ATTR_XORMAPPED_ADDRESS, AttrType,
    },
    error_code::ErrorCodeAttribute,
    integrity::MessageIntegrity,
    message::{
        CLASS_ERROR_RESPONSE, CLASS_INDICATION, CLASS_REQUEST, CLASS_SUCCESS_RESPONSE, Getter,
        METHOD_ALLOCATE, METHOD_BINDING, METHOD_CHANNEL_BIND, METHOD_CREATE_PERMISSION, METHOD_DATA,
        METHOD_REFRESH, METHOD_SEND, Message,
    },
    textattrs::TextAttribute,
    xoraddr::XorMappedAddress,
};

use super::keys::IceKeys;

const METHODS: [(stun::message::Method, &str); 7] = [
    (METHOD_BINDING, "binding"),
    (METHOD_ALLOCATE, "allocate"),
    (METHOD_REFRESH, "refresh"),
    (METHOD_SEND, "send"),
    (METHOD_DATA, "data"),
    (METHOD_CREATE_PERMISSION, "create-permission"),
    (METHOD_CHANNEL_BIND, "channel-bind"),
];
const CLASSES: [(stun::message::MessageClass, &str); 4] = [
    (CLASS_REQUEST, "request"),
    (CLASS_INDICATION, "indication"),
    (CLASS_SUCCESS_RESPONSE, "success"),
    (CLASS_ERROR_RESPONSE, "error"),
];
const FLAGS: [(AttrType, &str); 4] = [
    (ATTR_ICE_CONTROLLING, CONTROLLING),
    (ATTR_ICE_CONTROLLED, CONTROLLED),
    (ATTR_USE_CANDIDATE, NOMINATES),
    (ATTR_CHANNEL_NUMBER, "channel"),
];
const CONTROLLING: &str = "controlling";
const CONTROLLED: &str = "controlled";
const NOMINATES: &str = "use-candidate";
/// What is wrong with the protection of a check or its answer (RFC 8489, sections 14.5 and 14.7).
const FLAWS: [&str; 5] = [
    "no-username",
    "no-integrity",
    "wrong-integrity",
    "no-fingerprint",
    "wrong-fingerprint",
];

/// The attributes that a request to a STUN server never has.
const CHECKS_ONLY: [AttrType; 4] = [
    ATTR_ICE_CONTROLLING,
    ATTR_ICE_CONTROLLED,
    ATTR_USE_CANDIDATE,
    ATTR_PRIORITY,
];

/// Describes a STUN message; `None` if it is none. With `keys`, a check and an answer to one are also checked for what protects them.
pub(super) fn write(payload: &[u8], keys: Option<&IceKeys>) -> Option<String> {
    let mut message = Message::new();
    message.unmarshal_binary(payload).ok()?;
    let name = |found: Option<&'static str>, unknown| found.unwrap_or(unknown);
    let method = METHODS.iter().find(|(m, _)| *m == message.typ.method);
    let class = CLASSES.iter().find(|(c, _)| *c == message.typ.class);
    let method = name(method.map(|m| m.1), "unknown-method");
    let class = name(class.map(|c| c.1), "unknown-class");
    let mut words = vec!["stun".to_owned(), method.to_owned(), class.to_owned()];
    let user = TextAttribute::get_from_as(&message, ATTR_USERNAME).ok();
    words.extend(user.as_ref().map(|user| user.text.clone()));
    let flags = FLAGS.iter().filter(|(attribute, _)| message.contains(*attribute));
    words.extend(flags.map(|(_, name)| (*name).to_owned()));
    words.extend(values(&message));
    if let Some(keys) = keys {
        let flaws = flaws(&mut message, user.map(|user| user.text), keys);
        words.extend(flaws.map(str::to_owned));
    }
    Some(words.join(" "))
}

/// Returns the attributes with a value, as `name=value`.
fn values(message: &Message) -> Vec<String> {
    let mut words = Vec::new();
    for (attribute, name) in [(ATTR_PRIORITY, "priority"), (ATTR_LIFETIME, "lifetime")] {
        let bytes = message.get(attribute).ok();
        if let Some(bytes) = bytes.and_then(|b| b.try_into().ok()) {
            words.push(format!("{name}={}", u32::from_be_bytes(bytes)));
        }
    }
    for (attribute, name) in [
        (ATTR_XORMAPPED_ADDRESS, "mapped"),
        (ATTR_XOR_RELAYED_ADDRESS, "relayed"),
        (ATTR_XOR_PEER_ADDRESS, "peer"),
    ] {
        let mut address = XorMappedAddress::default();
        if address.get_from_as(message, attribute).is_ok() {
            words.push(format!("{name}={}:{}", address.ip, address.port));
        }
    }
    let mut code = ErrorCodeAttribute::default();
    if message.contains(ATTR_ERROR_CODE) && code.get_from(message).is_ok() {
        words.push(format!("code={}", code.code.0));
    }
    words
}

/// Returns what is wrong with the protection of a check between two generations, or of the answer to one (RFC 8445, section 7.1;
/// RFC 8489, section 9.1). A request to a STUN server needs none.
fn flaws(
    message: &mut Message,
    user: Option<String>,
    keys: &IceKeys,
) -> impl Iterator<Item = &'static str> + use<> {
    let (typ, transaction) = (message.typ, message.transaction_id);
    let asked = user.as_deref().and_then(|user| user.split_once(':'));
    let is_request = typ.method == METHOD_BINDING && typ.class == CLASS_REQUEST;
    let password = match typ.class {
        _ if typ.method != METHOD_BINDING => None,
        CLASS_REQUEST => asked.and_then(|(asked, _)| keys.of_request(asked, transaction)),
        CLASS_SUCCESS_RESPONSE => keys.of_answer(transaction),
        _ => None,
    };
    let mut found = [false; 5];
    // What only a check has (RFC 8445, section 7.1).
    found[0] = is_request && asked.is_none() && CHECKS_ONLY.iter().any(|a| message.contains(*a));
    if let Some(password) = password {
        let has_integrity = message.contains(ATTR_MESSAGE_INTEGRITY);
        let has_fingerprint = message.contains(ATTR_FINGERPRINT);
        let integrity = MessageIntegrity::new_short_term_integrity(password);
        found[1..].copy_from_slice(&[
            !has_integrity,
            has_integrity && integrity.check(message).is_err(),
            !has_fingerprint,
            has_fingerprint && !is_fingerprint_right(message),
        ]);
    }
    FLAWS
        .into_iter()
        .zip(found)
        .filter(|(_, is)| *is)
        .map(|(name, _)| name)
}

/// CRC-32 with its table made once: `stun` makes it anew for each message.
static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// Reports whether the last attribute is the right fingerprint (RFC 8489, section 14.7).
fn is_fingerprint_right(message: &Message) -> bool {
    const XORED_WITH: u32 = 0x5354_554e;
    const SIZE: usize = 8;
    let before = message.raw.len().checked_sub(SIZE).map(|at| &message.raw[..at]);
    let right = before.map(|before| (CRC.checksum(before) ^ XORED_WITH).to_be_bytes().to_vec());
    message.get(ATTR_FINGERPRINT).ok() == right
}

/// The role of an agent, as its check names it (RFC 8445, section 7.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IceRole {
    /// `ICE-CONTROLLING`: it nominates.
    Controlling,
    /// `ICE-CONTROLLED`.
    Controlled,
}

/// A STUN message, as its line in the trace tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StunLine<'a> {
    /// The method, by its name in the specification, in lower case.
    pub method: &'a str,
    /// The class: `request`, `indication`, `success` or `error`.
    pub class: &'a str,
    /// The generation that is asked, and the one that asks, of a check (RFC 8445, section 7.2.2).
    pub asks: Option<(&'a str, &'a str)>,
    /// The role.
    pub role: Option<IceRole>,
    /// Whether it nominates the pair: `USE-CANDIDATE`.
    pub nominates: bool,
    /// The value of `PRIORITY`.
    pub priority: Option<u32>,
    /// The value of `LIFETIME`, in seconds: 0 ends an allocation.
    pub lifetime: Option<u32>,
    /// The code of an error.
    pub code: Option<u16>,
    /// The value of `XOR-PEER-ADDRESS`.
    pub peer: Option<SocketAddr>,
    /// What is wrong with its protection.
    pub flaws: Vec<&'a str>,
}

impl<'a> StunLine<'a> {
    /// Reads what a sent packet says; `None` if it is no STUN message.
    pub fn read(says: &'a str) -> Option<Self> {
        let mut words = says.strip_prefix("stun ")?.split(' ');
        let mut line = Self {
            method: words.next()?,
            class: words.next()?,
            ..Self::default()
        };
        for word in words {
            match (word, word.split_once('='), word.split_once(':')) {
                (CONTROLLING, ..) => line.role = Some(IceRole::Controlling),
                (CONTROLLED, ..) => line.role = Some(IceRole::Controlled),
                (NOMINATES, ..) => line.nominates = true,
                (_, Some(("priority", value)), _) => line.priority = value.parse().ok(),
                (_, Some(("code", value)), _) => line.code = value.parse().ok(),
                (_, Some(("peer", value)), _) => line.peer = value.parse().ok(),
                (_, Some(("lifetime", value)), _) => line.lifetime = value.parse().ok(),
                (_, None, Some((to, from))) if !to.is_empty() && !from.is_empty() => {
                    line.asks = Some((to, from))
                }
                (flaw, ..) if FLAWS.contains(&flaw) => line.flaws.push(flaw),
                _ => {}
            }
        }
        Some(line)
    }

    /// Reports whether it is a check of one generation by another.
    pub fn is_check(&self) -> bool {
        self.method == "binding" && self.class == "request" && self.asks.is_some()
    }

    /// Reports whether it answers a binding request with success.
    pub fn is_answer(&self) -> bool {
        self.method == "binding" && self.class == "success"
    }
}

#[cfg(test)]
mod tests {
    use stun::{
        agent::TransactionId,
        fingerprint::FINGERPRINT,
        message::{BINDING_REQUEST, BINDING_SUCCESS, Setter},
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
        let says = write(payload, Some(keys)).expect("STUN");
        let line = StunLine::read(&says).expect("STUN");
        line.flaws.iter().map(|flaw| (*flaw).to_owned()).collect()
    }

    #[test]
    fn what_was_written_is_read() {
        let line =
            StunLine::read("stun binding request ab:cd controlling use-candidate priority=7 no-integrity");
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
        assert_eq!(error.peer, "10.0.0.1:5".parse().ok());
        assert_eq!(error.asks, None, "an address names no generations");
        assert_eq!(StunLine::read("dtls client-hello"), None);
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
}

//! STUN messages as lines of the trace: the one place that writes them and reads them.
//!
//! A line tells what the rules of the wire speak of, and no keys. Of a transaction with a server it has the beginning of the id, which
//! tells a request that is sent again from another; checks, which are many, are told apart by what they ask.

use std::net::SocketAddr;

use crc::{CRC_32_ISO_HDLC, Crc};
use stun::{
    attributes::{
        ATTR_CHANNEL_NUMBER, ATTR_DATA, ATTR_ERROR_CODE, ATTR_FINGERPRINT, ATTR_ICE_CONTROLLED,
        ATTR_ICE_CONTROLLING, ATTR_LIFETIME, ATTR_MESSAGE_INTEGRITY, ATTR_PRIORITY, ATTR_USE_CANDIDATE,
        ATTR_USERNAME, ATTR_XOR_PEER_ADDRESS, ATTR_XOR_RELAYED_ADDRESS, ATTR_XORMAPPED_ADDRESS, AttrType,
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
const FLAGS: [(AttrType, &str); 3] = [
    (ATTR_ICE_CONTROLLING, CONTROLLING),
    (ATTR_ICE_CONTROLLED, CONTROLLED),
    (ATTR_USE_CANDIDATE, NOMINATES),
];
/// What stands before the line of a packet inside a packet.
pub(super) const CARRIES: &str = " carries ";
/// What stands before the number of a channel.
pub(super) const ON_CHANNEL: &str = "turn channel=";
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

/// Describes a STUN message, and returns the datagram inside it, if it has one; `None` if it is no STUN message. With `keys`, a check
/// and an answer to one are also checked for what protects them.
pub(super) fn write(payload: &[u8], keys: Option<&IceKeys>) -> Option<(String, Option<Vec<u8>>)> {
    let mut message = Message::new();
    message.unmarshal_binary(payload).ok()?;
    let name = |found: Option<&'static str>, unknown| found.unwrap_or(unknown);
    let method = METHODS.iter().find(|(m, _)| *m == message.typ.method);
    let class = CLASSES.iter().find(|(c, _)| *c == message.typ.class);
    let method = name(method.map(|m| m.1), "unknown-method");
    let class = name(class.map(|c| c.1), "unknown-class");
    let mut words = vec!["stun".to_owned(), method.to_owned(), class.to_owned()];
    let user = TextAttribute::get_from_as(&message, ATTR_USERNAME).ok();
    // A name with a space in it would be read as other words.
    words.extend(
        user.as_ref()
            .map(|user| user.text.replace(char::is_whitespace, "_")),
    );
    let flags = FLAGS.iter().filter(|(attribute, _)| message.contains(*attribute));
    words.extend(flags.map(|(_, name)| (*name).to_owned()));
    words.extend(values(&message));
    if let Some(id) = id_of(&message, user.is_some()) {
        words.push(format!("id={id}"));
    }
    if let Some(keys) = keys {
        let flaws = flaws(&mut message, user.map(|user| user.text), keys);
        words.extend(flaws.map(str::to_owned));
    }
    Some((words.join(" "), message.get(ATTR_DATA).ok()))
}

/// Returns the beginning of the id of a transaction with a server; `None` for a check, and for an answer that may be to one.
fn id_of(message: &Message, has_user: bool) -> Option<String> {
    let typ = message.typ;
    let is_with_server = match typ.class {
        CLASS_INDICATION => false,
        CLASS_REQUEST => typ.method != METHOD_BINDING || !has_user,
        _ => typ.method != METHOD_BINDING,
    };
    let [a, b, c, d, ..] = message.transaction_id.0;
    is_with_server.then(|| format!("{:08x}", u32::from_be_bytes([a, b, c, d])))
}

/// Returns the attributes with a value, as `name=value`.
fn values(message: &Message) -> Vec<String> {
    let mut words = Vec::new();
    if let Ok([high, low, ..]) = message.get(ATTR_CHANNEL_NUMBER).as_deref() {
        words.push(format!("channel={}", u16::from_be_bytes([*high, *low])));
    }
    for (attribute, name) in [(ATTR_PRIORITY, "priority"), (ATTR_LIFETIME, "lifetime")] {
        let bytes = message.get(attribute).ok();
        if let Some(bytes) = bytes.and_then(|b| b.try_into().ok()) {
            words.push(format!("{name}={}", u32::from_be_bytes(bytes)));
        }
    }
    for (attribute, name) in [
        (ATTR_XORMAPPED_ADDRESS, "mapped"),
        (ATTR_XOR_RELAYED_ADDRESS, "relayed"),
    ] {
        let mut address = XorMappedAddress::default();
        if address.get_from_as(message, attribute).is_ok() {
            words.push(format!("{name}={}", SocketAddr::new(address.ip, address.port)));
        }
    }
    words.extend(peers(message).map(|peer| format!("peer={peer}")));
    let mut code = ErrorCodeAttribute::default();
    if message.contains(ATTR_ERROR_CODE) && code.get_from(message).is_ok() {
        words.push(format!("code={}", code.code.0));
    }
    words
}

/// Returns all values of `XOR-PEER-ADDRESS`: a request for permissions may have several (RFC 8656, section 10.1).
fn peers(message: &Message) -> impl Iterator<Item = SocketAddr> {
    let attributes = message.attributes.0.iter();
    let values = attributes.filter(|attribute| attribute.typ == ATTR_XOR_PEER_ADDRESS);
    values.filter_map(|attribute| {
        let mut one = Message::new();
        one.transaction_id = message.transaction_id;
        one.add(ATTR_XOR_PEER_ADDRESS, &attribute.value);
        let mut address = XorMappedAddress::default();
        address.get_from_as(&one, ATTR_XOR_PEER_ADDRESS).ok()?;
        Some(SocketAddr::new(address.ip, address.port))
    })
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

/// Returns what the packet inside a packet says: what a TURN server is asked to relay, or relays (RFC 8656, sections 11 and 12).
pub fn carried(says: &str) -> Option<&str> {
    outer_and_carried(says).1
}

fn outer_and_carried(says: &str) -> (&str, Option<&str>) {
    // Few lines carry anything, and `contains` finds that out for less than `split_once` does.
    let both = says.contains(CARRIES).then(|| says.split_once(CARRIES)).flatten();
    both.map_or((says, None), |(outer, carried)| (outer, Some(carried)))
}

/// Returns the number of the channel of what goes over one.
pub fn channel_of(says: &str) -> Option<u16> {
    let number = says.strip_prefix(ON_CHANNEL)?.split(' ').next()?;
    number.parse().ok()
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
    /// The values of `XOR-PEER-ADDRESS`.
    pub peers: Vec<SocketAddr>,
    /// The value of `CHANNEL-NUMBER`.
    pub channel: Option<u16>,
    /// The beginning of the id of a transaction with a server.
    pub id: Option<&'a str>,
    /// What is wrong with its protection.
    pub flaws: Vec<&'a str>,
}

impl<'a> StunLine<'a> {
    /// Reads what a sent packet says, and not what a packet inside it says; `None` if it is no STUN message.
    pub fn read(says: &'a str) -> Option<Self> {
        let (outer, _) = outer_and_carried(says.strip_prefix("stun ")?);
        let mut words = outer.split(' ');
        let mut line = Self {
            method: words.next()?,
            class: words.next()?,
            ..Self::default()
        };
        for word in words {
            match word.split_once('=') {
                Some((name, value)) => line.hear_value(name, value),
                None => line.hear_word(word),
            }
        }
        Some(line)
    }

    fn hear_value(&mut self, name: &str, value: &'a str) {
        match name {
            "priority" => self.priority = value.parse().ok(),
            "code" => self.code = value.parse().ok(),
            "peer" => self.peers.extend(value.parse::<SocketAddr>()),
            "channel" => self.channel = value.parse().ok(),
            "id" => self.id = Some(value),
            "lifetime" => self.lifetime = value.parse().ok(),
            _ => {}
        }
    }

    fn hear_word(&mut self, word: &'a str) {
        match word {
            CONTROLLING => self.role = Some(IceRole::Controlling),
            CONTROLLED => self.role = Some(IceRole::Controlled),
            NOMINATES => self.nominates = true,
            flaw if FLAWS.contains(&flaw) => self.flaws.push(flaw),
            user => {
                let asks = user.split_once(':');
                self.asks = asks
                    .filter(|(to, from)| !to.is_empty() && !from.is_empty())
                    .or(self.asks);
            }
        }
    }

    /// Reads what one end says to another, also over a relay; `None` if it is no STUN message.
    pub fn between_ends(says: &'a str) -> Option<Self> {
        Self::read(carried(says).unwrap_or(says))
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
mod tests;

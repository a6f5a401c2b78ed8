//! What the plan does to STUN and TURN servers: they die, and some come back.
//!
//! A server that dies says no goodbye: its sockets close and its allocations are gone, and so is what their clients
//! still send there. One that comes back knows nothing of them.

use serde::{Deserialize, Serialize};

use super::IceServerSpec;
use crate::time::SimTime;

/// A STUN or TURN server dies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IceServerFault {
    /// The host of the server.
    pub host: String,
    /// When it dies, in milliseconds.
    pub from_ms: u64,
    /// When it is back, in milliseconds: by the end of the chaos phase at the latest. Without it the server stays
    /// down, which no healing of the network mends.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until_ms: Option<u64>,
}

/// A fault of one server, with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// What it is called in the trace.
    pub name: String,
    /// When it begins.
    pub from: SimTime,
    /// When it ends.
    pub until: Option<SimTime>,
}

impl IceServerFault {
    /// Says what is wrong with faults that were read from a file.
    ///
    /// # Errors
    /// The path of the offending field and a sentence.
    pub fn check(faults: &[Self], servers: &[IceServerSpec]) -> Result<(), String> {
        for (i, fault) in faults.iter().enumerate() {
            let at = format!("ice_server_faults[{i}]");
            if !servers.iter().any(|s| s.host == fault.host) {
                return Err(format!(
                    "{at}.host: no STUN or TURN server runs on '{}'",
                    fault.host
                ));
            }
            if let Some(until_ms) = fault.until_ms.filter(|until| *until <= fault.from_ms) {
                return Err(format!("{at}.until_ms: {until_ms} is not after from_ms"));
            }
            let before = faults[..i].iter().rfind(|other| other.host == fault.host);
            if before.is_some_and(|b| b.until_ms.is_none_or(|until| until > fault.from_ms)) {
                return Err(format!(
                    "{at}.from_ms: the server is not back from the fault before it"
                ));
            }
        }
        Ok(())
    }

    /// The faults of `faults` that befall the server on `host` before the chaos phase ends at `heal_at`, in order.
    pub fn of_host(faults: &[Self], host: &str, heal_at: SimTime) -> Vec<Outage> {
        let own = faults.iter().enumerate().filter(|(_, f)| f.host == host);
        let outages = own.map(|(index, f)| Outage {
            name: format!("#{index} ice-server-down {host}"),
            from: SimTime::from_millis(f.from_ms),
            until: f.until_ms.map(|until| SimTime::from_millis(until).min(heal_at)),
        });
        outages.filter(|o| o.from < heal_at).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn down(host: &str, from_ms: u64, until_ms: Option<u64>) -> IceServerFault {
        IceServerFault {
            host: host.into(),
            from_ms,
            until_ms,
        }
    }

    #[test]
    fn faults_are_checked_and_named_by_their_path() {
        let servers = [IceServerSpec {
            host: "relay".into(),
            turn: true,
        }];
        let check = |faults: &[IceServerFault]| IceServerFault::check(faults, &servers);
        assert_eq!(
            check(&[down("relay", 1, Some(2)), down("relay", 2, None)]),
            Ok(())
        );
        let cases = [
            (vec![down("alice", 1, None)], "ice_server_faults[0].host: "),
            (vec![down("relay", 2, Some(2))], "ice_server_faults[0].until_ms: "),
            (
                vec![down("relay", 1, None), down("relay", 5, None)],
                "ice_server_faults[1].from_ms: ",
            ),
        ];
        for (faults, path) in cases {
            let wrong = check(&faults).expect_err(path);
            assert!(wrong.starts_with(path), "{wrong}");
        }
    }

    #[test]
    fn a_server_is_back_when_the_network_heals_unless_it_stays_down() {
        let faults = [
            down("relay", 1_000, Some(9_000)),
            down("other", 1, None),
            down("relay", 9_000, None),
        ];
        let [first, last] = [5_000, 10_000].map(|heal| {
            IceServerFault::of_host(&faults, "relay", SimTime::from_millis(heal))
                .into_iter()
                .map(|o| (o.name, o.until))
                .collect::<Vec<_>>()
        });
        let back = |ms| Some(SimTime::from_millis(ms));
        assert_eq!(first, [("#0 ice-server-down relay".to_owned(), back(5_000))]);
        assert_eq!(last[0].1, back(9_000));
        assert_eq!(last[1], ("#2 ice-server-down relay".to_owned(), None));
    }
}

//! Faults of the signaling service, as data.
//!
//! Verdicts fall on single messages, as the server meets them; timed faults on the service as a whole. What was
//! sent again counts as another message. After the chaos phase nothing here is in force.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde::{Deserialize, Serialize};

use crate::time::SimTime;

/// What becomes of a message that reached the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Verdict {
    /// The server takes it up later.
    Delay {
        /// By how many milliseconds.
        ms: u64,
    },
    /// It is lost before the server takes it.
    Drop,
    /// The server takes it twice.
    Duplicate,
}

/// A verdict and the message that it falls on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalFault {
    /// The client that sends it.
    pub client: String,
    /// Which of the messages of that client that reach the server, counted from 0 over all its connections;
    /// acknowledgements and registrations do not count.
    pub message: u64,
    /// What becomes of it.
    pub verdict: Verdict,
}

/// Something that happens to the whole service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ServiceFault {
    /// The server cuts all its connections.
    SignalingReset {
        /// When, in milliseconds.
        at_ms: u64,
    },
    /// The server goes down, with all that it had in hand, and comes back with an empty registry.
    ServerRestart {
        /// When it goes down, in milliseconds.
        from_ms: u64,
        /// When it is back, in milliseconds.
        until_ms: u64,
    },
}

impl ServiceFault {
    /// When it begins.
    pub fn from(&self) -> SimTime {
        let (Self::SignalingReset { at_ms: from_ms } | Self::ServerRestart { from_ms, .. }) = self;
        SimTime::from_millis(*from_ms)
    }
}

/// All of a plan.
#[derive(Clone, Debug, Default)]
pub struct ServiceFaults {
    /// Those of single messages.
    pub messages: Vec<SignalFault>,
    /// Those of the service.
    pub service: Vec<ServiceFault>,
    /// When the chaos phase ends: from then on there are none.
    pub until: SimTime,
    /// How many messages of each client have come, in all lives of the server.
    pub seen: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl ServiceFaults {
    /// A message of `client` came at `now`: returns the verdict on it, with its name.
    ///
    /// # Panics
    /// If a thread panicked while it counted.
    pub fn meets(&self, client: &str, now: SimTime) -> Option<(Verdict, String)> {
        let mut seen = self.seen.lock().expect("counting does not panic");
        let count = seen.entry(client.to_owned()).or_default();
        *count += 1;
        self.verdict(client, *count - 1, now)
    }

    fn verdict(&self, client: &str, message: u64, now: SimTime) -> Option<(Verdict, String)> {
        if now >= self.until {
            return None;
        }
        let falls_on = |f: &SignalFault| f.client == client && f.message == message;
        let index = self.messages.iter().position(falls_on)?;
        let fault = &self.messages[index];
        let what = match fault.verdict {
            Verdict::Delay { ms } => format!("delay of {ms} ms"),
            Verdict::Drop => "drop".to_owned(),
            Verdict::Duplicate => "duplicate".to_owned(),
        };
        Some((
            fault.verdict,
            format!("#{index} signal {what}, message {message} of {client}"),
        ))
    }

    /// What the fault of the service at `index` is called in the trace.
    pub fn name(&self, index: usize) -> String {
        let what = match self.service[index] {
            ServiceFault::SignalingReset { .. } => "signaling-reset",
            ServiceFault::ServerRestart { .. } => "server-restart",
        };
        format!("#{index} {what}")
    }

    /// Says what is wrong with faults that were read from a file.
    ///
    /// # Errors
    /// The path of the offending field and a sentence.
    pub fn check(
        messages: &[SignalFault],
        service: &[ServiceFault],
        known: impl Fn(&str) -> bool,
    ) -> Result<(), String> {
        for (i, fault) in messages.iter().enumerate() {
            if !known(&fault.client) {
                let client = &fault.client;
                return Err(format!("signal_faults[{i}].client: there is no host '{client}'"));
            }
            let same = |other: &SignalFault| other.client == fault.client && other.message == fault.message;
            if messages[..i].iter().any(same) {
                return Err(format!(
                    "signal_faults[{i}].message: there is another verdict on message {} of {}",
                    fault.message, fault.client
                ));
            }
        }
        let mut back = 0;
        for (i, fault) in service.iter().enumerate() {
            if let ServiceFault::ServerRestart { from_ms, until_ms } = fault {
                let at = format!("service_faults[{i}].server-restart");
                if from_ms >= until_ms {
                    return Err(format!("{at}.until_ms: {until_ms} is not after from_ms"));
                }
                if *from_ms < back {
                    return Err(format!("{at}.from_ms: the server is not back before {back}"));
                }
                back = *until_ms;
            }
        }
        Ok(())
    }
}

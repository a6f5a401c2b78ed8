//! The subject of an explanation: a run, the deciding event, and the call that it is about.
//!
//! Derived from the violation alone. Nothing here knows the id of an oracle.

use crate::{
    oracle::{
        Violation,
        calls::{Call, calls},
    },
    run::RunRecord,
    trace::Event,
};

/// A run that broke an oracle.
pub(super) struct Case<'a> {
    /// The run.
    pub record: &'a RunRecord,
    /// The deciding event, if there is one.
    pub decided: Option<&'a Event>,
    /// The name of the call that the event is about, if it is about one.
    pub named: Option<String>,
    /// The call, if it was dialed.
    pub call: Option<Call<'a>>,
}

impl<'a> Case<'a> {
    /// Creates the case of `violation` in `record`.
    pub fn of(record: &'a RunRecord, violation: &Violation) -> Self {
        let events = &record.trace.events;
        let decided = violation.event.and_then(|seq| events.get(seq as usize));
        let named = decided.and_then(|e| e.kind.call()).or(violation.call.as_deref());
        let call = named.and_then(|name| calls(&record.trace).into_iter().find(|c| c.name == name));
        Self {
            record,
            decided,
            named: named.map(str::to_owned),
            call,
        }
    }
}

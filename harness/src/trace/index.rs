//! An index of a trace: the events of each host, and users' intents. Oracles ask for them once for every call.
//!
//! Places are indices into the events. Nothing here looks at what an event says.

use std::collections::BTreeMap;

use super::{CallEvent, Event, EventKind, Intent};

/// Places of events, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    by_host: BTreeMap<String, Vec<u32>>,
    intents: Vec<u32>,
    endings: Vec<u32>,
    // By the number of the intent.
    users_dialed: BTreeMap<u64, u32>,
}

impl Index {
    /// Builds the index of `events`.
    pub(super) fn of_events(events: &[Event]) -> Self {
        let mut index = Self::default();
        for (place, event) in (0..).zip(events) {
            if let EventKind::Intended { id, intent } = &event.kind {
                index.intents.push(place);
                if let Intent::DialUser { .. } = intent {
                    index.users_dialed.entry(*id).or_insert(place);
                }
            }
            if let EventKind::Crashed
            | EventKind::Call {
                what: CallEvent::Over { .. },
                ..
            } = event.kind
            {
                index.endings.push(place);
            }
            let Some(host) = event.host.as_deref() else {
                continue;
            };
            match index.by_host.get_mut(host) {
                Some(places) => places.push(place),
                None => drop(index.by_host.insert(host.to_owned(), vec![place])),
            }
        }
        index
    }

    /// Returns the events of `host`.
    pub(super) fn of(&self, host: &str) -> &[u32] {
        self.by_host.get(host).map_or(&[], Vec::as_slice)
    }

    /// Returns the place of the intent `id` that dials a user with several devices.
    pub(super) fn user_dialed(&self, id: u64) -> Option<u32> {
        self.users_dialed.get(&id).copied()
    }

    /// Returns the places of crashes, and of calls that are over as an app shows it.
    pub(super) fn endings(&self) -> &[u32] {
        &self.endings
    }

    /// Returns the places of users' intents.
    pub(super) fn intents(&self) -> &[u32] {
        &self.intents
    }
}

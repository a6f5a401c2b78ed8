//! The record of calls. It stands for a database: what is written is there after a round trip to it.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::message::{CallId, Letter};

/// How long a round trip takes when nothing is in its way.
const ROUND_TRIP: Duration = Duration::from_millis(3);

/// Who calls whom, by call.
#[derive(Debug, Default)]
pub struct Database {
    calls: Mutex<HashMap<CallId, (String, String)>>,
}

impl Database {
    /// Writes down that somebody calls; returns how many calls there are by now.
    pub async fn insert_call(&self, invite: &Letter) -> usize {
        tokio::time::sleep(ROUND_TRIP).await;
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = (invite.from.clone(), invite.to.clone());
        calls.insert(invite.call.clone(), ends);
        calls.len()
    }
    /// Whether a letter is from whoever calls. What comes before the invitation is written down is the caller's: nobody
    /// else knows of the call.
    pub fn is_caller(&self, letter: &Letter) -> bool {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls
            .get(&letter.call)
            .is_none_or(|(caller, _)| *caller == letter.from)
    }
}

//! Records the inputs of a peer: descriptions and candidates, applied and refused.
//!
//! This stands between every client and its peer, so that no client can omit, invent or change what its peer was given.
//! It passes everything on unchanged.

use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use tokio::sync::watch;

use super::{Description, Log, Peer, PeerError};
use crate::trace::{Candidate, EventKind};

/// A peer whose inputs are recorded.
pub(super) struct Recorded {
    peer: Arc<dyn Peer>,
    log: Log,
    // The generation of the current remote description.
    remote: Mutex<String>,
}

impl Recorded {
    pub(super) fn new(peer: Arc<dyn Peer>, log: Log, offers: bool) -> Self {
        log.record(EventKind::PeerCreated {
            peer: log.peer.clone(),
            offers,
        });
        Self {
            peer,
            log,
            remote: Mutex::default(),
        }
    }

    fn created(&self, made: Result<Description, PeerError>) -> Result<Description, PeerError> {
        if let Ok(description) = &made {
            self.log.created(description);
        }
        made
    }

    fn remote(&self) -> MutexGuard<'_, String> {
        self.remote.lock().expect("no panic while it is held")
    }
}

#[async_trait]
impl Peer for Recorded {
    async fn offer(&self) -> Result<Description, PeerError> {
        self.created(self.peer.offer().await)
    }

    async fn restart(&self) -> Result<Description, PeerError> {
        self.created(self.peer.restart().await)
    }

    async fn answer(&self) -> Result<Description, PeerError> {
        self.created(self.peer.answer().await)
    }

    async fn set_local(&self, description: Description) -> Result<(), PeerError> {
        self.log.described(false, &description);
        self.peer.set_local(description).await
    }

    async fn set_remote(&self, description: Description) -> Result<(), PeerError> {
        let taken = description.clone();
        self.peer.set_remote(description).await?;
        taken.ufrag().unwrap_or_default().clone_into(&mut self.remote());
        self.log.described(true, &taken);
        Ok(())
    }

    async fn add_candidate(&self, candidate: Candidate) -> Result<(), PeerError> {
        let (peer, into) = (self.log.peer.clone(), self.remote().clone());
        let added = self.peer.add_candidate(candidate.clone()).await;
        self.log.record(match &added {
            Ok(()) => EventKind::CandidateApplied {
                peer,
                candidate,
                into,
            },
            Err(error) => EventKind::CandidateRefused {
                peer,
                candidate,
                error: error.to_string(),
            },
        });
        added
    }

    fn connected(&self) -> watch::Receiver<bool> {
        self.peer.connected()
    }

    fn ice_state(&self) -> watch::Receiver<String> {
        self.peer.ice_state()
    }

    async fn close(&self) {
        self.peer.close().await;
    }
}

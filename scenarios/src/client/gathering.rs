//! The gathering of local candidates for one peer: whether it is complete.

use std::sync::{Arc, Mutex, MutexGuard};

use sleet::peer::Peer;
use tokio::sync::watch;

/// The progress of the stack's gathering for a peer.
pub(super) struct Gathering {
    over: watch::Sender<bool>,
    // The peer that a broken client closes in its callback.
    peer: Mutex<Option<Arc<dyn Peer>>>,
}

impl Gathering {
    pub fn new() -> Self {
        Self {
            over: watch::Sender::new(false),
            peer: Mutex::default(),
        }
    }

    /// Reports whether gathering is complete.
    pub fn is_over(&self) -> bool {
        *self.over.borrow()
    }

    /// Waits until gathering is complete.
    pub async fn until_over(&self) {
        let mut over = self.over.subscribe();
        // The sender lives as long as this.
        drop(over.wait_for(|over| *over).await);
    }

    /// Marks gathering as complete.
    pub fn end(&self) {
        self.over.send_replace(true);
    }

    /// Sets the peer that gathers.
    pub fn is_of(&self, peer: &Arc<dyn Peer>) {
        *self.peer() = Some(peer.clone());
    }

    /// Closes the peer that gathers, as a broken client does in its callback.
    pub async fn close(&self) {
        let peer = self.peer().take();
        if let Some(peer) = peer {
            peer.close().await;
        }
    }

    fn peer(&self) -> MutexGuard<'_, Option<Arc<dyn Peer>>> {
        self.peer.lock().expect("no panic while it is held")
    }
}

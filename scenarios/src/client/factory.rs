//! The factory of all peers of an app: it lives exactly as long as calls do.
//!
//! Every call holds a share; the first call creates the factory and the last one to drop its share releases it. There
//! is no counter.

use std::sync::{
    Arc, Mutex, MutexGuard, Weak,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use sleet::{
    peer::{self, CandidateHandler, Peer, PeerError, PeerSpec},
    trace::EventKind,
    world::Host,
};

/// Creates peers.
pub(super) struct Factory {
    host: Host,
    released: AtomicBool,
}

impl Factory {
    /// Creates a peer.
    pub async fn make(
        &self,
        spec: PeerSpec,
        on_candidate: CandidateHandler,
    ) -> Result<Arc<dyn Peer>, PeerError> {
        peer::create(&self.host, spec, on_candidate).await
    }

    fn release(&self) {
        if !self.released.swap(true, Relaxed) {
            let sim = self.host.sim();
            self.host.run(|| sim.record(EventKind::Factory { alive: false }));
        }
    }
}

impl Drop for Factory {
    fn drop(&mut self) {
        self.release();
    }
}

/// The place of an app's factory.
pub(super) struct Factories {
    host: Host,
    current: Mutex<Weak<Factory>>,
}

impl Factories {
    pub fn new(host: &Host) -> Self {
        Self {
            host: host.clone(),
            current: Mutex::default(),
        }
    }

    /// Returns a share of the factory, and creates the factory if there is none.
    pub fn share(&self) -> Arc<Factory> {
        let mut current = self.current();
        if let Some(factory) = current.upgrade() {
            return factory;
        }
        let sim = self.host.sim();
        self.host.run(|| sim.record(EventKind::Factory { alive: true }));
        let factory = Arc::new(Factory {
            host: self.host.clone(),
            released: AtomicBool::new(false),
        });
        *current = Arc::downgrade(&factory);
        factory
    }

    /// Releases the factory, even if it is still shared: a mistake.
    pub fn release_anyway(&self) {
        if let Some(factory) = std::mem::take(&mut *self.current()).upgrade() {
            factory.release();
        }
    }

    fn current(&self) -> MutexGuard<'_, Weak<Factory>> {
        self.current.lock().expect("no panic while it is held")
    }
}

//! The replacement for the stack's `RTCPeerConnection`.

use std::{fmt, ops::Deref, sync::Arc};

use webrtc::{
    Error,
    ice_transport::{
        ice_candidate::RTCIceCandidateInit,
        ice_gatherer::{OnICEGathererStateChangeHdlrFn, OnLocalCandidateHdlrFn},
    },
    peer_connection::{
        OnICEConnectionStateChangeHdlrFn, OnPeerConnectionStateChangeHdlrFn, OnSignalingStateChangeHdlrFn,
        RTCPeerConnection as Stack,
        offer_answer_options::{RTCAnswerOptions, RTCOfferOptions},
        sdp::session_description::RTCSessionDescription,
    },
};

use super::{Interface, watched::Watched};

/// A replacement for `webrtc::peer_connection::RTCPeerConnection`; methods that are not below are the stack's, by
/// `Deref`.
///
/// In a run it records the inputs and the reports of its peer: states, candidates, pairs, descriptions, its closing.
/// When its host crashes it is closed unseen.
pub struct RTCPeerConnection {
    stack: Arc<Stack>,
    // `None` outside a run.
    watched: Option<Arc<Watched>>,
}

/// Names `connection` as attempt `attempt` of the call `call`: from now on it is `call#attempt` in the trace; until
/// then it is `pc1`, `pc2` and so on of its host. Call it before the connection is used. Outside a run it does nothing.
pub fn observe(connection: &RTCPeerConnection, call: &str, attempt: u32) {
    if let Some(watched) = &connection.watched {
        watched.rename(call, attempt);
    }
}

impl RTCPeerConnection {
    /// Watches a connection that the stack's own API built with the settings of `interface`. The connection must not
    /// have been used, and must have no handlers yet.
    ///
    /// # Errors
    /// Fails if the interface cannot be brought up again.
    pub async fn over(stack: Stack, interface: &Interface) -> Result<Self, Error> {
        let stack = Arc::new(stack);
        let entered = interface.enter().await;
        let entered = entered.map_err(|e| Error::new(e.to_string()))?;
        let watched = interface.host().map(|host| Watched::new(host, &stack, entered));
        if let (Some(host), Some(watched)) = (interface.host(), &watched) {
            let (stack, watched) = (Arc::downgrade(&stack), Arc::downgrade(watched));
            host.at_crash(move |host| {
                if let (Some(stack), Some(watched)) = (stack.upgrade(), watched.upgrade()) {
                    host.bury("undertaker", async move {
                        // The result of closing is of no interest after a crash.
                        let _ = stack.close().await;
                        watched.leave();
                    });
                }
            });
        }
        Ok(Self { stack, watched })
    }

    /// Same as the stack's method.
    pub fn on_signaling_state_change(&self, f: OnSignalingStateChangeHdlrFn) {
        match &self.watched {
            Some(watched) => watched.signaling.register(f),
            None => self.stack.on_signaling_state_change(f),
        }
    }

    /// Same as the stack's method.
    pub fn on_ice_gathering_state_change(&self, f: OnICEGathererStateChangeHdlrFn) {
        match &self.watched {
            Some(watched) => watched.gathering.register(f),
            None => self.stack.on_ice_gathering_state_change(f),
        }
    }

    /// Same as the stack's method.
    pub fn on_ice_connection_state_change(&self, f: OnICEConnectionStateChangeHdlrFn) {
        match &self.watched {
            Some(watched) => watched.ice.register(f),
            None => self.stack.on_ice_connection_state_change(f),
        }
    }

    /// Same as the stack's method.
    pub fn on_peer_connection_state_change(&self, f: OnPeerConnectionStateChangeHdlrFn) {
        match &self.watched {
            Some(watched) => watched.state.register(f),
            None => self.stack.on_peer_connection_state_change(f),
        }
    }

    /// Same as the stack's method.
    pub fn on_ice_candidate(&self, f: OnLocalCandidateHdlrFn) {
        match &self.watched {
            Some(watched) => watched.candidates.register(f),
            None => self.stack.on_ice_candidate(f),
        }
    }

    /// Same as the stack's method.
    ///
    /// # Errors
    /// Fails as the stack's method does.
    pub async fn create_offer(
        &self,
        options: Option<RTCOfferOptions>,
    ) -> Result<RTCSessionDescription, Error> {
        let offer = self.stack.create_offer(options).await?;
        // With an ICE restart, the stack gathers from here on.
        self.watched.iter().for_each(|w| w.created(&offer));
        Ok(offer)
    }

    /// Same as the stack's method.
    ///
    /// # Errors
    /// Fails as the stack's method does.
    pub async fn create_answer(
        &self,
        options: Option<RTCAnswerOptions>,
    ) -> Result<RTCSessionDescription, Error> {
        let answer = self.stack.create_answer(options).await?;
        self.watched.iter().for_each(|w| w.created(&answer));
        Ok(answer)
    }

    /// Same as the stack's method.
    ///
    /// # Errors
    /// Fails as the stack's method does.
    pub async fn set_local_description(&self, desc: RTCSessionDescription) -> Result<(), Error> {
        self.watched.iter().for_each(|w| w.described(false, &desc));
        let set = self.stack.set_local_description(desc).await;
        self.failed("set local description", set)
    }

    /// Same as the stack's method.
    ///
    /// # Errors
    /// Fails as the stack's method does.
    pub async fn set_remote_description(&self, desc: RTCSessionDescription) -> Result<(), Error> {
        self.watched.iter().for_each(|w| w.described(true, &desc));
        let set = self.stack.set_remote_description(desc).await;
        self.failed("set remote description", set)
    }

    /// Same as the stack's method.
    ///
    /// # Errors
    /// Fails as the stack's method does.
    pub async fn add_ice_candidate(&self, candidate: RTCIceCandidateInit) -> Result<(), Error> {
        let Some(watched) = &self.watched else {
            return self.stack.add_ice_candidate(candidate).await;
        };
        let arrived = watched.arrives(&candidate);
        let added = self.stack.add_ice_candidate(candidate).await;
        if let Some(arrived) = arrived {
            let refused = added.as_ref().err().map(|e| e as &dyn fmt::Display);
            watched.took(arrived, refused);
        }
        added
    }

    /// Same as the stack's method.
    ///
    /// # Errors
    /// Fails as the stack's method does.
    pub async fn close(&self) -> Result<(), Error> {
        let Some(watched) = &self.watched else {
            return self.stack.close().await;
        };
        watched.closing();
        let log = watched.log();
        let closed = self.failed("close", self.stack.close().await);
        log.closed();
        watched.leave();
        closed
    }

    /// Records an operation that failed.
    fn failed(&self, step: &str, result: Result<(), Error>) -> Result<(), Error> {
        if let (Some(watched), Err(error)) = (&self.watched, &result) {
            watched.log().failed(step, error);
        }
        result
    }
}

impl Deref for RTCPeerConnection {
    type Target = Stack;

    fn deref(&self) -> &Stack {
        &self.stack
    }
}

impl Drop for RTCPeerConnection {
    fn drop(&mut self) {
        if let Some(watched) = &self.watched {
            watched.leave();
        }
    }
}

impl fmt::Debug for RTCPeerConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.watched {
            Some(watched) => write!(f, "peer connection {}", watched.log().peer),
            None => f.write_str("peer connection"),
        }
    }
}

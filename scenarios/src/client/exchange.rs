//! Offers and answers: how a description is made, sent and applied, and the attempt that it begins.
//!
//! Each step awaits; before it goes on it asks whether its attempt is still what the call is about.

use std::sync::Arc;

use sleet::{
    peer::{self, Description, Peer, PeerSpec, Role},
    signaling::message::Message,
};
use tokio::sync::watch;

use super::{
    App, CallError,
    attempt::{Attempt, Outbox, Stage},
    policy::Send,
    ufrag_of,
};

impl App {
    /// Begins an attempt and offers it.
    pub(super) async fn offer(self: &Arc<Self>, call: String, to: String) -> Result<(), CallError> {
        self.check_live(&call)?;
        let number = self.slots().entry(call.clone()).or_default().next_attempt();
        self.stretch.pause("create-peer").await;
        let attempt = self.begin(&call, &to, number, Role::Offerer).await?;
        self.recover(&call, &attempt);
        self.stretch.pause("create-offer").await;
        let offer = attempt.peer.offer().await?;
        let (ufrag, sdp) = (ufrag_of(&offer), offer.sdp.clone());
        let message = Message::Offer {
            call: call.clone(),
            attempt: number,
            ufrag,
            sdp,
            restarts: None,
        };
        self.describe(&call, &to, &attempt, offer, message).await
    }

    /// Restarts ICE on the peer of `attempt`, and offers that.
    pub(super) async fn restart(
        self: &Arc<Self>,
        call: &str,
        attempt: &Arc<Attempt>,
    ) -> Result<(), CallError> {
        let to = self.others().get(call).cloned().ok_or(CallError::UnknownCall)?;
        self.check_current(call, attempt)?;
        let number = {
            let mut slots = self.slots();
            let slot = slots.entry(call.to_owned()).or_default();
            slot.restart();
            slot.next_attempt()
        };
        let before = attempt.outbox.generation();
        attempt.restart();
        self.stretch.pause("create-offer").await;
        self.check_current(call, attempt)?;
        let offer = attempt.peer.restart().await?;
        let message = Message::Offer {
            call: call.to_owned(),
            attempt: number,
            ufrag: ufrag_of(&offer),
            sdp: offer.sdp.clone(),
            restarts: Some(before),
        };
        self.host.sim().mark("ice-restarted");
        self.describe(call, &to, attempt, offer, message).await
    }

    /// Sends our description, as `message`, and sets it, in the order of the policy.
    pub(super) async fn describe(
        self: &Arc<Self>,
        call: &str,
        to: &str,
        attempt: &Arc<Attempt>,
        description: Description,
        message: Message,
    ) -> Result<(), CallError> {
        attempt.outbox.belongs_to(&ufrag_of(&description));
        let (app, signaling, to) = (self.clone(), self.online().await, to.to_owned());
        let sending = async move {
            app.stretch.pause("send-description").await;
            let sent = signaling.send(&to, message).await;
            app.report("send description", sent.map_err(CallError::from));
        };
        match self.policy.send {
            Send::AfterDescription => sending.await,
            _ => drop(self.host.spawn("send description", sending)),
        }
        if let Send::AfterSleep(pause) = self.policy.send {
            self.host.sim().sleep(pause).await;
        }
        self.stretch.pause("set-local").await;
        self.check_current(call, attempt)?;
        Ok(attempt.peer.set_local(description).await?)
    }

    /// Sets the other side's description, says so, and adds the candidates that waited for it.
    pub(super) async fn apply(
        self: &Arc<Self>,
        call: &str,
        to: &str,
        attempt: &Arc<Attempt>,
        description: Description,
    ) -> Result<(), CallError> {
        let ufrag = ufrag_of(&description);
        self.stretch.pause("set-remote").await;
        self.check_current(call, attempt)?;
        attempt.peer.set_remote(description).await?;
        attempt.reach(Stage::Described);
        self.check_current(call, attempt)?;
        let waited = self
            .slots()
            .entry(call.to_owned())
            .or_default()
            .describe(self.policy.receive, &ufrag);
        let joined = Message::Joined {
            call: call.to_owned(),
            ufrag,
        };
        let signaling = self.online().await;
        let adding = async {
            for candidate in waited {
                self.add(call, attempt, candidate).await;
            }
        };
        // What waited does not wait until the other side can be told.
        let (told, ()) = tokio::join!(signaling.send(to, joined), adding);
        told?;
        Ok(())
    }

    /// Begins an attempt within `call`; the one before is closed.
    pub(super) async fn begin(
        self: &Arc<Self>,
        call: &str,
        to: &str,
        number: u32,
        role: Role,
    ) -> Result<Arc<Attempt>, CallError> {
        let name = self.peer_name(call, number);
        let outbox = Outbox::new(self, &self.online().await, call, to);
        let gathered = outbox.clone();
        let on_candidate = Box::new(move |candidate| Box::pin(gathered.clone().gathered(candidate)) as _);
        let spec = PeerSpec {
            kind: self.policy.peers,
            name: name.clone(),
            role,
            ice_servers: self.ice_servers.clone(),
            ice_timeouts: self.ice_timeouts,
        };
        let peer = peer::create(&self.host, spec, on_candidate).await?;
        self.watch(call, &peer);
        let attempt = Arc::new(Attempt {
            peer,
            name,
            outbox,
            stage: watch::Sender::new(Stage::Begun),
        });
        let over = {
            let mut slots = self.slots();
            match slots.get_mut(call).filter(|slot| slot.is_newest(number)) {
                Some(slot) => slot.begin(attempt.clone()),
                // Another attempt, or a hangup, came while the peer was made.
                None => Some(attempt.clone()),
            }
        };
        if let Some(over) = over {
            over.close().await;
        }
        self.check_current(call, &attempt)?;
        Ok(attempt)
    }

    /// What the peer of the attempt `number` is called in the trace.
    fn peer_name(&self, call: &str, number: u32) -> String {
        match (number, self.host.life()) {
            (1, 0) => call.to_owned(),
            (_, 0) => format!("{call}#{number}"),
            (_, life) => format!("{call}#{number}.{life}"),
        }
    }

    /// Notes when the peer of `call` is connected.
    fn watch(self: &Arc<Self>, call: &str, peer: &Arc<dyn Peer>) {
        let (app, call, mut connected) = (self.clone(), call.to_owned(), peer.connected());
        self.host.spawn("watch", async move {
            if connected.wait_for(|connected| *connected).await.is_ok() {
                app.standing.connected(app.host.name(), &call);
            }
        });
    }
}

//! One user's phone: signs in, calls, rings, answers and hangs up.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tracing::{debug, info, warn};
use webrtc::{
    ice_transport::ice_candidate::RTCIceCandidateInit,
    peer_connection::peer_connection_state::RTCPeerConnectionState as State,
};

pub use crate::settings::{Settings, Trickle, Turn};
use crate::{
    call::{Call, Report, Stage},
    line,
    media::Heard,
    message::{Body, CallId, Decline, Letter},
};

/// What the user does.
#[derive(Debug, Deserialize)]
#[serde(tag = "tap", rename_all = "kebab-case")]
pub enum Tap {
    Dial {
        call: CallId,
        to: String,
    },
    Accept {
        call: CallId,
    },
    Decline {
        call: CallId,
    },
    /// Look for ways to reach each other anew.
    Restart {
        call: CallId,
    },
    HangUp {
        call: CallId,
    },
}

/// What the user is shown.
#[derive(Debug)]
pub enum Shown {
    Rings {
        call: CallId,
        from: String,
    },
    /// It was taken: the phone rings no more.
    Connecting {
        call: CallId,
    },
    Connected {
        call: CallId,
        /// By which kinds of way, ours first: `host srflx`.
        pair: Option<String>,
    },
    /// They can hear each other again: after a restart, or because the network has come back.
    Reconnected {
        call: CallId,
        pair: Option<String>,
    },
    Over {
        call: CallId,
        /// How far it had come.
        stage: Stage,
        end: End,
        heard: Arc<Heard>,
    },
}

/// Why a call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Somebody hung up.
    HungUp,
    Declined(Decline),
    Failed,
}

/// A phone that is switched on. Drop it to switch it off.
pub struct Phone {
    taps: UnboundedSender<Tap>,
}

impl Phone {
    /// Switches `user`'s phone on: it signs in at the server. What it shows comes out of the receiver.
    pub fn switch_on(user: &str, settings: Settings) -> (Self, UnboundedReceiver<Shown>) {
        let (taps, tapped) = mpsc::unbounded_channel();
        let (screen, shown) = mpsc::unbounded_channel();
        let (reports, reported) = mpsc::unbounded_channel();
        let (outbox, inbox) = line::open(settings.server.clone(), user.to_owned());
        let works = Works {
            user: user.to_owned(),
            settings,
            outbox,
            screen,
            reports,
            calls: HashMap::new(),
            early: HashMap::new(),
            over: HashSet::new(),
        };
        tokio::spawn(works.run(tapped, inbox, reported));
        (Self { taps }, shown)
    }

    /// The user taps.
    pub fn tap(&self, tap: Tap) {
        // The phone outlives its works only where it crashed.
        let _ = self.taps.send(tap);
    }
}

/// What is inside a phone.
struct Works {
    user: String,
    settings: Settings,
    outbox: UnboundedSender<Letter>,
    screen: UnboundedSender<Shown>,
    reports: UnboundedSender<(CallId, Report)>,
    calls: HashMap<CallId, Call>,
    // Candidates whose description is not there: it is still to come, or a restart has replaced it.
    early: HashMap<CallId, Vec<RTCIceCandidateInit>>,
    over: HashSet<CallId>,
}

impl Works {
    async fn run(
        mut self,
        mut taps: UnboundedReceiver<Tap>,
        mut inbox: UnboundedReceiver<Letter>,
        mut reports: UnboundedReceiver<(CallId, Report)>,
    ) {
        loop {
            let done = tokio::select! {
                tap = taps.recv() => match tap {
                    Some(tap) => self.tapped(tap).await,
                    // It was switched off.
                    None => break,
                },
                Some(letter) = inbox.recv() => self.read(letter).await,
                Some((call, report)) = reports.recv() => self.reported(call, report).await,
            };
            if let Err(error) = done {
                warn!(user = self.user, "{error:#}");
            }
        }
        for call in self.calls.keys().cloned().collect::<Vec<_>>() {
            self.hang_up(&call);
        }
    }

    async fn tapped(&mut self, tap: Tap) -> anyhow::Result<()> {
        match tap {
            Tap::Dial { call: id, to } => {
                let mut call = self.call(&id, &to).await?;
                let sdp = call.invite().await?;
                self.calls.insert(id.clone(), call);
                self.write(&id, &to, Body::Invite { sdp });
            }
            Tap::Accept { call: id } => {
                let Some(call) = self.calls.get_mut(&id) else {
                    return Ok(());
                };
                let (to, sdp) = (call.with.clone(), call.accept().await?);
                self.write(&id, &to, Body::Accept { sdp });
                self.show(Shown::Connecting { call: id });
            }
            Tap::Decline { call: id } => {
                if let Some(call) = self.calls.get(&id) {
                    let (to, reason) = (call.with.clone(), Decline::Unwanted);
                    self.write(&id, &to, Body::Decline { reason });
                    self.end(&id, End::Declined(reason));
                }
            }
            Tap::Restart { call } => self.restart(&call).await?,
            Tap::HangUp { call } => self.hang_up(&call),
        }
        Ok(())
    }

    /// Offers a restart, or asks who called to offer one.
    async fn restart(&mut self, id: &CallId) -> anyhow::Result<()> {
        let Some(call) = self.calls.get_mut(id) else {
            return Ok(());
        };
        let to = call.with.clone();
        if !call.is_ours {
            self.write(id, &to, Body::PleaseRestart);
        } else if let Some(sdp) = call.restart().await? {
            self.write(id, &to, Body::Restart { sdp });
        } else {
            debug!(call = %id, "a restart is under way, or there is nothing to restart");
        }
        Ok(())
    }

    async fn read(&mut self, letter: Letter) -> anyhow::Result<()> {
        let Letter {
            call: id, from, body, ..
        } = letter;
        if self.over.contains(&id) {
            debug!(call = %id, "a letter about a call that is over");
            return Ok(());
        }
        match body {
            Body::Invite { sdp } => self.invited(id, from, sdp).await?,
            Body::Accept { sdp } => {
                if let Some(call) = self.calls.get_mut(&id) {
                    call.accepted(sdp).await?;
                    self.add_early(&id).await;
                    self.show(Shown::Connecting { call: id });
                }
            }
            Body::Ice { candidate } => self.add_ice(&id, candidate).await,
            Body::Restart { sdp } => {
                if let Some(call) = self.calls.get_mut(&id) {
                    let (to, sdp) = (call.with.clone(), call.restart_with(sdp).await?);
                    self.write(&id, &to, Body::Restarted { sdp });
                    self.add_early(&id).await;
                }
            }
            Body::Restarted { sdp } => {
                if let Some(call) = self.calls.get_mut(&id) {
                    call.restarted(sdp).await?;
                    self.add_early(&id).await;
                }
            }
            Body::PleaseRestart => self.restart(&id).await?,
            Body::Decline { reason } => self.end(&id, End::Declined(reason)),
            Body::Bye => self.end(&id, End::HungUp),
        }
        Ok(())
    }

    async fn invited(&mut self, id: CallId, from: String, sdp: String) -> anyhow::Result<()> {
        if self.calls.contains_key(&id) {
            return Ok(());
        }
        if !self.calls.is_empty() {
            let reason = Decline::Busy;
            self.write(&id, &from, Body::Decline { reason });
            self.end(&id, End::Declined(reason));
            return Ok(());
        }
        let mut call = self.call(&id, &from).await?;
        call.invited(sdp).await?;
        self.calls.insert(id.clone(), call);
        self.add_early(&id).await;
        self.show(Shown::Rings { call: id, from });
        Ok(())
    }

    /// A candidate of the other side.
    async fn add_ice(&mut self, id: &CallId, candidate: RTCIceCandidateInit) {
        let call = self.calls.get(id);
        let is_early = match call {
            Some(call) => !call.is_for(&candidate).await,
            None => true,
        };
        #[cfg(feature = "sleet")]
        sleet::sometimes!(is_early, "early-candidate");
        if is_early && self.settings.trickle == Trickle::Buffered {
            self.early.entry(id.clone()).or_default().push(candidate);
            return;
        }
        match call {
            Some(call) => {
                if let Err(error) = call.add_ice(candidate).await {
                    warn!(user = self.user, call = %id, "a candidate was refused: {error:#}");
                }
            }
            None => warn!(user = self.user, call = %id, "a candidate of an unknown call"),
        }
    }

    /// The description has come that the early candidates waited for.
    async fn add_early(&mut self, id: &CallId) {
        for candidate in self.early.remove(id).unwrap_or_default() {
            self.add_ice(id, candidate).await;
        }
    }

    async fn reported(&mut self, id: CallId, report: Report) -> anyhow::Result<()> {
        let Some(call) = self.calls.get_mut(&id) else {
            return Ok(());
        };
        match report {
            Report::Ice(mut candidate) => {
                call.name_generation(&mut candidate).await;
                let to = call.with.clone();
                self.write(&id, &to, Body::Ice { candidate });
            }
            Report::State(State::Connected) => {
                let pair = call.pair().await;
                let shown = if call.stage == Stage::Connected {
                    Shown::Reconnected { call: id, pair }
                } else {
                    call.connected();
                    Shown::Connected { call: id, pair }
                };
                self.show(shown);
            }
            Report::State(State::Failed) => {
                let to = call.with.clone();
                self.write(&id, &to, Body::Bye);
                self.end(&id, End::Failed);
            }
            Report::State(_) => {}
        }
        Ok(())
    }

    async fn call(&self, id: &CallId, with: &str) -> anyhow::Result<Call> {
        Call::new(id, with, &self.settings, &self.reports).await
    }

    fn hang_up(&mut self, id: &CallId) {
        if let Some(call) = self.calls.get(id) {
            let to = call.with.clone();
            self.write(id, &to, Body::Bye);
            self.end(id, End::HungUp);
        }
    }

    /// The call is over at this end, even one that has not come yet.
    fn end(&mut self, id: &CallId, end: End) {
        self.over.insert(id.clone());
        self.early.remove(id);
        if let Some(call) = self.calls.remove(id) {
            let (stage, heard) = (call.stage, call.hang_up());
            let (audio, texts) = (heard.audio(), heard.texts());
            info!(user = self.user, call = %id, ?end, audio, texts, "over");
            let call = id.clone();
            self.show(Shown::Over {
                call,
                stage,
                end,
                heard,
            });
        }
    }

    fn write(&self, call: &CallId, to: &str, body: Body) {
        // The line outlives the phone's works.
        let _ = self.outbox.send(Letter {
            call: call.clone(),
            from: self.user.clone(),
            to: to.to_owned(),
            body,
        });
    }

    fn show(&self, shown: Shown) {
        // A screen that nobody looks at.
        let _ = self.screen.send(shown);
    }
}

//! The app under Sleet: how it starts on a simulated host, what its user's taps are, and what its screen shows. The app itself knows nothing of this file.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use sleet::driver::{App, Launch, NoUser, NotUnderstood, Program, Screen, StartError};
use sleet::trace::{CallOutcome, Intent};
use tracing_subscriber::prelude::*;

use crate::phone::{End, Phone, Settings, Shown, Tap, Trickle, Turn};
use crate::{call::Stage, message::Decline, net::TcpListener, server};

/// Puts what the app logs on the timeline of a run; for the beginning of `main`.
pub fn log_to_timeline() {
    tracing_subscriber::registry()
        .with(sleet::app::Timeline::of(["own_client"]))
        .init();
}

/// The signaling server.
pub struct Office;

#[async_trait]
impl Program for Office {
    async fn start(&self, _: Launch) -> Result<Arc<dyn App>, StartError> {
        let listener = TcpListener::bind("0.0.0.0:443").await;
        tokio::spawn(server::serve(listener.map_err(|e| StartError(e.to_string()))?));
        Ok(Arc::new(NoUser))
    }
}

/// A phone, and the phone in its user's hand.
pub struct Handset(pub Trickle, pub Option<Turn>);
struct InHand(Mutex<Option<Phone>>);

#[async_trait]
impl Program for Handset {
    async fn start(&self, Launch { host, screen, .. }: Launch) -> Result<Arc<dyn App>, StartError> {
        let settings = Settings {
            stun: Some("stun:stun:3478".to_owned()),
            turn: self.1.clone(),
            ..Settings::new("office:443", self.0)
        };
        let (phone, mut shown) = Phone::switch_on(host.name(), settings);
        tokio::spawn(async move {
            while let Some(shown) = shown.recv().await {
                show(&screen, shown);
            }
        });
        Ok(Arc::new(InHand(Mutex::new(Some(phone)))))
    }
}

#[async_trait]
impl App for InHand {
    async fn act(self: Arc<Self>, intent: Intent) -> Result<(), NotUnderstood> {
        let tap = match intent {
            Intent::Dial { call, to } => Tap::Dial { call, to },
            Intent::Accept { call } => Tap::Accept { call },
            Intent::Reject { call } => Tap::Decline { call },
            Intent::Retry { call } => Tap::Restart { call },
            Intent::HangUp { call } => Tap::HangUp { call },
            _ => return Err(NotUnderstood),
        };
        if let Some(phone) = &*self.0.lock().unwrap() {
            phone.tap(tap);
        }
        Ok(())
    }

    async fn end_calls(self: Arc<Self>) {
        self.0.lock().unwrap().take();
    }
}

fn show(screen: &Screen, shown: Shown) {
    match shown {
        Shown::Rings { call, from } => screen.rings(&call, &from),
        Shown::Connecting { call } => screen.silent(&call),
        Shown::Connected { call, .. } | Shown::Reconnected { call, .. } => screen.connected(&call),
        Shown::Over { call, stage, end, .. } => {
            let outcome = match (end, stage) {
                (End::Declined(Decline::Unwanted), _) => CallOutcome::Rejected,
                (End::Declined(Decline::Busy), _) => CallOutcome::Busy,
                (End::Declined(Decline::Absent) | End::Failed, _) => CallOutcome::Failed,
                (End::HungUp, Stage::Ringing) => CallOutcome::Cancelled,
                (End::HungUp, Stage::Connecting) => CallOutcome::Dropped,
                (End::HungUp, Stage::Connected) => CallOutcome::Talked,
            };
            screen.over(&call, outcome);
        }
    }
}

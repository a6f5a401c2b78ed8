//! What an app has to say and has not handed to signaling yet: messages go out one after the other.
//!
//! A hangup takes back what of its call still waits. What was handed over cannot be taken back.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};

use sleet::{
    fault::Stretcher,
    signaling::{client::Client, message::Message},
    trace::Point,
};
use tokio::sync::{Notify, watch};

/// A message that waits.
pub(super) struct Letter {
    pub to: String,
    pub message: Message,
    /// The point that the call comes to when the message is handed over.
    pub point: Option<Point>,
}

/// The messages that wait, in order.
pub(super) struct Postbox {
    signaling: watch::Sender<Option<Client>>,
    queue: Mutex<VecDeque<Letter>>,
    posted: Notify,
}

impl Postbox {
    pub fn new() -> Self {
        Self {
            signaling: watch::Sender::new(None),
            queue: Mutex::default(),
            posted: Notify::new(),
        }
    }

    /// Whether there is a signaling connection, or at least was one.
    pub fn is_online(&self) -> bool {
        self.signaling.borrow().is_some()
    }

    /// Messages go out over `signaling` from now on; without it they wait.
    pub fn connect(&self, signaling: Option<Client>) {
        self.signaling.send_replace(signaling);
    }

    /// Adds a message.
    pub fn post(&self, letter: Letter) {
        self.queue().push_back(letter);
        self.posted.notify_one();
    }

    /// Takes back what of `call` still waits.
    pub fn clear(&self, call: &str) {
        self.queue().retain(|letter| letter.message.call() != Some(call));
    }

    /// Hands messages over for as long as the app runs, and says of which it does.
    pub async fn run(self: Arc<Self>, stretch: Stretcher, handed: impl Fn(&Letter)) {
        loop {
            if self.queue().is_empty() {
                self.posted.notified().await;
                continue;
            }
            let signaling = self.online().await;
            // What is taken back meanwhile is not sent.
            stretch.pause("send").await;
            let Some(letter) = self.queue().pop_front() else {
                continue;
            };
            handed(&letter);
            // The session below sends what is lost again; without a session there is nobody to tell.
            let _ = signaling.send(&letter.to, letter.message).await;
        }
    }

    async fn online(&self) -> Client {
        let mut signaling = self.signaling.subscribe();
        let client = signaling
            .wait_for(Option::is_some)
            .await
            .expect("the sender lives as long as the app");
        client.clone().expect("waited for")
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Letter>> {
        self.queue.lock().expect("no panic while it is held")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hangup(call: &str) -> Letter {
        Letter {
            to: "bob".into(),
            message: Message::Hangup { call: call.into() },
            point: None,
        }
    }

    #[test]
    fn a_hangup_takes_back_what_waits_of_its_call_and_nothing_else() {
        let postbox = Postbox::new();
        for call in ["c1", "c2", "c1"] {
            postbox.post(hangup(call));
        }
        postbox.clear("c1");
        let waiting: Vec<_> = postbox.queue().iter().map(|l| l.message.clone()).collect();
        assert_eq!(waiting, [Message::Hangup { call: "c2".into() }]);
    }
}

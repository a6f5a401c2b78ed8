//! The queue of an app's messages to signaling: they are sent one after the other.
//!
//! A hangup removes the queued messages of its call. A message that was passed to signaling cannot be taken back.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard},
};

use sleet::signaling::{client::Client, message::Message};
use tokio::sync::{Notify, oneshot, watch};

/// A queued message.
struct Letter {
    to: String,
    message: Message,
    written: oneshot::Sender<()>,
}

/// Resolves when a message has been written to the connection; fails if it never will be.
pub(super) type Written = oneshot::Receiver<()>;

/// The queued messages, in order.
pub(super) struct Outbox {
    signaling: watch::Sender<Option<Client>>,
    queue: Mutex<VecDeque<Letter>>,
    posted: Notify,
}

impl Outbox {
    pub fn new() -> Self {
        Self {
            signaling: watch::Sender::new(None),
            queue: Mutex::default(),
            posted: Notify::new(),
        }
    }

    /// Reports whether there is a signaling connection, or at least was one.
    pub fn is_online(&self) -> bool {
        self.signaling.borrow().is_some()
    }

    /// Sends messages over `signaling` from now on; without it they wait.
    pub fn connect(&self, signaling: Option<Client>) {
        self.signaling.send_replace(signaling);
    }

    /// Queues a message for the client `to`.
    pub fn post(&self, to: &str, message: Message) -> Written {
        let (written, is_written) = oneshot::channel();
        self.queue().push_back(Letter {
            to: to.to_owned(),
            message,
            written,
        });
        self.posted.notify_one();
        is_written
    }

    /// Removes the queued messages of `call`.
    pub fn clear(&self, call: &str) {
        self.queue().retain(|letter| letter.message.call() != Some(call));
    }

    /// Waits until there is a message, and a connection to send it on.
    pub async fn ready(&self) -> Client {
        while self.queue().is_empty() {
            self.posted.notified().await;
        }
        let mut signaling = self.signaling.subscribe();
        let client = signaling
            .wait_for(Option::is_some)
            .await
            .expect("the sender lives as long as the app");
        client.clone().expect("waited for")
    }

    /// Sends the next message, if it has not been removed meanwhile.
    pub async fn hand_over(&self, signaling: &Client) {
        let Some(letter) = self.queue().pop_front() else {
            return;
        };
        // The session below retransmits lost messages; without a session there is nobody to tell.
        let _ = signaling.send(&letter.to, letter.message).await;
        // Most senders do not wait for it.
        let _ = letter.written.send(());
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Letter>> {
        self.queue.lock().expect("no panic while it is held")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hangup_takes_back_what_waits_of_its_call_and_nothing_else() {
        let outbox = Outbox::new();
        let hangup = |call: &str| Message::Hangup { call: call.into() };
        let mut written: Vec<Written> = ["c1", "c2", "c1"]
            .map(|call| outbox.post("bob", hangup(call)))
            .into();
        outbox.clear("c1");
        let waiting: Vec<_> = outbox.queue().iter().map(|l| l.message.clone()).collect();
        assert_eq!(waiting, [hangup("c2")]);
        let open: Vec<bool> = written
            .iter_mut()
            .map(|w| w.try_recv() == Err(oneshot::error::TryRecvError::Empty))
            .collect();
        assert_eq!(open, [false, true, false], "who waits for the others learns it");
    }
}

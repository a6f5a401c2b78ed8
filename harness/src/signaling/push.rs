//! Push notifications: how a client that is not connected learns of a call.
//!
//! The push service of a phone vendor is not simulated as a host: a notification is a value that arrives after a drawn
//! delay. As in the field reports, it carries the caller and the offer.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::sync::mpsc;

use crate::{peer::Description, trace::EventKind, world::Host};

/// The content of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// The call.
    pub call: String,
    /// The caller.
    pub from: String,
    /// The number of the attempt within the call.
    pub attempt: u32,
    /// The offer.
    pub offer: Description,
}

type Device = (Host, mpsc::UnboundedSender<Notification>);

/// The push service. Cheap to clone.
#[derive(Clone, Default)]
pub struct PushService {
    devices: Arc<Mutex<BTreeMap<String, Device>>>,
}

impl PushService {
    /// Registers the device of `client`; its notifications arrive at the returned receiver.
    ///
    /// # Panics
    /// Panics if a thread panicked while it registered.
    pub fn register(&self, client: &str, device: &Host) -> mpsc::UnboundedReceiver<Notification> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut devices = self.devices.lock().expect("registering does not panic");
        devices.insert(client.to_owned(), (device.clone(), sender));
        receiver
    }

    /// Delivers `notification` to `client` after `delay`; returns whether the client has a device.
    ///
    /// # Panics
    /// Panics if a thread panicked while it registered.
    pub fn notify(&self, client: &str, delay: Duration, notification: Notification) -> bool {
        let device = self
            .devices
            .lock()
            .expect("registering does not panic")
            .get(client)
            .cloned();
        let Some((host, sender)) = device else {
            return false;
        };
        let sim = host.sim().clone();
        host.spawn("push", async move {
            sim.sleep(delay).await;
            sim.record(EventKind::PushDelivered {
                call: notification.call.clone(),
                from: notification.from.clone(),
            });
            sim.mark("push-woke-callee");
            // An error means that the app is gone by now.
            let _ = sender.send(notification);
        });
        true
    }
}

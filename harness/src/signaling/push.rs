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
        // On its way the notification is nobody's: the device may go offline meanwhile, or crash.
        sim.clone().spawn_outside("push service", async move {
            sim.sleep(delay).await;
            host.spawn("push", async move {
                sim.record(EventKind::PushDelivered {
                    call: notification.call.clone(),
                    from: notification.from.clone(),
                });
                sim.mark("push-woke-callee");
                // An error means that the app is gone by now.
                let _ = sender.send(notification);
            });
        });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        net::{
            latency::Latency,
            link::LinkProfile,
            topology::{HostSpec, Topology},
        },
        peer::DescriptionKind,
        seed::Seed,
        trace::Event,
        world::{self, WorldSpec},
    };

    #[test]
    fn a_notification_on_its_way_is_nothing_that_the_device_has_left() {
        let link = LinkProfile::good(Latency::constant_ms(10));
        let topology = Topology::new([HostSpec::new("bob", "10.0.0.1", link)]);
        let ending = world::run(WorldSpec::new(Seed(1), topology), |sim| async move {
            let (bob, service) = (sim.host("bob"), PushService::default());
            let mut arrives = service.register("bob", &bob);
            let notification = Notification {
                call: "c1".to_owned(),
                from: "alice".to_owned(),
                attempt: 1,
                offer: Description {
                    kind: DescriptionKind::Offer,
                    sdp: String::new(),
                },
            };
            assert!(service.notify("bob", Duration::from_secs(1), notification.clone()));
            sim.sleep(Duration::from_millis(500)).await;
            bob.check_leaks(0);
            assert_eq!(arrives.recv().await, Some(notification));
        });
        let ending = ending.expect("a run");
        let left = |event: &Event| match &event.kind {
            EventKind::LeakCheck { tasks, .. } => Some(tasks.clone()),
            _ => None,
        };
        let left: Vec<_> = ending.trace.events.iter().filter_map(left).collect();
        assert_eq!(left, [Vec::<String>::new()]);
    }
}

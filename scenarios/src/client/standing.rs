//! How the calls of a run stand: what the story waits for.
//!
//! All apps of a run share it, in all lives of their hosts. It says nothing that an app may act on.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::watch;

/// A call, as one of its ends sees it.
type End = (String, String);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Expected,
    Connected,
    Over,
}

/// How each end of each call stands. Cheap to clone.
#[derive(Clone)]
pub struct Standing {
    ends: Arc<watch::Sender<BTreeMap<End, How>>>,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            ends: Arc::new(watch::Sender::new(BTreeMap::new())),
        }
    }
}

impl Standing {
    /// `call` has to connect on `host`, or to be over there.
    pub fn expect(&self, host: &str, call: &str) {
        self.change(host, call, |how| how.or(Some(How::Expected)));
    }

    /// `call` is connected on `host`.
    pub fn connected(&self, host: &str, call: &str) {
        self.change(host, call, |how| match how {
            Some(How::Over) => how,
            _ => Some(How::Connected),
        });
    }

    /// `call` is over on `host`.
    pub fn over(&self, host: &str, call: &str) {
        self.change(host, call, |_| Some(How::Over));
    }

    /// The host of an end of `call` has crashed: the call has to connect again.
    pub fn lost(&self, ends: [&str; 2], call: &str) {
        for host in ends {
            self.change(host, call, |how| match how {
                Some(How::Connected) => Some(How::Expected),
                _ => how,
            });
        }
    }

    /// Nobody waits for `call` any more.
    pub fn forget(&self, ends: [&str; 2], call: &str) {
        for host in ends {
            self.change(host, call, |_| None);
        }
    }

    /// Whether `call` is over on `host`.
    pub fn is_over(&self, host: &str, call: &str) -> bool {
        let end = (host.to_owned(), call.to_owned());
        self.ends.borrow().get(&end) == Some(&How::Over)
    }

    /// Waits until every end is connected or over.
    pub async fn settled(&self) {
        let mut ends = self.ends.subscribe();
        let settled = |ends: &BTreeMap<End, How>| ends.values().all(|how| *how != How::Expected);
        // The sender lives as long as this.
        let _ = ends.wait_for(settled).await;
    }

    fn change(&self, host: &str, call: &str, change: impl Fn(Option<How>) -> Option<How>) {
        let end = (host.to_owned(), call.to_owned());
        self.ends.send_modify(|ends| {
            match change(ends.get(&end).copied()) {
                Some(how) => ends.insert(end, how),
                None => ends.remove(&end),
            };
        });
    }
}

//! What the plan does to the signaling service as a whole.

use super::{fault::ServiceFault, server::Server};
use crate::{time::SimTime, trace::EventKind};

impl Server {
    /// Suffers the faults of the plan that are to come, one after the other, until the chaos phase ends.
    pub(super) async fn suffer(self) {
        let mut order: Vec<usize> = (0..self.faults().service.len()).collect();
        order.sort_by_key(|i| (self.faults().service[*i].from(), *i));
        for index in order {
            let fault = self.faults().service[index];
            if fault.from() < self.host().sim().now() || fault.from() >= self.faults().until {
                continue;
            }
            self.wait_until(fault.from()).await;
            let name = self.faults().name(index);
            let sim = self.host().sim();
            sim.record(EventKind::FaultStarted { fault: name.clone() });
            if let ServiceFault::ServerRestart { until_ms, .. } = fault {
                self.go_down();
                let back = SimTime::from_millis(until_ms).min(self.faults().until);
                self.wait_until(back).await;
                self.come_back();
            } else {
                self.cut();
            }
            sim.record(EventKind::FaultEnded { fault: name });
        }
    }

    async fn wait_until(&self, at: SimTime) {
        let sim = self.host().sim();
        sim.sleep(at - sim.now()).await;
    }
}

//! What the plan does to the signaling service as a whole.

use tokio::task::JoinHandle;

use super::{fault::ServiceFault, server::Server};
use crate::{time::SimTime, trace::EventKind};

impl Server {
    /// Suffers the faults of the plan, one after the other, until the chaos phase ends.
    pub(super) async fn suffer(self, mut accepting: JoinHandle<()>) {
        let mut order: Vec<usize> = (0..self.faults().service.len()).collect();
        order.sort_by_key(|i| (self.faults().service[*i].from(), *i));
        for index in order {
            let fault = self.faults().service[index];
            if fault.from() >= self.faults().until {
                continue;
            }
            self.wait_until(fault.from()).await;
            let name = self.faults().name(index);
            let sim = self.host().sim();
            sim.record(EventKind::FaultStarted { fault: name.clone() });
            if let ServiceFault::ServerRestart { until_ms, .. } = fault {
                accepting.abort();
                // The port is free when the task is gone.
                let _ = accepting.await;
                self.forget_everything();
                self.cut();
                let back = SimTime::from_millis(until_ms).min(self.faults().until);
                self.wait_until(back).await;
                accepting = match self.listen().await {
                    Ok(accepting) => accepting,
                    Err(error) => return sim.step("the server did not come back", error.to_string()),
                };
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

//! The network's part in a crash of a host: its kernel forgets its connections without telling the other ends.

use std::{collections::BTreeSet, time::Duration};

use turmoil_net::{NetstatEntry, NetstatState};

use super::{packet::reset, pump::Pump};
use crate::{
    time::SimTime,
    trace::{Flow, Proto},
};

/// The time after a crash at which the kernel of the host forgets its connections. Earlier it would forget some that a
/// listener still holds, whose port `turmoil-net` 0.1.0 then never releases (`src/kernel/tcp.rs:533`). Time moves only
/// when nothing is left to do: every task of the host has dropped its sockets by then.
const CLEARED_AFTER: Duration = Duration::from_millis(1);

impl Pump<'_> {
    /// Schedules the cleanup after a crash of `host`.
    pub(super) fn crashed(&mut self, now: SimTime, host: &str) {
        self.to_clear.push_back((now + CLEARED_AFTER, host.to_owned()));
    }

    /// Returns the time of the next cleanup.
    pub(super) fn next_to_clear(&self) -> Option<SimTime> {
        self.to_clear.front().map(|(at, _)| *at)
    }

    /// Performs the cleanups that are due.
    pub(super) fn clear_after_crashes(&mut self, now: SimTime) {
        while let Some((_, host)) = self.to_clear.pop_front_if(|(at, _)| *at <= now) {
            self.cut_connections(&host);
            // The kernel reaps the connections when it is next asked for packets.
            self.sim.want_egress();
        }
    }

    /// Ends the remaining TCP connections inside the kernel of `host`; the other ends learn nothing.
    fn cut_connections(&self, host: &str) {
        let host = self.sim.host(host);
        let mut ends = BTreeSet::new();
        for address in host.addresses() {
            let open = turmoil_net::netstat(*address).entries;
            let connected = open.iter().filter(|s| s.state != Some(NetstatState::Listen));
            ends.extend(connected.filter_map(|s| s.state.and(s.peer).map(|peer| (s.local, peer))));
        }
        for (local, peer) in ends {
            let proto = Proto::Tcp;
            self.network.deliver(reset(Flow {
                proto,
                src: peer,
                dst: local,
            }));
        }
    }

    /// Reports whether one of the two ends considers a connection open.
    pub(super) fn is_open(&self, flow: Flow) -> bool {
        [flow, flow.reversed()].into_iter().any(|flow| {
            let flow = self.routes.inbound(flow);
            let open = |s: &NetstatEntry| {
                s.state == Some(NetstatState::Established) && (s.local, s.peer) == (flow.dst, Some(flow.src))
            };
            let known = self.path.place(flow.dst.ip()).is_some();
            known && turmoil_net::netstat(flow.dst.ip()).entries.iter().any(open)
        })
    }
}

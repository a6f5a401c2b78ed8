//! Detects when an app's connection has carried data both ways, from the stack's statistics.
//!
//! The handlers of channels and tracks belong to the app, so the statistics are polled. Nothing here changes anything.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use webrtc::{
    peer_connection::{RTCPeerConnection as Stack, peer_connection_state::RTCPeerConnectionState as State},
    stats::StatsReportType,
};

/// The polling interval of the statistics: the event may be that late.
const LOOK: Duration = Duration::from_millis(20);

/// Waits until data or media has gone both ways over a *connected* connection, as far as this end knows; returns whether that came
/// before the connection ended or `is_over`.
pub(super) async fn both_ways(stack: Weak<Stack>, is_over: impl Fn() -> bool) -> bool {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(stack) = stack.upgrade() else {
            return false;
        };
        if matches!(stack.connection_state(), State::Closed | State::Failed) || is_over() {
            return false;
        }
        if has_both(&stack).await {
            return true;
        }
    }
}

async fn has_both(stack: &Arc<Stack>) -> bool {
    let (mut sent, mut heard) = (false, false);
    for report in stack.get_stats().await.reports.values() {
        match report {
            StatsReportType::DataChannel(channel) => {
                sent |= channel.messages_sent > 0;
                heard |= channel.messages_received > 0;
            }
            StatsReportType::InboundRTP(stream) => heard |= stream.packets_received > 0,
            StatsReportType::OutboundRTP(stream) => sent |= stream.packets_sent > 0,
            _ => {}
        }
    }
    sent && heard
}

//! When an app's connection can be talked over: the stack counts what the app sends and hears.
//!
//! The handlers of channels and tracks belong to the app, so the counts are asked for, often. Nothing here changes anything.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use webrtc::{
    peer_connection::{RTCPeerConnection as Stack, peer_connection_state::RTCPeerConnectionState as State},
    stats::StatsReportType,
};

use super::watched::Watched;

/// How often the counts are asked for: the event may be that late.
const LOOK: Duration = Duration::from_millis(20);

/// Records when a message or media has gone both ways, as far as this end knows, over a connection that is *connected*.
pub(super) async fn record(stack: Weak<Stack>, watched: Weak<Watched>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let (Some(stack), Some(watched)) = (stack.upgrade(), watched.upgrade()) else {
            return;
        };
        if matches!(stack.connection_state(), State::Closed | State::Failed) || watched.is_closing() {
            return;
        }
        if both_ways(&stack).await {
            return watched.log().usable();
        }
    }
}

async fn both_ways(stack: &Arc<Stack>) -> bool {
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

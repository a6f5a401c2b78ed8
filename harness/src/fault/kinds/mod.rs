//! Every kind of fault: a file each, and here the one place where they are registered.
//!
//! A kind is a file with its parameters (a type that implements [`Behaviour`](super::Behaviour)) and a `SPEC`, its `mod` line, and its
//! line in `every_kind!`. Plans, the timeline, the swarm, the shrinker, marks, lists and documentation follow from that.
//! New kinds come last: each draws from a stream of its own, but whether a run has it is drawn in this order.

mod apart;
mod bursts;
mod corrupt;
mod dispatch;
mod duplicate;
mod hold;
mod host_crash;
mod host_pause;
mod host_sleep;
mod ice_server_down;
mod late_push;
mod loss;
mod message;
mod nat_change_address;
mod nat_rebind;
mod nat_reboot;
mod network_switch;
mod one_way_partition;
mod packet;
mod partition;
mod point_verdict;
mod preset;
mod reorder;
mod server_restart;
mod share;
mod signal_delay;
mod signal_drop;
mod signal_duplicate;
mod signaling_reset;
mod slow_await;
mod standstill;
mod strangers;
mod swizzle;
mod tcp_reset;
mod truncate;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::{
    host_crash::host_crash, host_sleep::host_sleep, ice_server_down::ice_server_down,
    network_switch::network_switch, partition::partition, strangers::Stray,
};

/// Calls the macro `$use_them` with every kind, as `module::Type`.
macro_rules! every_kind {
    ($use_them:ident) => {
        $use_them! {
            preset::Preset,
            loss::Loss,
            bursts::Bursts,
            duplicate::Duplicate,
            reorder::Reorder,
            corrupt::Corrupt,
            truncate::Truncate,
            one_way_partition::OneWayPartition,
            partition::Partition,
            hold::Hold,
            swizzle::Swizzle,
            tcp_reset::TcpReset,
            signal_delay::SignalDelay,
            signal_drop::SignalDrop,
            signal_duplicate::SignalDuplicate,
            signaling_reset::SignalingReset,
            server_restart::ServerRestart,
            slow_await::SlowAwait,
            late_push::LatePush,
            host_crash::HostCrash,
            host_pause::HostPause,
            nat_rebind::NatRebind,
            nat_reboot::NatReboot,
            nat_change_address::NatChangeAddress,
            network_switch::NetworkSwitch,
            ice_server_down::IceServerDown,
            packet::Packet,
            point_verdict::PointVerdict,
            strangers::Strangers,
            host_sleep::HostSleep,
        }
    };
}
use every_kind;

/// Defines the types that know every kind.
macro_rules! define {
    ($($module:ident::$Kind:ident),* $(,)?) => {
        $(pub use $module::$Kind;)*

        /// A kind of fault, with its parameters.
        #[derive(Clone, Debug, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[allow(missing_docs)] // each type says what it is
        #[non_exhaustive]
        pub enum FaultKind {
            $($Kind($Kind)),*
        }

        /// A kind of fault, without its parameters.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[allow(missing_docs)] // each type says what it is
        #[non_exhaustive]
        pub enum KindId {
            $($Kind),*
        }

        impl KindId {
            /// All kinds, in the order in which they were registered.
            pub const ALL: &[Self] = &[$(Self::$Kind),*];
        }

        impl FaultKind {
            /// Returns the kind.
            pub const fn id(&self) -> KindId {
                match self {
                    $(Self::$Kind(_) => KindId::$Kind),*
                }
            }
        }

        $(impl From<$Kind> for FaultKind {
            fn from(kind: $Kind) -> Self {
                Self::$Kind(kind)
            }
        })*
    };
}

every_kind!(define);

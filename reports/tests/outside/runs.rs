//! Runs of the catalogue that reports are made of, with the bytes of their packets.

use std::sync::Arc;

use sleet::{
    run::{RunRecord, Runner},
    scenario::Scenario,
    seed::Seed,
    trace::{EventKind, Tapped, Watch},
};

/// Seeds among which a run must be found.
const SEEDS: u64 = 200;

/// A run with what its tap kept.
pub struct Run {
    pub scenario: Arc<Scenario>,
    pub record: RunRecord,
    pub tapped: Vec<Tapped>,
}

/// The first run of the scenario `name` that `shows` what is looked for.
pub fn find(name: &str, shows: impl Fn(&RunRecord) -> bool) -> Run {
    let found = sleet_scenarios::catalogue().into_iter().find(|s| s.name == name);
    let scenario = found.unwrap_or_else(|| panic!("the catalogue has no scenario '{name}'"));
    for seed in 0..SEEDS {
        let run = play(&scenario, Seed(seed));
        if shows(&run.record) {
            return run;
        }
    }
    panic!("no seed of {name} shows it")
}

/// Runs a seed with a tap.
pub fn play(scenario: &Arc<Scenario>, seed: Seed) -> Run {
    let watch = Arc::new(Watch::default().tapping());
    let record = Runner::new(scenario, seed)
        .watched(watch.clone())
        .run()
        .expect("a run");
    Run {
        scenario: scenario.clone(),
        record,
        tapped: watch.tap().expect("it taps").take(),
    }
}

/// Whether a packet of it was dropped.
pub fn drops(record: &RunRecord) -> bool {
    let dropped = |kind: &EventKind| matches!(kind, EventKind::PacketDropped { .. });
    record.trace.events.iter().any(|e| dropped(&e.kind))
}

/// Whether a packet of it was corrupted or truncated.
pub fn damages(record: &RunRecord) -> bool {
    let damaged = |kind: &EventKind| {
        matches!(
            kind,
            EventKind::PacketCorrupted { .. } | EventKind::PacketTruncated { .. }
        )
    };
    record.trace.events.iter().any(|e| damaged(&e.kind))
}

/// Whether a call of it was carried over a relay.
pub fn relayed(record: &RunRecord) -> bool {
    let relay = |kind: &EventKind| matches!(kind, EventKind::PairSelected { local, remote, .. } if local.starts_with("relay") || remote.starts_with("relay"));
    record.trace.events.iter().any(|e| relay(&e.kind))
}

//! Which stories are told: one for each story of the project and each kind of fault. Data; how they are found and told
//! is in `stories`.

use sleet::run::RunRecord;
use sleet_reports::snapshot::Detail;

/// A story: the first run of a scenario that shows what it is about.
pub struct Story {
    /// The name of its snapshot.
    pub name: &'static str,
    /// The scenario.
    pub scenario: &'static str,
    /// Whether a run shows it.
    pub shows: fn(&RunRecord) -> bool,
    /// How much is told.
    pub detail: Detail,
}

const fn story(name: &'static str, scenario: &'static str, shows: fn(&RunRecord) -> bool) -> Story {
    Story {
        name,
        scenario,
        shows,
        detail: Detail::Story,
    }
}

/// The stories.
pub const STORIES: &[Story] = &[
    Story {
        detail: Detail::Timeline,
        ..story("naive-loss", "candidates/naive", |r| breaks(r, "CONN-01"))
    },
    story("buffered", "candidates/buffer-receiver", |r| {
        reaches(r, "candidate-before-description")
    }),
    story("push", "candidates/buffer-sender-push", connects),
    story("rapid-hangup", "calls/rapid", holds),
    story("glare", "calls/glare", holds),
    story("busy", "calls/busy", holds),
    story("groups", "calls/groups", holds),
    story("crash-and-return", "chaos/buffer-both-bare", |r| {
        reaches(r, "client-crash-hit")
    }),
    story("relay", "nat/full-peers", relayed),
    story("ice-restart", "recovery/restart", holds),
    story("turn-outage", "servers/turn-restarts-bare", holds),
    story("finding-0001", "findings/late-candidates-bare", |r| {
        breaks(r, "CONN-01")
    }),
];

fn holds(record: &RunRecord) -> bool {
    record.failure().is_none()
}

fn breaks(record: &RunRecord, oracle: &str) -> bool {
    record.failure().is_some_and(|(id, _)| id == oracle)
}

fn connects(record: &RunRecord) -> bool {
    holds(record) && record.result().stats.contains_key("connect_ms")
}

fn reaches(record: &RunRecord, mark: &str) -> bool {
    connects(record) && record.marks().contains_key(mark)
}

fn relayed(record: &RunRecord) -> bool {
    let pair = record.result().cell.map(|cell| cell.pair).unwrap_or_default();
    connects(record) && pair.contains("relay")
}

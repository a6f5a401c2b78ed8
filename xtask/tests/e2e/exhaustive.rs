//! Scenarios that go through all orders, through the command line.

use std::{fs, path::Path};

use crate::{all_output as text, code, run, xtask};

fn orders(folder: &Path) -> serde_json::Value {
    let summary = fs::read_to_string(folder.join("summary.json")).expect("a summary");
    let summary: serde_json::Value = serde_json::from_str(&summary).expect("JSON");
    summary["scenarios"][0]["orders"].clone()
}

#[test]
fn a_broken_client_fails_in_some_orders_and_each_replays() {
    let (output, folder) = run(&["exhaustive/stale-generation", "--verbose"]);
    assert_eq!(code(&output), 0, "{}", text(&output));
    let orders = orders(folder.path());
    let counts = ["orders", "failed", "times"].map(|field| orders[field].as_u64());
    assert_eq!(counts, [Some(44), Some(42), Some(1)]);
    assert!(text(&output).contains("offer, candidate, alice tries again"));

    let saved = folder
        .path()
        .join("fail/exhaustive-stale-generation.0/repro.json");
    let repro = fs::read_to_string(&saved).expect("a saved order");
    assert!(repro.contains(r#""choices""#), "{repro}");
    let again = xtask(&["replay", saved.to_str().expect("UTF-8")]);
    assert_eq!(code(&again), 0, "{}", text(&again));
    assert!(text(&again).contains("(as saved)"), "{}", text(&again));
    let by_seed = xtask(&["replay", "exhaustive/stale-generation@0"]);
    assert!(text(&by_seed).contains("broken: CAND-02"), "{}", text(&by_seed));
}

#[test]
fn a_few_seeds_are_not_all_orders() {
    let (output, folder) = run(&[
        "exhaustive/sequential-end-to-end",
        "--seeds",
        "0..10",
        "--verbose",
    ]);
    assert_eq!(code(&output), 0, "{}", text(&output));
    assert!(text(&output).contains("NOT ALL"), "{}", text(&output));
    assert!(text(&output).contains("not judged"), "{}", text(&output));
    assert_eq!(orders(folder.path())["times"].as_u64(), Some(0));
}

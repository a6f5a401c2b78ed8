//! `replay`: of a seed, of a saved failure, and where a run takes another path.

use std::{fs, path::Path};

use crate::{code, run, stderr, stdout, xtask};

/// `scenario@seed digest` of every run in a folder, sorted.
#[test]
fn a_replay_ends_with_a_matching_digest() {
    let output = xtask(&["replay", "candidates/naive@5"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(
        stderr(&output).contains("digest matches b3:"),
        "{}",
        stderr(&output)
    );
    assert!(stdout(&output).contains("| network"), "{}", stdout(&output));
    let json = xtask(&[
        "replay",
        "candidates/naive@5",
        "--json",
        "--host",
        "alice",
        "--until",
        "1",
    ]);
    for line in stdout(&json).lines() {
        let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert!(event["host"].is_null() || event["host"] == "alice", "{event}");
        assert!(event["at_ns"].as_u64() <= Some(1_000_000_000), "{event}");
    }
}

#[test]
fn a_saved_failure_replays_and_what_is_wrong_with_one_is_said() {
    let (_, folder) = run(&["candidates/naive", "--seed", "5"]);
    let saved = folder.path().join("fail/candidates-naive.5/repro.json");
    let replay = |path: &Path| xtask(&["replay", path.to_str().expect("UTF-8")]);
    let output = replay(&saved);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("(as saved)"), "{}", stderr(&output));

    let text = fs::read_to_string(&saved).expect("saved");
    let broken = folder.path().join("broken.json");
    let cases = [
        (text[..text.len() / 2].to_owned(), 2, "not a saved failure"),
        (
            text.replacen("\"v\": 1", "\"v\": 9", 1),
            2,
            "version 9 of the format",
        ),
        (
            text.replace("\"plan\": {\n    \"v\": 3", "\"plan\": {\n    \"v\": 8"),
            2,
            "plan.v: the plan is of version 8",
        ),
        (
            text.replace("\"host\": \"bob\"", "\"host\": \"carol\""),
            2,
            "plan.script[1].host: there is no host 'carol'",
        ),
        (
            text.replace("candidates/naive", "candidates/none"),
            2,
            "there is no scenario 'candidates/none'",
        ),
        (text.replace("CONN-01", "CAND-01"), 123, "not reproduced"),
        (
            text.replacen("\"digest\": \"b3:", "\"digest\": \"b3:0000", 1)
                .replacen(|_: char| false, "", 0),
            2,
            "is not a digest",
        ),
    ];
    for (text, exit, says) in cases {
        fs::write(&broken, text).expect("written");
        let output = replay(&broken);
        assert_eq!(
            (code(&output), stderr(&output).contains(says)),
            (exit, true),
            "{says}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn a_replay_that_takes_another_path_names_the_first_divergent_event() {
    let (_, folder) = run(&["candidates/naive", "--seed", "5"]);
    let failure = folder.path().join("fail/candidates-naive.5");
    let (repro, trace) = (failure.join("repro.json"), failure.join("trace.jsonl"));
    let text = fs::read_to_string(&repro).expect("saved");
    let digest = text
        .lines()
        .find(|l| l.contains("\"digest\""))
        .expect("a digest")
        .to_owned();
    let other = format!("  \"digest\": \"b3:{}\",", "0".repeat(64));
    fs::write(&repro, text.replace(&digest, &other)).expect("written");
    let events =
        fs::read_to_string(&trace)
            .expect("saved")
            .replacen("\"step\":\"online\"", "\"step\":\"offline\"", 1);
    fs::write(&trace, events).expect("written");
    let output = xtask(&["replay", repro.to_str().expect("UTF-8")]);
    assert_eq!(code(&output), 120, "{}", stderr(&output));
    assert!(
        stderr(&output).contains("differ first in event") && stderr(&output).contains("offline"),
        "{}",
        stderr(&output)
    );
}

//! What a suite leaves is as its JSON Schemas say: each line of results and of traces, the summary, saved failures and their plans.

use std::{fs, path::Path};

use jsonschema::Validator;
use serde_json::Value;
use tempfile::TempDir;

use super::{code, stderr, stdout, text, xtask};

fn schema(format: &str) -> Validator {
    let out = xtask(&["list", "--schema", format]);
    assert_eq!(code(&out), 0, "{}", stderr(&out));
    let schema: Value = serde_json::from_str(&stdout(&out)).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

/// Every line of `file` fits `schema`; how many there are.
fn fits(schema: &Validator, file: &Path) -> usize {
    let lines = fs::read_to_string(file).expect("a file");
    for line in lines.lines() {
        let value: Value = serde_json::from_str(line).expect("JSON");
        if let Err(error) = schema.validate(&value) {
            panic!("{}: {error} at {}: {line}", file.display(), error.instance_path());
        }
    }
    lines.lines().count()
}

fn whole(schema: &Validator, file: &Path) -> Value {
    let value: Value = serde_json::from_str(&fs::read_to_string(file).expect("a file")).expect("JSON");
    if let Err(error) = schema.validate(&value) {
        panic!("{}: {error} at {}", file.display(), error.instance_path());
    }
    value
}

#[test]
fn what_a_suite_leaves_fits_its_schemas() {
    let folder = TempDir::new().expect("a folder");
    let out = folder.path().join("out");
    // Broken clients among them: that something is saved is the point.
    let suite = [
        "candidates/naive",
        "chaos/rapid",
        "nat/matrix",
        "calls/forked",
        "presets",
    ];
    let mut args = vec!["run", "--seeds", "0..6", "--out", text(&out)];
    args.splice(1..1, suite);
    xtask(&args);
    assert!(fits(&schema("result"), &out.join("results.jsonl")) >= 30);
    let summary = whole(&schema("summary"), &out.join("summary.json"));
    assert!(summary["scenarios"].as_array().is_some_and(|all| all.len() >= 5));
    let (repro, plan, trace) = (schema("repro"), schema("plan"), schema("trace"));
    let saved = fs::read_dir(out.join("fail")).expect("a demonstration fails");
    let mut failures = 0;
    for failure in saved {
        let failure = failure.expect("a folder").path();
        let saved = whole(&repro, &failure.join("repro.json"));
        assert!(plan.is_valid(&saved["plan"]), "{}", failure.display());
        assert!(fits(&trace, &failure.join("trace.jsonl")) > 50);
        failures += 1;
    }
    assert!(failures > 0, "nothing failed");
}

#[test]
fn saved_failures_of_the_corpus_fit_and_a_plan_with_a_word_too_much_does_not() {
    let repro = schema("repro");
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/corpus");
    let entries = fs::read_dir(corpus)
        .expect("the corpus")
        .map(|e| e.expect("an entry").path());
    let entries: Vec<_> = entries
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .collect();
    assert!(!entries.is_empty());
    for entry in &entries {
        let mut saved = whole(&repro, entry);
        saved["plan"]["whether"] = "rain".into();
        assert!(!repro.is_valid(&saved), "{}", entry.display());
    }
}

#[test]
fn a_format_that_there_is_not_is_refused_by_name() {
    let out = xtask(&["list", "--schema", "weather"]);
    assert_eq!(code(&out), 2);
    assert!(
        stderr(&out).contains("there is no format 'weather': one of plan, repro, trace, result, summary"),
        "{}",
        stderr(&out)
    );
}

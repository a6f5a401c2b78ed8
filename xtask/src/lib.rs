//! The catalogue of this repository, for its program and its tests.

use sleet_cli::Catalogue;

// `CORPUS`: every file of the corpus with its text.
include!(concat!(env!("OUT_DIR"), "/corpus.rs"));

/// Returns every scenario of the repository, with its corpus.
pub fn catalogue() -> Catalogue {
    Catalogue::new("cargo xtask", sleet_scenarios::catalogue())
        .corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/corpus"))
        .embedded_corpus(CORPUS)
        .swept(sleet_scenarios::sweeps::SWEPT)
        .lock_file(include_str!("../../Cargo.lock"))
        // The full suite runs by `cargo xtask run`; the tests show that each scenario runs.
        .test_seeds(0..2)
}

//! The catalogue of this repository, as its program and its tests use it.

use sleet_cli::Catalogue;

// Every file of the corpus with its text: `CORPUS`.
include!(concat!(env!("OUT_DIR"), "/corpus.rs"));

/// Every scenario of the repository, with its corpus.
pub fn catalogue() -> Catalogue {
    Catalogue::new("cargo xtask", sleet_scenarios::catalogue())
        .corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/corpus"))
        .embedded_corpus(CORPUS)
        .swept(sleet_scenarios::sweeps::SWEPT)
        .lock_file(include_str!("../../Cargo.lock"))
        // The suite proper runs by `cargo xtask run`; the tests show that each scenario plays.
        .test_seeds(0..2)
}

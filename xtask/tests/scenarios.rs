//! Each scenario of the repository on a few seeds, and each entry of its corpus, as tests of their own.
//! `SLEET_SEEDS=0..100 cargo test -p xtask --test scenarios chaos/` runs more.

fn main() -> std::process::ExitCode {
    sleet_cli::tests(xtask::catalogue())
}

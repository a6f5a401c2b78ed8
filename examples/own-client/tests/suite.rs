//! Every scenario and every saved failure as a test of `cargo test`.

use std::process::ExitCode;

fn main() -> ExitCode {
    own_client::sim::log_to_timeline();
    sleet_cli::tests(own_client::scenarios::catalogue())
}

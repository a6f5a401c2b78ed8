//! The app's suite: `run`, `list`, `replay`, `shrink`, `explain`, `corpus`.

use std::process::ExitCode;

fn main() -> ExitCode {
    own_client::sim::log_to_timeline();
    sleet_cli::main_with(own_client::scenarios::catalogue(), own_client::play::own)
}

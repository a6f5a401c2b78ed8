//! The app's suite: `run`, `list`, `replay`, `shrink`, `explain`, `corpus`.

use own_client::{scenarios, sim};

fn main() -> std::process::ExitCode {
    sim::log_to_timeline();
    sleet_cli::main_with(scenarios::catalogue(), scenarios::play::own)
}

//! The app's suite: `run`, `list`, `replay`, `shrink`, `explain`, `corpus`.

use std::process::ExitCode;

use tracing_subscriber::prelude::*;

fn main() -> ExitCode {
    let timeline = sleet::app::Timeline::of(["own_client"]);
    tracing_subscriber::registry().with(timeline).init();
    sleet_cli::main(own_client::scenarios::catalogue())
}

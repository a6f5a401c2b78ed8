//! Shows the findings of docs/findings on plain loopback: the crates of the stack, the kernel's sockets and the real clock.
//!
//! `cargo run -p sleet-findings-repro -- 0003` shows one, `all` shows all of them one after the other, and without
//! arguments they are listed. The program ends with 0 when each defect showed, with 1 when one did not, and with 2 when one
//! could not be tried. It is never run by `cargo test`: real time passes in it.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "what is shown here takes real time on real sockets, and says so on the terminal"
)]

mod f0001_late_candidates;
mod f0002_gathering_closed;
mod f0003_closed_after_close;
mod f0004_equal_priorities;
mod f0005_no_fallback;
mod f0006_corrupted_client_hello;
mod f0007_check_storm;
mod f0008_dead_turn;
mod f0009_rebind_unnoticed;
mod f0010_binding_expires;
mod f0011_closed_in_handshake;
mod f0012_hangup_while_gathering;
mod f0013_close_waits_for_turn;
mod f0014_stun_asked_once;
mod f0015_last_flight_lost;
mod f0016_allocate_sent_again;
mod f0017_turn_reads_no_more;
mod f0018_goodbye_said_once;
mod f0020_no_consent;
mod f0021_short_rtcp;
mod f0022_check_priority;
mod f0023_role_conflict;
mod f0024_turn_hurries;
mod f0025_any_generation;
mod nat;
mod panics;
mod party;
mod relay;
mod secured;
mod wire;

use std::{
    env,
    pin::Pin,
    process::ExitCode,
    time::{Duration, Instant},
};

use tokio::{runtime, time::timeout};

/// Longer than any of them takes.
const BOUND: Duration = Duration::from_secs(90);

/// What came of showing a finding.
struct Seen {
    /// What the specification, or the interface of the crate, lets one expect.
    expected: String,
    /// What was seen instead.
    seen: String,
    /// Whether that is the defect.
    shows: bool,
}

type Show = fn() -> Pin<Box<dyn Future<Output = anyhow::Result<Seen>>>>;

/// The findings that can be shown so: number, what happens, and how to show it.
const FINDINGS: &[(&str, &str, Show)] = &[
    ("0001", "a pair that failed once never succeeds", || {
        Box::pin(f0001_late_candidates::show())
    }),
    ("0002", "iceGatheringState becomes closed", || {
        Box::pin(f0002_gathering_closed::show())
    }),
    ("0003", "ICE reports closed after close has returned", || {
        Box::pin(f0003_closed_after_close::show())
    }),
    ("0004", "every address of a host has the same priority", || {
        Box::pin(f0004_equal_priorities::show())
    }),
    ("0005", "ICE fails although another pair works", || {
        Box::pin(f0005_no_fallback::show())
    }),
    ("0006", "a flipped bit in a ClientHello makes DTLS panic", || {
        Box::pin(f0006_corrupted_client_hello::show())
    }),
    ("0007", "a storm of checks between two symmetric NATs", || {
        Box::pin(f0007_check_storm::show())
    }),
    (
        "0008",
        "a TURN server that does not answer holds up what does not need it",
        || Box::pin(f0008_dead_turn::show()),
    ),
    (
        "0009",
        "the path moves to another port, and only one side moves with it",
        || Box::pin(f0009_rebind_unnoticed::show()),
    ),
    (
        "0010",
        "nothing keeps the binding of a server-reflexive candidate alive",
        || Box::pin(f0010_binding_expires::show()),
    ),
    (
        "0011",
        "a DTLS server that is closed while it waits for its client waits for ever",
        || Box::pin(f0011_closed_in_handshake::show()),
    ),
    (
        "0012",
        "a hangup while candidates are gathered leaves a TURN allocation",
        || Box::pin(f0012_hangup_while_gathering::show()),
    ),
    (
        "0013",
        "closing waits for what the TURN server does not answer",
        || Box::pin(f0013_close_waits_for_turn::show()),
    ),
    ("0014", "a STUN server is asked once", || {
        Box::pin(f0014_stun_asked_once::show())
    }),
    ("0015", "a lost last flight ends the DTLS handshake", || {
        Box::pin(f0015_last_flight_lost::show())
    }),
    (
        "0016",
        "an Allocate request that is sent again is refused",
        || Box::pin(f0016_allocate_sent_again::show()),
    ),
    (
        "0017",
        "one malformed packet, and a TURN client reads no more",
        || Box::pin(f0017_turn_reads_no_more::show()),
    ),
    ("0018", "the goodbye to a TURN server is said once", || {
        Box::pin(f0018_goodbye_said_once::show())
    }),
    ("0020", "nothing but silence ends consent", || {
        Box::pin(f0020_no_consent::show())
    }),
    (
        "0021",
        "the first bytes of an RTCP packet, and the task that reads RTCP panics",
        || Box::pin(f0021_short_rtcp::show()),
    ),
    (
        "0022",
        "the priority in a check is that of the candidate that sends it",
        || Box::pin(f0022_check_priority::show()),
    ),
    ("0023", "both ends control, and neither gives way", || {
        Box::pin(f0023_role_conflict::show())
    }),
    ("0024", "a TURN client asks again too soon", || {
        Box::pin(f0024_turn_hurries::show())
    }),
    ("0025", "a candidate of another generation is taken", || {
        Box::pin(f0025_any_generation::show())
    }),
];

fn main() -> ExitCode {
    let wanted: Vec<String> = env::args().skip(1).collect();
    let is_wanted = |id: &str| wanted.iter().any(|w| w == id || w == "all");
    let chosen: Vec<_> = FINDINGS.iter().filter(|(id, ..)| is_wanted(id)).collect();
    if chosen.is_empty() {
        for (id, what, _) in FINDINGS {
            println!("{id}  {what}");
        }
        return ExitCode::from(if wanted.is_empty() { 0 } else { 2 });
    }
    let worst = chosen
        .into_iter()
        .map(|(id, what, show)| tell(id, what, *show))
        .max();
    ExitCode::from(worst.unwrap_or(0))
}

/// Shows one finding, and says what came of it.
fn tell(id: &str, what: &str, show: Show) -> u8 {
    println!("{id}  {what}");
    let begun = Instant::now();
    let seen = (|| {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let seen = runtime.block_on(async { timeout(BOUND, show()).await });
        runtime.shutdown_background();
        seen?
    })();
    let took = begun.elapsed().as_secs_f64();
    match seen {
        Ok(seen) => {
            println!("  expected: {}", seen.expected);
            println!("  seen:     {}", seen.seen);
            let verdict = if seen.shows {
                "the defect shows"
            } else {
                "the defect does NOT show"
            };
            println!("  {verdict} ({took:.1} s)");
            u8::from(!seen.shows)
        }
        Err(error) => {
            println!("  could not be tried: {error:#} ({took:.1} s)");
            2
        }
    }
}

//! Starts a server and two phones on this machine, lets them talk, and says what came of it; or, for scripts, starts a server
//! or a single phone.

use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use clap::{Parser, Subcommand};
use own_client::{
    net::TcpListener,
    phone::{Phone, Settings, Shown, Tap, Trickle, Turn},
    server,
    slow::Step,
    terminal,
};
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{sleep, timeout},
};
use tracing_subscriber::EnvFilter;

/// How long they talk.
const TALK: Duration = Duration::from_secs(2);
/// How long a call may take to come about, or to end.
const PATIENCE: Duration = Duration::from_secs(40);

/// Two phones on this machine call each other. Log lines: RUST_LOG=own_client=debug.
#[derive(Parser)]
struct Arguments {
    /// Give candidates to the peer connection as they come.
    #[arg(long, conflicts_with = "buffered")]
    naive: bool,
    /// Keep candidates until the description that they belong to is there (the default).
    #[arg(long)]
    buffered: bool,
    #[command(subcommand)]
    part: Option<Part>,
}

/// A part of the app by itself.
#[derive(Subcommand)]
enum Part {
    /// The server.
    Serve {
        /// Where it listens, `host:port`.
        #[arg(long)]
        listen: String,
        /// A step that takes its time, `STEP=LEAST..MOST` in milliseconds.
        #[arg(long)]
        slow: Vec<Step>,
    },
    /// A phone that is used line by line; see the module `terminal`.
    Phone {
        /// Whose it is.
        #[arg(long)]
        user: String,
        /// The server, `host:port`.
        #[arg(long)]
        server: String,
        /// A STUN server, `stun:host:port`.
        #[arg(long)]
        stun: Option<String>,
        /// A TURN server, `turn:host:port`.
        #[arg(long, requires_all = ["username", "password"])]
        turn: Option<String>,
        /// Who we are at the TURN server.
        #[arg(long)]
        username: Option<String>,
        /// The password at the TURN server.
        #[arg(long)]
        password: Option<String>,
        /// Give candidates to the peer connection as they come.
        #[arg(long)]
        naive: bool,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("own_client=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    let trickle = if arguments.naive {
        Trickle::Naive
    } else {
        Trickle::Buffered
    };

    match arguments.part {
        None => demonstrate(trickle).await,
        Some(Part::Serve { listen, slow }) => {
            let listener = TcpListener::bind(&listen).await?;
            println!("listening");
            server::serve_slowly(listener, slow.into_iter().collect()).await?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Part::Phone {
            user,
            server,
            stun,
            turn,
            username,
            password,
            naive,
        }) => {
            let turn = turn.zip(username).zip(password);
            let settings = Settings {
                stun,
                turn: turn.map(|((url, username), password)| Turn {
                    url,
                    username,
                    password,
                }),
                ..Settings::new(&server, if naive { Trickle::Naive } else { trickle })
            };
            terminal::serve(&user, settings).await?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Two phones on this machine.
async fn demonstrate(trickle: Trickle) -> anyhow::Result<ExitCode> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let settings = Settings {
        loopback: true,
        ..Settings::new(&listener.local_addr()?.to_string(), trickle)
    };
    tokio::spawn(server::serve(listener));

    let (alice, mut alice_sees) = Phone::switch_on("alice", settings.clone());
    let (bob, mut bob_sees) = Phone::switch_on("bob", settings);
    // A call to somebody who has not signed in is declined.
    sleep(Duration::from_millis(200)).await;
    let call = "call-1".to_owned();
    alice.tap(Tap::Dial {
        call: call.clone(),
        to: "bob".to_owned(),
    });
    let Shown::Rings { call: rings, from } = next(&mut bob_sees).await? else {
        anyhow::bail!("bob's phone did not ring");
    };
    println!("bob's phone rings: {from} calls");
    bob.tap(Tap::Accept { call: rings });
    for (user, sees) in [("alice", &mut alice_sees), ("bob", &mut bob_sees)] {
        loop {
            match next(sees).await? {
                Shown::Connecting { .. } => {}
                Shown::Connected { .. } => break println!("{user} is connected"),
                other => anyhow::bail!("{user}'s phone shows {other:?}"),
            }
        }
    }
    sleep(TALK).await;
    alice.tap(Tap::HangUp { call });
    let mut all_heard = true;
    for (user, sees) in [("alice", &mut alice_sees), ("bob", &mut bob_sees)] {
        let Shown::Over { end, heard, .. } = next(sees).await? else {
            anyhow::bail!("{user}'s call did not end");
        };
        let (audio, texts) = (heard.audio(), heard.texts());
        println!("{user} heard {audio} packets of audio and {texts} texts; {end:?}");
        all_heard &= audio > 0 && texts > 0;
    }
    Ok(if all_heard {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What a phone shows next.
async fn next(screen: &mut UnboundedReceiver<Shown>) -> anyhow::Result<Shown> {
    let shown = timeout(PATIENCE, screen.recv())
        .await
        .context("nothing happens")?;
    shown.context("the phone is gone")
}

//! The stage of a case: the app's server, and two phones that are signed in there. What it comes to belongs to the scenes.

use std::{path::PathBuf, time::Duration};

use anyhow::Context;
use sleet_reality::clock::Clock;
use tokio::{sync::mpsc, time::timeout};

use crate::{
    app::Process,
    cage::ADDRESS,
    page::{Opened, Page},
    phone::{Kind, Phone, Shown, Works, timed},
};

/// How long anything may take that nobody waits for by a timer of its own.
pub const SOON: Duration = Duration::from_secs(20);

/// The programs that stages are made of.
#[derive(Clone, Debug)]
pub struct Programs {
    /// `own-client`.
    pub app: PathBuf,
    /// Chromium.
    pub browser: PathBuf,
}

/// Who calls whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Who calls.
    pub caller: Kind,
    /// Who is called.
    pub callee: Kind,
}

/// The two ways between the app and a browser.
pub const MIXED: [Ends; 2] = [
    Ends {
        caller: Kind::Page,
        callee: Kind::App,
    },
    Ends {
        caller: Kind::App,
        callee: Kind::Page,
    },
];

/// A browser with a browser, the control.
pub const PAGES: Ends = Ends {
    caller: Kind::Page,
    callee: Kind::Page,
};

/// The app with itself, the other control.
pub const APPS: Ends = Ends {
    caller: Kind::App,
    callee: Kind::App,
};

/// How server and phones are set up.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Whether candidates are added as they come.
    pub is_naive: bool,
    /// Whether pages add candidates as they come once they are connected.
    pub turns_naive: bool,
    /// Steps of the server that take their time, each with its milliseconds.
    pub slow: Vec<(&'static str, u64)>,
    /// A STUN server, `stun:host:port`.
    pub stun: Option<String>,
    /// Whether browsers hide their addresses.
    pub hides_addresses: bool,
}

/// Everything that a case needs. What is on it ends with it.
pub struct Stage {
    /// The case's clock.
    pub clock: Clock,
    /// The server.
    pub office: Process,
    /// Alice.
    pub caller: Phone,
    /// Bob.
    pub callee: Phone,
}

impl Stage {
    /// Starts everything, and waits until both phones are signed in.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn set(programs: &Programs, ends: Ends, settings: &Settings) -> anyhow::Result<Self> {
        let clock = Clock::start();
        let server = format!("{ADDRESS}:8080");
        let office = office(programs, &server, settings, clock).await?;
        let switch_on = async |kind, user| {
            let phone = switch_on(programs, kind, user, &server, settings, clock).await;
            phone.with_context(|| format!("the {kind} of {user}"))
        };
        let caller = switch_on(ends.caller, "alice").await?;
        let callee = switch_on(ends.callee, "bob").await?;
        for user in ["alice", "bob"] {
            let signed_in = format!("user=\"{user}\"");
            let there = timeout(SOON, office.log.has(&["signed in", &signed_in])).await;
            there.with_context(|| format!("{user} does not sign in"))?;
        }
        Ok(Self {
            clock,
            office,
            caller,
            callee,
        })
    }

    /// Dials, and waits until it rings.
    ///
    /// # Errors
    /// When it does not ring.
    pub async fn ring(&mut self) -> anyhow::Result<()> {
        self.caller.dial("bob").await?;
        let rings = self.callee.shows("rings", SOON).await;
        rings.map(drop).context("the callee's phone does not ring")
    }

    /// Dials, picks up, and waits until both are connected; how long each took from picking up on, the caller first.
    ///
    /// # Errors
    /// When it does not ring, or does not connect.
    pub async fn connect(&mut self) -> anyhow::Result<[(u64, Shown); 2]> {
        self.ring().await?;
        self.pick_up().await
    }

    /// Picks up what rings, and waits until both are connected; how long each took, the caller first.
    ///
    /// # Errors
    /// When it does not connect.
    pub async fn pick_up(&mut self) -> anyhow::Result<[(u64, Shown); 2]> {
        let picked_up = self.clock.passed();
        self.callee.tap("accept").await?;
        let caller = self.caller.shows("connected", SOON).await;
        let caller = caller.context("the caller does not connect")?;
        let callee = self.callee.shows("connected", SOON).await;
        let callee = callee.context("the callee does not connect")?;
        Ok([caller, callee].map(|shown| (ms(shown.at.saturating_sub(picked_up)), shown)))
    }

    /// Both phones, the caller first.
    pub fn phones(&mut self) -> [&mut Phone; 2] {
        [&mut self.caller, &mut self.callee]
    }
}

/// In milliseconds.
pub fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

async fn office(
    programs: &Programs,
    server: &str,
    settings: &Settings,
    clock: Clock,
) -> anyhow::Result<Process> {
    let mut args = vec!["serve".to_owned(), "--listen".to_owned(), server.to_owned()];
    for (step, ms) in &settings.slow {
        args.extend(["--slow".to_owned(), format!("{step}={ms}..{ms}")]);
    }
    let (said, mut says) = mpsc::unbounded_channel();
    let office = Process::start(&programs.app, &args, clock, said)?;
    let listening = timeout(SOON, says.recv()).await.ok().flatten();
    anyhow::ensure!(
        listening.as_deref() == Some("listening"),
        "the app's server does not listen"
    );
    Ok(office)
}

async fn switch_on(
    programs: &Programs,
    kind: Kind,
    user: &str,
    server: &str,
    settings: &Settings,
    clock: Clock,
) -> anyhow::Result<Phone> {
    let (lines, raw) = mpsc::unbounded_channel();
    let works = match kind {
        Kind::Page => {
            let opened = Opened {
                user: user.to_owned(),
                server: server.to_owned(),
                is_naive: settings.is_naive,
                stun: settings.stun.clone(),
                hides_addresses: settings.hides_addresses,
            };
            Works::Page(Box::new(Page::open(&programs.browser, &opened, lines).await?))
        }
        Kind::App => {
            let mut args: Vec<String> = ["phone", "--user", user, "--server", server]
                .map(str::to_owned)
                .into();
            if let Some(stun) = &settings.stun {
                args.extend(["--stun".to_owned(), stun.clone()]);
            }
            args.extend(settings.is_naive.then(|| "--naive".to_owned()));
            let (said, mut says) = mpsc::unbounded_channel::<String>();
            tokio::spawn(async move {
                while let Some(line) = says.recv().await {
                    // What is none of its lines is for readers of the log.
                    if let Ok(line) = serde_json::from_str(&line) {
                        let _ = lines.send(line);
                    }
                }
            });
            Works::App(Box::new(Process::start(&programs.app, &args, clock, said)?))
        }
    };
    Ok(Phone::new(works, timed(clock, raw)))
}

//! Records the app's own log in the trace, from `tracing` or from `log`.
//!
//! Only lines of the named parts are taken: lines of the WebRTC stack carry counters of the process, which would make
//! equal runs differ. Outside a run nothing is taken.

use std::fmt::{self, Write};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

use crate::{trace::EventKind, world::Sim};

/// The parts of an app whose lines are taken, by the beginning of their target: `own_client` takes `own_client` and
/// `own_client::call`.
#[derive(Clone, Debug)]
struct Targets(Vec<String>);

impl Targets {
    fn new<T: Into<String>>(targets: impl IntoIterator<Item = T>) -> Self {
        Self(targets.into_iter().map(Into::into).collect())
    }

    fn take(&self, target: &str) -> bool {
        let is_of = |part: &String| {
            let rest = target.strip_prefix(part.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        self.0.iter().any(is_of)
    }
}

fn record(level: impl fmt::Display, target: &str, message: impl FnOnce() -> String) {
    if let Some(sim) = Sim::current() {
        sim.record(EventKind::Line {
            level: level.to_string().to_lowercase(),
            target: target.to_owned(),
            message: message(),
        });
    }
}

/// A layer of a `tracing` subscriber that records the app's events in the trace.
///
/// # Example
///
/// ```
/// use sleet::{app::Timeline, net::{link::LinkProfile, topology::{HostSpec, Topology}}, seed::Seed, world::{self, WorldSpec}};
/// use tracing_subscriber::layer::SubscriberExt;
///
/// # let topology = Topology::new([HostSpec::new("alice", "10.0.0.1", LinkProfile::default())]);
/// let ending = world::run(WorldSpec::new(Seed(1), topology), |sim| async move {
///     let subscriber = tracing_subscriber::registry().with(Timeline::of(["own_client"]));
///     let _on_this_thread = tracing::subscriber::set_default(subscriber);
///     sim.host("alice").run(|| tracing::info!(target: "own_client::call", peer = "bob", "dials"));
/// })?;
/// assert!(ending.trace.to_json_lines().contains(r#""target":"own_client::call","message":"dials peer=bob""#));
/// # Ok::<(), sleet::world::WorldError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Timeline {
    targets: Targets,
}

impl Timeline {
    /// Creates a layer that takes the lines of `targets`: names of crates or modules.
    pub fn of<T: Into<String>>(targets: impl IntoIterator<Item = T>) -> Self {
        Self {
            targets: Targets::new(targets),
        }
    }
}

impl<S: Subscriber> Layer<S> for Timeline {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let about = event.metadata();
        if self.targets.take(about.target()) {
            record(about.level(), about.target(), || {
                let mut text = Text::default();
                event.record(&mut text);
                text.message + &text.fields
            });
        }
    }
}

/// The message of an event, and its fields after it.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

/// A logger of the `log` crate that records the app's log records in the trace.
///
/// A process has one logger, for all its runs. A program that has another one can pass its records on to this too.
///
/// # Example
///
/// ```
/// sleet::app::LogBridge::of(["own_client"]).install(log::LevelFilter::Debug)?;
/// log::info!(target: "own_client", "outside a run nobody takes it");
/// # Ok::<(), log::SetLoggerError>(())
/// ```
#[derive(Clone, Debug)]
pub struct LogBridge {
    targets: Targets,
}

impl LogBridge {
    /// Creates a logger that takes the records of `targets`: names of crates or modules.
    pub fn of<T: Into<String>>(targets: impl IntoIterator<Item = T>) -> Self {
        Self {
            targets: Targets::new(targets),
        }
    }

    /// Installs the logger for the process, for records up to `level`.
    ///
    /// # Errors
    /// Fails if the process has a logger already.
    pub fn install(self, level: log::LevelFilter) -> Result<(), log::SetLoggerError> {
        log::set_boxed_logger(Box::new(self))?;
        log::set_max_level(level);
        Ok(())
    }
}

impl log::Log for LogBridge {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        self.targets.take(metadata.target())
    }

    fn log(&self, line: &log::Record<'_>) {
        if self.targets.take(line.target()) {
            record(line.level(), line.target(), || line.args().to_string());
        }
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_taken_by_its_crate_or_module() {
        let targets = Targets::new(["app", "server::relay"]);
        for taken in ["app", "app::call", "server::relay"] {
            assert!(targets.take(taken), "{taken}");
        }
        for other in ["application", "server", "webrtc_ice::agent"] {
            assert!(!targets.take(other), "{other}");
        }
    }
}

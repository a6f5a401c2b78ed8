//! The ways in which a worker process can fail to complete a run.

use std::{fmt, os::unix::process::ExitStatusExt, process::ExitStatus, time::Duration};

use nix::sys::signal::Signal;
use sleet::run::result::RunOutcome;

/// The end of a worker process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Death {
    /// A signal ended the process.
    Signal(String, Option<Cause>),
    /// The process exited in the middle of the run.
    Exit(i32),
    /// The process made no progress for this long, and was killed.
    Stuck(Duration),
}

/// The cause that a dying process reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Stack overflow.
    Stack,
    /// A refused memory allocation.
    Memory,
}

impl Death {
    /// Determines the end of a process with the exit status `status` and, at the end of its output, `stderr`.
    pub fn of(status: ExitStatus, stderr: &str) -> Self {
        let Some(number) = status.signal() else {
            return Self::Exit(status.code().unwrap_or_default());
        };
        let name = Signal::try_from(number).map_or_else(|_| format!("signal {number}"), |s| s.to_string());
        let cause = if stderr.contains("has overflowed its stack") {
            Some(Cause::Stack)
        } else if stderr.contains("memory allocation of ") {
            Some(Cause::Memory)
        } else {
            None
        };
        Self::Signal(name, cause)
    }

    /// Returns the outcome of a run with this end.
    pub fn outcome(&self) -> RunOutcome {
        match self {
            Self::Stuck(_) => RunOutcome::Hang,
            _ => RunOutcome::Crash,
        }
    }

    /// Reports whether the cause is outside: no program sends these signals to itself except on purpose. The kernel
    /// counts as outside when memory runs out.
    pub fn is_from_outside(&self) -> bool {
        matches!(self, Self::Signal(name, _)
            if ["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"].contains(&name.as_str()))
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal(name, None) => write!(f, "its process died of {name}"),
            Self::Signal(name, Some(Cause::Stack)) => {
                write!(f, "its process died of {name}: its stack overflowed")
            }
            Self::Signal(name, Some(Cause::Memory)) => {
                write!(
                    f,
                    "its process died of {name}: it wanted more memory than its limit"
                )
            }
            Self::Exit(code) => write!(f, "its process exited with code {code} in the middle of the run"),
            Self::Stuck(time) => write!(
                f,
                "no event and no poll for {} s of real time: a busy loop or a deadlock",
                time.as_secs_f64()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_death_is_named_by_its_signal_and_by_what_the_process_said() {
        let abort = ExitStatus::from_raw(6);
        let name = |status, stderr: &str| Death::of(status, stderr).to_string();
        assert_eq!(name(abort, ""), "its process died of SIGABRT");
        assert!(
            name(abort, "thread 'x' has overflowed its stack\n").ends_with("SIGABRT: its stack overflowed")
        );
        assert!(name(abort, "memory allocation of 9 bytes failed").ends_with("more memory than its limit"));
        assert_eq!(Death::of(ExitStatus::from_raw(3 << 8), ""), Death::Exit(3));
        assert!(Death::of(ExitStatus::from_raw(9), "").is_from_outside());
        assert!(!Death::of(ExitStatus::from_raw(11), "").is_from_outside());
    }
}

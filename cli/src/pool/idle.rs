//! Workers that answer whichever thread asks next, of a command that asks for more than results.

use std::sync::{Mutex, atomic::AtomicBool};

use sleet::scenario::Scenario;

use super::{
    process::{Fate, LOST, Process, Settings},
    protocol::{Reply, Request},
};

/// Workers, each started when no other is idle.
pub struct Workers {
    settings: Settings,
    idle: Mutex<Vec<Process>>,
}

impl Workers {
    /// Creates none yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            idle: Mutex::default(),
        }
    }

    /// Returns the settings of each.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Makes a worker answer `request` about `scenario` with a reply that `take` takes; another one, if it is killed from outside.
    ///
    /// # Errors
    /// Returns the fate of the worker that was to answer.
    pub fn answer<T>(
        &self,
        scenario: &Scenario,
        request: &Request,
        stop: &AtomicBool,
        take: fn(Reply) -> Option<T>,
    ) -> Result<T, Fate> {
        let patience = self.settings.patience(scenario);
        for losses in 1.. {
            let idle = self.idle.lock().expect("nobody panics while it is held").pop();
            let mut process = match idle {
                Some(process) => process,
                None => Process::start(&self.settings).map_err(|e| Fate::Refused(format!("{e:#}")))?,
            };
            match process.answer(request, patience, stop, take) {
                Ok(answer) => {
                    self.idle
                        .lock()
                        .expect("nobody panics while it is held")
                        .push(process);
                    return Ok(answer);
                }
                Err(Fate::Died(death)) if death.is_from_outside() && losses < LOST => {}
                Err(fate) => return Err(fate),
            }
        }
        unreachable!("the last loss is reported")
    }
}

//! One failure as text, for `report.txt`.

use sleet::{run::RunRecord, scenario::Scenario};

use crate::{
    descriptions::Names,
    timeline::{self, View},
};

/// Describes the broken oracle, the deciding event, and the command that replays the failure; the whole timeline follows.
pub fn report(scenario: &Scenario, record: &RunRecord, replay: &str) -> String {
    let mut out = format!("{}@{}\n{}\n\n", record.scenario, record.seed, scenario.summary);
    match record.failure() {
        Some((id, violation)) => {
            let meaning = scenario
                .oracles
                .iter()
                .find(|o| o.id == id)
                .map_or("", |o| o.meaning);
            out.push_str(&format!(
                "broken:   {id} {meaning}\nbecause:  {}\n",
                violation.why
            ));
            if let Some(event) = violation
                .event
                .and_then(|seq| record.trace.events.get(seq as usize))
            {
                let host = event.host.as_deref().unwrap_or("the network");
                let line = Names::of(&record.trace, &record.plan).line(event);
                out.push_str(&format!("decided:  at {} on {host}: {line}\n", event.at));
            }
        }
        None => out.push_str("every oracle held\n"),
    }
    out.push_str(&format!("replay:   {replay}\n"));
    out.push_str(&format!("digest:   {}\n\n", record.trace.digest));
    out.push_str(&timeline::draw(&record.trace, &record.plan, &View::default()));
    out
}

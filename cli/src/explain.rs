//! The command `explain`.

use sleet::{explain::explain as find_reasons, run::summary::exit, shrink::InProcess};
use sleet_reports::explanation;

use crate::{Done, args::ExplainArgs, catalogue::Catalogue, shrink, subject::Subject, terminal};

/// Shrinks a failure and explains which elements decide it, and how.
pub fn explain(catalogue: &Catalogue, args: &ExplainArgs) -> Done {
    let subject = Subject::find(catalogue, &args.what)?;
    let Some((shrunk, record)) = shrink::smallest(&subject, args.effort)? else {
        return Ok(exit::NOT_REPRODUCED);
    };
    let executor = InProcess {
        scenario: subject.scenario.clone(),
        seed: subject.seed,
    };
    let reasons = find_reasons(&executor, &subject.scenario, &shrunk, &record)?;
    terminal::print(explanation::text(&subject.scenario, &reasons).trim_end());
    Ok(exit::OK)
}

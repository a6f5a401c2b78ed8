//! The end of a suite on the terminal: one screen, or with `--verbose` everything in `summary.md`.

use std::path::Path;

use sleet::{
    run::summary::{Judgement, Summary},
    scenario::Kind,
};
use sleet_reports::{brief, summary};

use crate::{catalogue::Catalogue, terminal};

/// Prints the summary of a suite whose files are in `path`.
pub fn print(catalogue: &Catalogue, sum: &Summary, path: &Path, verbose: bool) {
    if verbose {
        return print_all(catalogue, sum, path);
    }
    terminal::print(brief::text(sum, terminal::width()).trim_end());
    if !sum.failures.is_empty() {
        terminal::print(&format!("\nsaved in {}", path.join("fail").display()));
    }
    terminal::print(&format!(
        "\nevery scenario and table: {} (or --verbose)",
        path.join("summary.md").display()
    ));
}

fn print_all(catalogue: &Catalogue, sum: &Summary, path: &Path) {
    terminal::print(&summary::scenarios(sum));
    if !sum.remedies.is_empty() {
        terminal::print(&summary::remedies(&sum.remedies));
    }
    if let Some(orders) = summary::orders(sum) {
        terminal::print(&orders);
    }
    if !sum.mistakes.is_empty() {
        terminal::print(&summary::mistakes(&sum.mistakes));
    }
    for matrix in &sum.matrices {
        terminal::print(&format!("{}\n\n{}", matrix.scenario, summary::matrix(matrix)));
    }
    for s in sum
        .scenarios
        .iter()
        .filter(|s| s.kind == Kind::Demonstration && s.judgement == Judgement::Held)
    {
        if let Some(seed) = s.shown_by {
            terminal::note(&format!(
                "see {} fail: {}",
                s.name,
                catalogue.replay(&s.name, seed)
            ));
        }
    }
    if !sum.failures.is_empty() {
        terminal::print(&format!(
            "{} unexpected:\n{}",
            sum.failures.len(),
            summary::failures(sum)
        ));
        terminal::print(&format!("saved in {}", path.join("fail").display()));
    }
    terminal::print(&format!("digest over all runs: {}", sum.digest));
}

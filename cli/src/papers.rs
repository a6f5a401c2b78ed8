//! What a suite leaves for those who read it, beside its results: JUnit XML, step summary, code quality report, HTML, and what is
//! attached to each failure. Where a CI system runs us, it is told.
//!
//! Everything is made from the folder and the catalogue; nothing here decides how a suite came out.

use std::{fs::OpenOptions, io::Write, path::Path};

use anyhow::Context;
use sleet::run::summary::Summary;
use sleet_reports::{
    gather::Gathered,
    junit,
    machines::{annotations, quality, step},
};

use crate::{folder::write, terminal};

/// Writes everything that is made of the results of a suite into its folder.
///
/// # Errors
/// If it cannot be written.
pub fn leave(folder: &Path, sum: &Summary, gathered: &Gathered<'_>) -> anyhow::Result<()> {
    let failures: Vec<_> = gathered.failures().cloned().collect();
    let scenarios = gathered.scenarios().iter().copied();
    write(folder, "junit.xml", &junit::xml(scenarios, sum, &failures))?;
    write(folder, "step-summary.md", &step::markdown(sum, gathered))?;
    write(folder, "code-quality.json", &quality::json(sum, gathered))
}

/// Tells the CI system that runs us, if one does.
///
/// # Errors
/// If the file that it names cannot be added to.
pub fn tell_ci(sum: &Summary, gathered: &Gathered<'_>) -> anyhow::Result<()> {
    let env = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(path) = env("GITHUB_STEP_SUMMARY") {
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let written = file.and_then(|mut file| file.write_all(step::markdown(sum, gathered).as_bytes()));
        written.with_context(|| format!("cannot add to GITHUB_STEP_SUMMARY, '{}'", path.display()))?;
    }
    if env("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
        annotations::lines(sum, gathered)
            .iter()
            .for_each(|line| terminal::print(line));
    }
    Ok(())
}

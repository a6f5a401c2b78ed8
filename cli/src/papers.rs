//! The reports of a suite beside its results: JUnit XML, step summary, code quality report, HTML, and the files of each
//! failure. A CI system around us is notified.
//!
//! Everything is made from the folder and the catalogue; nothing here decides the outcome of a suite.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::Path,
};

use anyhow::{Context, ensure};
use sleet::run::{shard::Shard, summary::Summary};
use sleet_reports::{
    gather::Gathered,
    html::{self, Suite, reality::Compared},
    junit,
    machines::{annotations, quality, step},
};

use crate::{attach, catalogue::Catalogue, folder::write, manifest::Manifest, terminal};

/// The number of failures with a page after a run; `report` makes pages for all saved ones.
pub const PAGES: usize = 20;

/// The comparison with real networks in the folder of a suite: `report --reality` puts it there.
const REALITY: &str = "reality.json";

/// A suite whose reports are to be written.
pub struct Papers<'a> {
    pub catalogue: &'a Catalogue,
    pub folder: &'a Path,
    pub sum: &'a Summary,
    pub gathered: &'a Gathered<'a>,
    pub manifest: Option<&'a Manifest>,
}

impl Papers<'_> {
    /// Writes all reports into the folder, with pages of the first `most` failures if given; returns how many have one.
    ///
    /// # Errors
    /// Fails if they cannot be written.
    pub fn leave(&self, most: Option<usize>) -> anyhow::Result<usize> {
        let Self {
            folder,
            sum,
            gathered,
            ..
        } = self;
        let failures: Vec<_> = gathered.failures().cloned().collect();
        let scenarios = gathered.scenarios().iter().copied();
        write(folder, "junit.xml", &junit::xml(scenarios, sum, &failures))?;
        write(folder, "step-summary.md", &step::markdown(sum, gathered))?;
        write(folder, "code-quality.json", &quality::json(sum, gathered))?;
        let pages = attach::attach(self.catalogue, folder, gathered, most)?;
        let suite = Suite {
            summary: sum,
            gathered,
            about: &self.about(),
            program: self.catalogue.program(),
            reality: &reality(&folder.join(REALITY))?,
        };
        write(folder, "report.html", &html::suite(&suite, &pages))?;
        Ok(pages.len())
    }

    /// Returns the fields of the manifest that are the same whenever and wherever the suite runs.
    fn about(&self) -> Vec<(String, String)> {
        let Some(manifest) = self.manifest else {
            return Vec::new();
        };
        let mut about = vec![
            ("profile".to_owned(), manifest.profile.clone()),
            ("build".to_owned(), manifest.build.clone()),
        ];
        if manifest.shard != Shard::WHOLE {
            about.push(("shard".to_owned(), manifest.shard.to_string()));
        }
        if !manifest.complete {
            about.push(("complete".to_owned(), "no: not everything ran".to_owned()));
        }
        about
    }
}

/// Puts the comparison with real networks, the `table.json` of `cargo xtask reality`, into the folder of a suite.
///
/// # Errors
/// Fails if `table` is none, or cannot be written to the folder.
pub fn add_reality(folder: &Path, table: &Path) -> anyhow::Result<()> {
    ensure!(
        table.is_file(),
        "there is no file '{}': 'cargo xtask reality' leaves one, target/reality/table.json",
        table.display()
    );
    let rows = reality(table)?;
    write(folder, REALITY, &serde_json::to_string_pretty(&rows)?)
}

/// Reads the comparison with real networks; none is empty.
fn reality(file: &Path) -> anyhow::Result<Vec<Compared>> {
    match fs::read_to_string(file) {
        Ok(text) => serde_json::from_str(&text).with_context(|| {
            format!(
                "'{}' is not the table.json of 'cargo xtask reality'",
                file.display()
            )
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("cannot read '{}'", file.display())),
    }
}

/// Notifies the CI system that runs us, if there is one.
///
/// # Errors
/// Fails if the file that it names cannot be added to.
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

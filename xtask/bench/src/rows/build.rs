//! What somebody waits for who builds: a fresh clone, the tests after that, and one more build.

use std::{fs, path::Path, process::Command};

use anyhow::Context;

use super::{Settings, interleaved};
use crate::{
    cargo::{cargo, root, succeed},
    row::{Budget, Row},
    wall::timed,
};

/// What a newcomer runs first, small enough that it is building that is measured.
const FIRST: [&str; 5] = ["xtask", "run", "candidates/buffer-receiver", "--seeds", "0..100"];
/// A file of the calling app.
const TOUCHED: &str = "scenarios/src/client/call.rs";

pub(super) fn incremental(settings: Settings) -> anyhow::Result<Vec<Row>> {
    let root = root()?;
    let touched = root.join(TOUCHED);
    let folder = tempfile::tempdir()?;
    let mut n = 0;
    let [took] = interleaved(
        settings.rounds_or(3),
        [Box::new(|_| {
            n += 1;
            let text = fs::read(&touched).with_context(|| format!("cannot read '{}'", touched.display()))?;
            fs::write(&touched, text)?;
            let out = folder.path().join(n.to_string());
            let mut command = cargo(&root);
            command.args([
                "xtask",
                "run",
                "candidates/buffer-receiver",
                "--seed",
                "1",
                "--out",
            ]);
            Ok(timed(|| succeed(command.arg(out)))?.0 / 1_000.0)
        })],
    )?;
    Ok(Row::alone("incremental", "s", &took, Budget::AtMost(5.0))
        .into_iter()
        .collect())
}

pub(super) fn fresh(_: Settings) -> anyhow::Result<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    let took = first_result(folder.path())?;
    Ok(Row::alone("fresh", "s", &[took], Budget::AtMost(210.0))
        .into_iter()
        .collect())
}

/// With the first command, which it needs: both are shown.
pub(super) fn second(_: Settings) -> anyhow::Result<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    let first = first_result(folder.path())?;
    let mut command = cargo(folder.path());
    command.args(["test", "--workspace"]);
    let (took, ()) = timed(|| succeed(&mut command))?;
    let rows = [
        Row::alone("fresh", "s", &[first], Budget::AtMost(210.0)),
        Row::alone("second", "s", &[took / 1_000.0], Budget::AtMost(120.0)),
    ];
    Ok(rows.into_iter().flatten().collect())
}

/// Clones what is committed into `folder`, and runs the first command there; how many seconds that takes. Sources that
/// the registry would have to send are there already.
fn first_result(folder: &Path) -> anyhow::Result<f64> {
    let mut clone = Command::new("git");
    clone.arg("clone").arg("--quiet").arg(root()?).arg(folder);
    let (took, ()) = timed(|| {
        succeed(&mut clone)?;
        succeed(cargo(folder).args(FIRST))
    })?;
    Ok(took / 1_000.0)
}

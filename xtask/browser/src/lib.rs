//! `cargo xtask chromium`: calls between the app `examples/own-client` and a page in Chromium, for real.
//!
//! The page ([`page`], `page/phone.html`) is a phone for the app's server, written as the specification of the browser's API says. A
//! browser is driven over its DevTools protocol ([`devtools`]), the app by its terminal ([`app`]); cases ([`cases`]) see two phones
//! of either kind ([`phone`], [`stage`]) and say what happens and what must come of it ([`scenes`]). [`table`] writes it down.
//!
//! Everything takes place in a [`cage`], from which no packet comes out. Where there is no Chromium, that is said, and nothing fails.

pub mod app;
pub mod cage;
pub mod cases;
pub mod devtools;
pub mod page;
pub mod phone;
pub mod scenes;
pub mod stage;
pub mod table;

use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde_json::json;
use sleet_reality::tools;

use cases::Case;
use devtools::Browser;
use stage::Programs;
use table::{Came, Row};

/// The exit code where there is no Chromium, or no cage for it.
pub const CANNOT: u8 = 77;
/// The exit code where a case is not as expected.
pub const NOT_AS_EXPECTED: u8 = 100;
/// The exit code where the filter selected nothing.
const NOTHING_SELECTED: u8 = 4;
/// The exit code where the cage did not end by itself.
const FAILED: u8 = 2;

/// What `cargo xtask chromium` is asked.
#[derive(clap::Args)]
pub struct Args {
    /// Prefixes of names of cases, such as `restart`; `=connect/page-calls-app` is that case and no other. Without one, every case
    filter: Vec<String>,
    /// List the cases
    #[arg(long)]
    list: bool,
    /// Write the table of docs/chromium.md from what the folder has
    #[arg(long)]
    write: bool,
    /// The folder for the results. What it has of other cases stays
    #[arg(long, value_name = "DIR", default_value = "target/chromium")]
    out: PathBuf,
    #[arg(long, hide = true)]
    inside: bool,
}

/// Does what was asked; the exit code.
///
/// # Errors
/// When a tool of the system fails, or the app does not build.
pub fn chromium(args: &Args) -> anyhow::Result<u8> {
    let cases = cases::selected(&args.filter);
    let mut out = io::stdout().lock();
    if cases.is_empty() {
        writeln!(out, "the filter selected nothing; --list has the cases")?;
        return Ok(NOTHING_SELECTED);
    }
    if args.list {
        for case in &cases {
            writeln!(out, "{:48} {}", case.name, case.expected)?;
        }
        return Ok(0);
    }
    let root = root()?;
    let folder = root.join(&args.out);
    if args.inside {
        return inside(&folder, &cases, &mut out);
    }
    let missing = missing();
    if !missing.is_empty() {
        writeln!(out, "skipped: nobody can call Chromium here; missing:")?;
        for what in missing {
            writeln!(out, "  {what}")?;
        }
        return Ok(CANNOT);
    }
    build(&root)?;
    let mut job: Vec<OsString> = vec!["chromium".into(), "--inside".into(), "--out".into()];
    job.push(folder.clone().into());
    job.extend(args.filter.iter().map(OsString::from));
    let status = cage::inside(&job, &folder.join("temporary"))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    let code = code.unwrap_or(FAILED);
    if args.write && [0, NOT_AS_EXPECTED].contains(&code) {
        write_page(&root, &folder)?;
    }
    Ok(code)
}

/// What this machine lacks, one thing in each entry.
fn missing() -> Vec<String> {
    if !cfg!(target_os = "linux") {
        return vec!["Linux: namespaces are its own".to_owned()];
    }
    let mut missing = Vec::new();
    if page::program().is_none() {
        missing.push("chromium (apt-get install chromium)".to_owned());
    }
    if !cage::is_possible() {
        missing.push("network namespaces (root, and apt-get install util-linux iproute2)".to_owned());
    }
    missing
}

/// The root of this repository.
fn root() -> anyhow::Result<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.ancestors().nth(2).context("this package has moved")?;
    Ok(root.to_owned())
}

/// Builds the app.
fn build(root: &Path) -> anyhow::Result<()> {
    let mut command = tools::cargo();
    // With the features that the workspace asks for: what is built already is not built anew.
    command.args(["build", "--quiet", "--workspace", "--bin", "own-client"]);
    let status = command.current_dir(root).status().context("cargo")?;
    anyhow::ensure!(status.success(), "own-client does not build");
    Ok(())
}

/// Plays `cases`, in the cage.
fn inside(folder: &Path, cases: &[Case], out: &mut impl Write) -> anyhow::Result<u8> {
    cage::settle()?;
    let bin = std::env::current_exe()?;
    let programs = Programs {
        app: bin.with_file_name("own-client"),
        browser: page::program().context("no Chromium")?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let version = match version(&programs.browser).await {
            Ok(version) => version,
            Err(error) => {
                writeln!(out, "skipped: Chromium does not start here: {error:#}")?;
                return Ok(CANNOT);
            }
        };
        writeln!(out, "{version}")?;
        play(folder, &programs, cases, &version, out).await
    })
}

/// What the browser calls itself.
async fn version(program: &Path) -> anyhow::Result<String> {
    let (mut browser, _events) = Browser::start(program, &[]).await?;
    let version = browser.command(None, "Browser.getVersion", json!({})).await?;
    let product = version["product"].as_str().context("it has no version")?;
    Ok(product.replace('/', " "))
}

async fn play(
    folder: &Path,
    programs: &Programs,
    cases: &[Case],
    version: &str,
    out: &mut impl Write,
) -> anyhow::Result<u8> {
    let mut wrong = 0;
    for case in cases {
        let came = scenes::play(programs, case.ends, &case.settings, case.scene).await;
        let came = came.unwrap_or_else(|error| Came {
            seen: Vec::new(),
            wrong: vec![format!("{error:#}")],
        });
        let row = Row {
            case: case.name.clone(),
            expected: case.expected.clone(),
            seen: came.seen,
            wrong: came.wrong,
        };
        wrong += usize::from(!row.wrong.is_empty());
        report(&row, out)?;
        // Each as it ends: what was seen is not lost with who is killed.
        let mut rows = table::kept(folder)?;
        version.clone_into(&mut rows.browser);
        rows.rows.insert(row.case.clone(), row);
        table::keep(folder, &rows)?;
    }
    writeln!(out, "\n{} cases, {wrong} not as expected", cases.len())?;
    Ok(if wrong == 0 { 0 } else { NOT_AS_EXPECTED })
}

/// A case on the terminal.
fn report(row: &Row, out: &mut impl Write) -> io::Result<()> {
    let verdict = if row.wrong.is_empty() {
        "ok"
    } else {
        "NOT AS EXPECTED"
    };
    writeln!(out, "\n{}: {verdict}", row.case)?;
    for wrong in &row.wrong {
        writeln!(out, "  ! {wrong}")?;
    }
    for seen in &row.seen {
        writeln!(out, "    {seen}")?;
    }
    out.flush()
}

/// Writes the table of docs/chromium.md.
fn write_page(root: &Path, folder: &Path) -> anyhow::Result<()> {
    let names: Vec<String> = cases::all().into_iter().map(|case| case.name).collect();
    let path = root.join("docs/chromium.md");
    let text = fs::read_to_string(&path).context("docs/chromium.md")?;
    let written = table::written(&text, &table::kept(folder)?, &names);
    let written = written.context("docs/chromium.md has no place for the table")?;
    fs::write(path, written).context("docs/chromium.md")
}

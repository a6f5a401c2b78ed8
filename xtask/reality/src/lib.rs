//! `cargo xtask reality`: the plans of simulated calls, executed on real kernel networks, and the comparison of the two.
//!
//! A case is a way to draw plans ([`cases`], [`catalogue`]). The app's own suite plays them ([`simulated`]); and phones and a server on kernel sockets execute
//! them ([`suite`], [`call`], [`phone`]), in network namespaces behind Linux NATs ([`world`], [`nat`]), over a wire that does
//! what the links of the plan do ([`wire`]). [`compare`] says whether the two agree, [`page`] writes it down.
//!
//! Everything is made inside of a [`cage`], which the kernel takes away with the process that holds it. Nothing here may touch
//! what lies outside of it but the folder of results.

pub mod cage;
pub mod call;
pub mod capture;
pub mod cases;
pub mod catalogue;
pub mod clock;
pub mod compare;
pub mod damage;
pub mod endings;
pub mod lane;
pub mod leftovers;
pub mod matrix;
pub mod nat;
pub mod own_server;
pub mod packet;
pub mod page;
pub mod phone;
pub mod place;
pub mod round;
pub mod simulated;
pub mod suite;
pub mod table;
pub mod todo;
pub mod tools;
pub mod turn;
pub mod wire;
pub mod world;

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    net::Ipv4Addr,
    path::{Path, PathBuf},
};

use anyhow::Context;

use cases::Case;
use compare::{Row, Sample};

/// The exit code where real networks cannot be made.
pub const CANNOT: u8 = 77;
/// The exit code where reality and simulation disagree.
pub const DISAGREE: u8 = 100;
/// The exit code where the filter selected nothing.
const NOTHING_SELECTED: u8 = 4;

/// What `cargo xtask reality` is asked.
#[derive(clap::Args)]
pub struct Args {
    /// Prefixes of names of cases, such as `nat` or `nat/accept`; `=nat/accept` is that case and no other. Without one, every case
    filter: Vec<String>,
    /// List the cases
    #[arg(long)]
    list: bool,
    /// Only the real or only the simulated calls; of the others, what the folder has
    #[arg(long, value_enum)]
    only: Option<Half>,
    /// How many real calls of each case at most
    #[arg(long, value_name = "N")]
    calls: Option<u64>,
    /// How many simulated calls of each case at most
    #[arg(long, value_name = "N")]
    seeds: Option<u64>,
    /// How many real calls take place side by side at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    side_by_side: u8,
    /// The folder for the results. What it has of other cases stays
    #[arg(long, value_name = "DIR", default_value = "target/reality")]
    out: PathBuf,
    /// Write the table of docs/reality.md from all full samples in the folder
    #[arg(long)]
    write: bool,
    /// Write docs/reality.md, and run nothing
    #[arg(long)]
    only_write: bool,
    /// Kill a run in the middle, and show that it leaves nothing
    #[arg(long)]
    leftovers: bool,
    /// Keep captures of cases that agree too
    #[arg(long)]
    captures: bool,
    /// STUN and TURN by our own server, also where coturn is installed
    #[arg(long)]
    own_server: bool,
    #[arg(long, hide = true)]
    inside: Option<PathBuf>,
    #[arg(long, hide = true)]
    wire: bool,
    #[arg(long, hide = true)]
    serve: Option<Ipv4Addr>,
}

/// How many simulated calls of a case that disagrees leave their traces.
const TRACED: u64 = 5;

/// One of the two that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Half {
    /// Phones on kernel sockets.
    Real,
    /// Phones in the simulation.
    Simulated,
}

/// Does what was asked; the exit code.
///
/// # Errors
/// When a tool of the system fails, or the app does not build.
pub fn reality(args: &Args) -> anyhow::Result<u8> {
    if args.wire {
        return wire::run().map(|()| 0);
    }
    if let Some(address) = args.serve {
        return own_server::run(address).map(|()| 0);
    }
    if let Some(folder) = &args.inside {
        return suite::run(folder).map(|()| 0);
    }
    let cases = selected(&args.filter);
    let mut out = io::stdout().lock();
    if cases.is_empty() {
        writeln!(out, "the filter selected nothing")?;
        return Ok(NOTHING_SELECTED);
    }
    if args.list {
        for Case {
            name,
            about,
            real,
            simulated,
            ..
        } in &cases
        {
            writeln!(out, "{name:24} {real:4} real, {simulated:5} simulated: {about}")?;
        }
        return Ok(0);
    }
    let root = root()?;
    if args.only_write {
        return write_page(&root, &args.out).map(|()| 0);
    }
    let missing = tools::missing();
    if !missing.is_empty() {
        writeln!(out, "real networks cannot be made here; missing:")?;
        for what in missing {
            writeln!(out, "  {what}")?;
        }
        return Ok(CANNOT);
    }
    if !tools::has_coturn() {
        writeln!(
            out,
            "STUN and TURN by our own server; with coturn (apt-get install coturn) they are an independent one's"
        )?;
    }
    simulated::build(&root)?;
    if args.leftovers {
        return leftovers::show(&mut out);
    }
    let rows = both(args, &root, &cases, &mut out)?;
    if args.write {
        write_page(&root, &args.out)?;
    }
    let apart = rows.iter().filter(|row| !row.disagreements().is_empty()).count();
    writeln!(
        out,
        "\n{} cases, {apart} disagree; {}",
        rows.len(),
        args.out.display()
    )?;
    Ok(if apart == 0 { 0 } else { DISAGREE })
}

fn selected(filter: &[String]) -> Vec<Case> {
    let fits = |name: &str| {
        filter.is_empty()
            || filter.iter().any(|f| match f.strip_prefix('=') {
                Some(exact) => name == exact,
                None => name.starts_with(f.as_str()),
            })
    };
    catalogue::all()
        .into_iter()
        .filter(|case| fits(&case.name))
        .collect()
}

/// The root of this repository.
fn root() -> anyhow::Result<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.ancestors().nth(2).context("this package has moved")?;
    Ok(root.to_owned())
}

/// Simulates and executes `cases`.
fn both(args: &Args, root: &Path, cases: &[Case], out: &mut impl Write) -> anyhow::Result<Vec<Row>> {
    let bin = std::env::current_exe()?;
    let bin = bin.parent().context("a folder of programs")?;
    let folder = root.join(&args.out);
    let executed = folder.join(suite::EXECUTED);
    fs::create_dir_all(&executed)?;
    let suite = bin.join("own-sim");
    let mut had = kept(&folder)?;
    let mut real = match args.only {
        Some(Half::Simulated) => BTreeMap::new(),
        _ => executed_in(&executed, args, bin, cases)?,
    };
    let mut rows = Vec::new();
    for case in cases {
        let before = had.remove(&case.name);
        let (real_before, simulated_before, captures_before) = before
            .map(|row| (row.real, row.simulated, row.captures))
            .unwrap_or_default();
        let simulated = match args.only {
            Some(Half::Real) => simulated_before,
            _ => {
                let seeds = args.seeds.map_or(case.simulated, |most| case.simulated.min(most));
                simulated::play(&suite, case, seeds, None)?
            }
        };
        let mut row = Row {
            case: case.name.clone(),
            about: case.about.to_owned(),
            real: real.remove(&case.name).unwrap_or(real_before),
            simulated,
            captures: captures_before,
        };
        if args.only != Some(Half::Simulated) {
            row.captures = capture::sort_out(&executed, &row, args.captures)?;
        }
        let line = page::table(std::slice::from_ref(&row));
        writeln!(
            out,
            "{} {}",
            line.lines().last().unwrap_or_default(),
            row.pairs_apart().join("; ")
        )?;
        page::details(&row, &executed, out)?;
        if !row.disagreements().is_empty() {
            let traces = folder.join("simulated").join(&case.name);
            simulated::play(&suite, case, TRACED, Some(&traces))?;
            writeln!(out, "  simulated traces: {}", traces.display())?;
        }
        out.flush()?;
        rows.push(row);
    }
    keep(&folder, &rows, args.only)?;
    Ok(rows)
}

/// Executes `cases`, and reads what the real calls left, by case.
fn executed_in(
    executed: &Path,
    args: &Args,
    bin: &Path,
    cases: &[Case],
) -> anyhow::Result<BTreeMap<String, Sample>> {
    let calls = |case: &Case| args.calls.map_or(case.real, |most| case.real.min(most));
    let job = suite::Job {
        app: bin.join("own-client"),
        cases: cases.iter().map(|c| (c.name.clone(), calls(c))).collect(),
        side_by_side: args.side_by_side,
        own_server: args.own_server || !tools::has_coturn(),
    };
    fs::write(executed.join(suite::JOB), serde_json::to_string_pretty(&job)?)?;
    let status = cage::inside(executed)?;
    anyhow::ensure!(status.success(), "the real calls: {status}");
    suite::samples(executed)
}

/// The rows that a folder keeps.
fn kept(folder: &Path) -> anyhow::Result<BTreeMap<String, Row>> {
    match fs::read_to_string(folder.join("rows.json")) {
        Ok(text) => Ok(serde_json::from_str(&text)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error.into()),
    }
}

/// Keeps `rows` with what the folder has; of rows of which only one half was made, that half.
fn keep(folder: &Path, rows: &[Row], only: Option<Half>) -> anyhow::Result<()> {
    let mut all = kept(folder)?;
    for row in rows {
        let kept = all.entry(row.case.clone()).or_insert_with(|| row.clone());
        kept.about.clone_from(&row.about);
        if only != Some(Half::Simulated) {
            kept.real.clone_from(&row.real);
            kept.captures.clone_from(&row.captures);
        }
        if only != Some(Half::Real) {
            kept.simulated.clone_from(&row.simulated);
        }
    }
    fs::write(folder.join("rows.json"), serde_json::to_string(&all)?)?;
    table::write(folder, &all, catalogue::all().into_iter().map(|case| case.name))
}

/// Writes the tables of docs/reality.md.
fn write_page(root: &Path, folder: &Path) -> anyhow::Result<()> {
    let mut kept = kept(&root.join(folder))?;
    let rows = catalogue::all().into_iter().filter_map(|case| {
        let row = kept.remove(&case.name)?;
        // A few calls made by the way say nothing.
        (row.real.calls >= case.real && row.simulated.calls >= case.simulated).then_some(row)
    });
    let rows: Vec<Row> = rows.collect();
    let path = root.join("docs/reality.md");
    let text = fs::read_to_string(&path).context("docs/reality.md")?;
    let written = page::written(&text, &rows).context("docs/reality.md has no place for the table")?;
    Ok(fs::write(path, written)?)
}

//! `cargo xtask docs`: writes the parts of pages that are generated from the code.
//!
//! A page is written by hand, except for blocks between two comments, which this command writes ([`blocks`]). The
//! oracles' requirements are generated from their registry and the catalogue ([`oracles`]) at no cost. Tables of
//! results are made from suites at stated seeds ([`results`]), which takes minutes, and `--check` runs a few seeds of
//! each again. Schemas of files are files of their own ([`schemas`]).

pub mod blocks;
pub mod oracles;
pub mod results;
pub mod schemas;

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::Path,
};

use anyhow::Context;

use crate::{
    search_compare,
    tidy::tree::{Tree, root},
};
use blocks::Block;

/// What `cargo xtask docs` is asked.
#[derive(clap::Args)]
pub struct Args {
    /// Write nothing: fail if a page is not what would be written. Tables of results are checked on a few seeds
    #[arg(long)]
    check: bool,
    /// Run the suites behind the tables of results, and write these too (takes minutes)
    #[arg(long, conflicts_with = "check")]
    results: bool,
}

/// Writes or checks the generated blocks; returns true if every page is current now.
pub fn docs(args: &Args) -> anyhow::Result<bool> {
    let root = root()?;
    let tree = Tree::read(&root)?;
    let pages = tree
        .ending(".md")
        .filter(|(_, text)| text.contains(blocks::BEGIN));
    let pages: Vec<(&str, &str)> = pages.collect();
    let mut out = io::stdout().lock();
    if args.check {
        let mut stale = stale(&root, &pages)?;
        stale.extend(schemas::stale(&tree));
        for what in &stale {
            writeln!(out, "{what}")?;
        }
        writeln!(
            out,
            "docs: {} pages with generated blocks, {} stale",
            pages.len(),
            stale.len()
        )?;
        return Ok(stale.is_empty());
    }
    let mut made = BTreeMap::from([(oracles::BLOCK.to_owned(), oracles::block())]);
    if args.results {
        for table in &results::TABLES {
            made.insert(table.block.to_owned(), table.measure(&root)?);
        }
    }
    for (path, text) in pages {
        let written = blocks::replace(text, &made).with_context(|| format!("in {path}"))?;
        if written != text {
            fs::write(root.join(path), &written).with_context(|| format!("cannot write {path}"))?;
            writeln!(out, "wrote {path}")?;
        }
    }
    for (path, text) in schemas::files() {
        if tree.text(&path) != Some(&text) {
            let file = root.join(&path);
            fs::create_dir_all(file.parent().unwrap_or(&root))
                .with_context(|| format!("cannot write {path}"))?;
            fs::write(file, text).with_context(|| format!("cannot write {path}"))?;
            writeln!(out, "wrote {path}")?;
        }
    }
    Ok(true)
}

/// Lists what is not current in `pages`.
fn stale(root: &Path, pages: &[(&str, &str)]) -> anyhow::Result<Vec<String>> {
    let mut stale = Vec::new();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for (path, text) in pages {
        for Block { name, text } in blocks::blocks(text).with_context(|| format!("in {path}"))? {
            let first = seen.entry(name.clone()).or_insert_with(|| text.clone());
            if *first != text {
                stale.push(format!(
                    "{path}: the block '{name}' differs from that of another page"
                ));
            }
        }
    }
    let is_known = |name: &str| {
        [oracles::BLOCK, search_compare::BLOCK].contains(&name)
            || results::TABLES.iter().any(|t| t.block == name)
    };
    for name in seen.keys().filter(|name| !is_known(name)) {
        stale.push(format!("nothing makes the block '{name}'"));
    }
    match seen.get(oracles::BLOCK) {
        Some(text) if *text == oracles::block() => {}
        _ => stale.push(format!(
            "the block '{}' is stale: cargo xtask docs",
            oracles::BLOCK
        )),
    }
    stale.extend(search_compare::what_is_stale(seen.get(search_compare::BLOCK))?);
    for table in &results::TABLES {
        let what = match seen.get(table.block) {
            None => Some("is on no page".to_owned()),
            Some(text) => table.what_is_stale(root, text)?,
        };
        stale.extend(what.map(|what| format!("the block '{}' {what}", table.block)));
    }
    Ok(stale)
}

//! The commands of the repository that slow rows run.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};

/// The root of the repository: where this package was built.
///
/// # Errors
/// When it has moved away since.
pub fn root() -> anyhow::Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    let root = root.context("this package has no root above it")?;
    ensure!(
        root.join("ARCHITECTURE.md").is_file(),
        "'{}' is no root",
        root.display()
    );
    Ok(root.to_owned())
}

/// `cargo` in `folder`, which says nothing.
pub fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // What cargo tells a program that it runs would tell another cargo something else.
    for (name, _) in env::vars_os() {
        let of_cargo = name.to_string_lossy().starts_with("CARGO_") && name != OsStr::new("CARGO_HOME");
        if of_cargo || name == "OUT_DIR" {
            command.env_remove(name);
        }
    }
    command
}

/// Runs `command` to its end.
///
/// # Errors
/// If it fails.
pub fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let said = format!("{command:?}");
    let status = command.status().with_context(|| said.clone())?;
    ensure!(status.success(), "{said}: {status}");
    Ok(())
}

/// The program of `cargo xtask`, built.
///
/// # Errors
/// If it does not build.
pub fn xtask() -> anyhow::Result<PathBuf> {
    let root = root()?;
    succeed(cargo(&root).args(["build", "--package", "xtask"]))?;
    // This program lies where cargo has put it, beside the other.
    let own = env::current_exe().context("this program has no path")?;
    let xtask = own.with_file_name("xtask");
    ensure!(xtask.is_file(), "'{}' is not there", xtask.display());
    Ok(xtask)
}

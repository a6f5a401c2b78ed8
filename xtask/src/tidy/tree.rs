//! The text files of a repository, by their paths. Rules see nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::Context;

/// Folders that are written by tools, or not for reading.
const SKIPPED: [&str; 4] = ["target", ".git", "node_modules", "snapshots"];

/// The text files of a repository.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    files: BTreeMap<String, String>,
    /// Files that are no text, such as pictures: they can be linked to.
    others: BTreeSet<String>,
}

impl Tree {
    /// Reads the files below `root`. Of files that are not UTF-8 only the paths are kept.
    ///
    /// # Errors
    /// Fails if a folder cannot be read.
    pub fn read(root: &Path) -> anyhow::Result<Self> {
        let mut tree = Self::default();
        tree.enter(root, "")?;
        Ok(tree)
    }

    /// Creates a tree of these files.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
        Self {
            files: files.iter().map(owned).collect(),
            others: BTreeSet::new(),
        }
    }

    /// Adds a file that is no text.
    #[cfg(test)]
    pub fn and_picture(mut self, path: &str) -> Self {
        self.others.insert(path.to_owned());
        self
    }

    fn enter(&mut self, folder: &Path, prefix: &str) -> anyhow::Result<()> {
        let cannot = || format!("cannot read '{}'", folder.display());
        for entry in fs::read_dir(folder).with_context(cannot)? {
            let entry = entry.with_context(cannot)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type().with_context(cannot)?;
            if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
                self.enter(&entry.path(), &format!("{prefix}{name}/"))?;
            } else if kind.is_file() && !SKIPPED.contains(&name.as_str()) {
                let path = format!("{prefix}{name}");
                match fs::read_to_string(entry.path()) {
                    Ok(text) => drop(self.files.insert(path, text)),
                    Err(_) => drop(self.others.insert(path)),
                }
            }
        }
        Ok(())
    }

    /// Adds an empty file at `path`, if there is none.
    pub fn expect(&mut self, path: &str) {
        self.files.entry(path.to_owned()).or_default();
    }

    /// Iterates over every file and its text, by path.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Iterates over the files whose paths end in `ending`.
    pub fn ending<'a>(&'a self, ending: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files().filter(move |(path, _)| path.ends_with(ending))
    }

    /// Returns the text of a file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Reports whether there is a file or a folder at this path.
    pub fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        path.is_empty()
            || self.files.contains_key(path)
            || self.others.contains(path)
            || self.begins_a_path(&format!("{path}/"))
    }

    /// Reports whether the path of some file begins with `start`.
    pub fn begins_a_path(&self, start: &str) -> bool {
        let text = self.files.range(start.to_owned()..).next().map(|(path, _)| path);
        let other = self.others.range(start.to_owned()..).next();
        [text, other]
            .into_iter()
            .flatten()
            .any(|path| path.starts_with(start))
    }
}

/// Returns the root of this repository: the parent of this package's folder.
///
/// # Errors
/// Fails if this package has moved away from it since it was built.
pub fn root() -> anyhow::Result<std::path::PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.parent().context("this package has no parent folder")?;
    anyhow::ensure!(
        root.join("ARCHITECTURE.md").is_file(),
        "'{}' is no root of this repository",
        root.display()
    );
    Ok(root.to_owned())
}

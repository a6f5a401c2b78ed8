//! Snapshots and their pending replacements as insta keeps them: `NAME.snap`, `NAME.snap.new`.
//!
//! A file begins with a header between two lines of dashes; the text follows. A decision about a part of a snapshot
//! writes that part; the pending file is removed when nothing differs any more.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use sleet_reports::review::{self, Group, Pending};

/// The line before and after the header.
const RULE: &str = "---\n";
/// A line of the header that only pending files have.
const PENDING_ONLY: &str = "assertion_line:";

/// All snapshots that have a pending replacement, by name.
pub struct Waiting {
    snapshots: Vec<Snapshot>,
}

struct Snapshot {
    committed: PathBuf,
    /// The header of the pending file.
    head: String,
    pending: Pending,
}

impl Waiting {
    /// Reads the pending snapshots of `folder`.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let entries = fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
        let mut names = Vec::new();
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            names.extend(name.strip_suffix(".snap.new").map(str::to_owned));
        }
        names.sort_unstable();
        let snapshots = names.iter().map(|name| Snapshot::read(folder, name));
        Ok(Self {
            snapshots: snapshots.collect::<anyhow::Result<_>>()?,
        })
    }

    /// Reports whether nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.snapshots.is_empty()
    }

    /// Returns the number of pending snapshots.
    pub fn len(&self) -> usize {
        self.snapshots.len()
    }

    /// Returns the pending differences.
    pub fn pending(&self) -> Vec<Pending> {
        self.snapshots.iter().map(|s| s.pending.clone()).collect()
    }

    /// Writes the changes of `groups` into the committed files.
    pub fn accept(&self, groups: &[&Group]) -> anyhow::Result<()> {
        for snapshot in &self.snapshots {
            let Some(text) = review::accept(&snapshot.pending, groups) else {
                continue;
            };
            snapshot.write(&snapshot.committed, &text)?;
            if text == snapshot.pending.new {
                snapshot.forget()?;
            }
        }
        Ok(())
    }

    /// Undoes the changes of `groups` in the pending files.
    pub fn reject(&self, groups: &[&Group]) -> anyhow::Result<()> {
        for snapshot in &self.snapshots {
            match review::reject(&snapshot.pending, groups) {
                None => {}
                Some(text) if snapshot.pending.old.as_ref().is_none_or(|old| *old == text) => {
                    snapshot.forget()?;
                }
                Some(text) => snapshot.write(&snapshot.successor(), &text)?,
            }
        }
        Ok(())
    }
}

impl Snapshot {
    fn read(folder: &Path, name: &str) -> anyhow::Result<Self> {
        let committed = folder.join(format!("{name}.snap"));
        let (head, new) = read(&successor(&committed))?;
        let old = match committed.exists() {
            true => Some(read(&committed)?.1),
            false => None,
        };
        Ok(Self {
            committed,
            head,
            pending: Pending {
                name: name.to_owned(),
                old,
                new,
            },
        })
    }

    fn successor(&self) -> PathBuf {
        successor(&self.committed)
    }

    fn write(&self, path: &Path, text: &str) -> anyhow::Result<()> {
        let head: String = self
            .head
            .split_inclusive('\n')
            .filter(|line| !line.starts_with(PENDING_ONLY))
            .collect();
        fs::write(path, format!("{RULE}{head}{RULE}{text}"))
            .with_context(|| format!("{} cannot be written", path.display()))
    }

    fn forget(&self) -> anyhow::Result<()> {
        let path = self.successor();
        fs::remove_file(&path).with_context(|| format!("{} cannot be removed", path.display()))
    }
}

fn successor(committed: &Path) -> PathBuf {
    committed.with_extension("snap.new")
}

/// Reads the header and the text of a snapshot; the text ends with one line break, as reports do.
fn read(path: &Path) -> anyhow::Result<(String, String)> {
    let file = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let parts = file
        .strip_prefix(RULE)
        .and_then(|rest| rest.split_once(&format!("\n{RULE}")));
    ensure!(
        parts.is_some(),
        "{} is no snapshot: it has no head",
        path.display()
    );
    let (head, text) = parts.unwrap_or_default();
    Ok((format!("{head}\n"), format!("{}\n", text.trim_end())))
}

#[cfg(test)]
mod tests {
    use sleet_reports::review::groups;
    use tempfile::TempDir;

    use super::*;

    const HEAD: &str = "---\nsource: tests/review/main.rs\n---\n";
    const NEW_HEAD: &str = "---\nsource: tests/review/main.rs\nassertion_line: 41\n---\n";

    fn sheet(packets: u64, joined: u64) -> String {
        format!(
            "behaviour of calls\n\noutcomes\nscenario |  runs |  held | packets\n-------- | ----: | ----: | ------:\n\
             rapid    |    10 |    10 | {packets:>7}\n\nmessages that clients sent\nscenario | message, how many\n\
             -------- | -----------------\nrapid    | joined {joined}\n"
        )
    }

    fn folder() -> TempDir {
        let folder = TempDir::new().expect("a folder");
        let write = |name: &str, text: String| fs::write(folder.path().join(name), text).expect("written");
        write("behaviour__calls.snap", format!("{HEAD}{}", sheet(1_000, 10)));
        write(
            "behaviour__calls.snap.new",
            format!("{NEW_HEAD}{}", sheet(1_010, 20)),
        );
        write(
            "story__glare.snap.new",
            format!("{NEW_HEAD}calls/glare@0\n\noracles\n  held: CONN-01\n"),
        );
        folder
    }

    fn decide(folder: &TempDir, accept: &[&str], reject: &[&str]) {
        let all = groups(&Waiting::read(folder.path()).expect("files").pending());
        let chosen =
            |ids: &[&str]| -> Vec<&Group> { all.iter().filter(|g| ids.contains(&g.id.as_str())).collect() };
        let read = || Waiting::read(folder.path()).expect("files");
        read().accept(&chosen(accept)).expect("accepted");
        read().reject(&chosen(reject)).expect("rejected");
    }

    fn text(folder: &TempDir, name: &str) -> Option<String> {
        fs::read_to_string(folder.path().join(name)).ok()
    }

    #[test]
    fn a_part_is_accepted_and_the_rest_stays_pending() {
        let folder = folder();
        decide(&folder, &["packets-about"], &[]);
        let committed = text(&folder, "behaviour__calls.snap").expect("committed");
        assert_eq!(
            committed,
            format!("{HEAD}{}", sheet(1_010, 10)),
            "without the line of the assertion"
        );
        assert!(text(&folder, "behaviour__calls.snap.new").is_some());

        decide(&folder, &["message-joined-1-more"], &[]);
        let committed = text(&folder, "behaviour__calls.snap").expect("committed");
        assert_eq!(committed, format!("{HEAD}{}", sheet(1_010, 20)));
        assert_eq!(text(&folder, "behaviour__calls.snap.new"), None);
    }

    #[test]
    fn one_part_is_accepted_and_the_other_rejected_in_one_go() {
        let folder = folder();
        decide(
            &folder,
            &["packets-about", "snapshot-new"],
            &["message-joined-1-more"],
        );
        let committed = text(&folder, "behaviour__calls.snap").expect("committed");
        assert_eq!(committed, format!("{HEAD}{}", sheet(1_010, 10)));
        assert!(
            text(&folder, "story__glare.snap")
                .expect("committed")
                .starts_with(HEAD)
        );
        assert!(Waiting::read(folder.path()).expect("files").is_empty());
    }

    #[test]
    fn a_new_snapshot_that_is_rejected_is_gone() {
        let folder = folder();
        decide(
            &folder,
            &[],
            &["snapshot-new", "packets-about", "message-joined-1-more"],
        );
        assert_eq!(text(&folder, "story__glare.snap"), None);
        let committed = text(&folder, "behaviour__calls.snap").expect("committed");
        assert_eq!(committed, format!("{HEAD}{}", sheet(1_000, 10)), "untouched");
        assert!(Waiting::read(folder.path()).expect("files").is_empty());
    }
}

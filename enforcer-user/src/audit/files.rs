//! The files of a log: the one that is written, and those that are full.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Name of the file that is written, in the state directory.
pub const FILE: &str = "audit.jsonl";

/// What a file is called once it is full, by the number of its last entry.
pub(super) fn full(last: u64) -> String {
    format!("audit-{last:012}.jsonl")
}

/// All files of the log in this directory, in the order in which they were written.
pub fn files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = full_files(dir)?;
    let current = dir.join(FILE);
    if current.exists() {
        files.push(current);
    }
    Ok(files)
}

/// The files that are full.
pub(super) fn full_files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut numbered = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        numbered.extend(name.to_str().and_then(last_of).zip(Some(dir.join(&name))));
    }
    numbered.sort_unstable();
    Ok(numbered.into_iter().map(|(_, path)| path).collect())
}

fn last_of(name: &str) -> Option<u64> {
    let number = name.strip_prefix("audit-")?.strip_suffix(".jsonl")?;
    number.parse().ok()
}

//! Alerts that wait on the disk, one file each, in the order of their numbers: they outlive the gateway, and the machine.
//!
//! A file is there whole or not at all, and goes when the alert has arrived. What the disk does not take waits in memory, in
//! its place. Bounded in number and bytes, wherever they wait.

use std::{
    collections::VecDeque,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::Alert;

/// What a spool holds at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) count: usize,
    pub(super) bytes: u64,
}

/// Some days of a quiet network, or some hours of the usual pace.
pub(super) const BOUNDS: Bounds = Bounds {
    count: 10_000,
    bytes: 8 << 20,
};

/// What a file that is not whole yet is called.
const UNFINISHED: &str = "unfinished";

/// The alerts that wait for one target.
#[derive(Debug)]
pub(super) struct Spool {
    directory: PathBuf,
    bounds: Bounds,
    entries: VecDeque<Entry>,
    bytes: u64,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    size: u64,
    /// The text of an alert that the disk did not take.
    kept: Option<Vec<u8>>,
}

/// What came of putting an alert there.
#[derive(Debug, Default)]
pub(super) struct Put {
    /// How many older ones had to go for it.
    pub(super) given_up: u64,
    /// Why it is not on the disk.
    pub(super) trouble: Option<io::Error>,
}

/// Why an alert cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum SpoolError {
    /// The file cannot be read.
    #[error("cannot read it: {0}")]
    Read(#[from] io::Error),
    /// There is something else in it.
    #[error("it holds no alert: {0}")]
    Damaged(#[from] serde_json::Error),
}

impl Spool {
    /// What waits in this directory. One that cannot be read is as good as empty, and is tried again with each alert.
    pub(super) fn open(directory: PathBuf, bounds: Bounds) -> (Self, Option<io::Error>) {
        let mut spool = Self {
            directory,
            bounds,
            entries: VecDeque::new(),
            bytes: 0,
            next: 1,
        };
        let trouble = spool.read_directory().err();
        if trouble.is_some() {
            // Above all numbers that may be there.
            spool.next = Timestamp::now().as_microsecond().unsigned_abs();
        }
        (spool, trouble)
    }

    fn read_directory(&mut self) -> io::Result<()> {
        make(&self.directory)?;
        let mut found = Vec::new();
        for file in fs::read_dir(&self.directory)? {
            let file = file?;
            if let Some(number) = number_of(&file.path()) {
                found.push((number, file.metadata()?.len()));
            }
        }
        found.sort_unstable();
        for (number, size) in found {
            self.next = number + 1;
            self.bytes += size;
            self.entries.push_back(Entry {
                number,
                size,
                kept: None,
            });
        }
        Ok(())
    }

    /// Where they wait.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Puts an alert behind the others. When there are too many, the oldest goes, unless it is `busy` being sent.
    pub(super) fn put(&mut self, alert: &Alert, busy: Option<u64>) -> Put {
        // An alert is plain fields.
        let text = serde_json::to_vec(alert).unwrap_or_default();
        let size = text.len() as u64;
        let mut put = Put::default();
        while self.entries.len() >= self.bounds.count || self.bytes + size > self.bounds.bytes {
            let mut entries = self.entries.iter();
            let Some(oldest) = entries.find(|entry| Some(entry.number) != busy) else {
                break;
            };
            self.remove(oldest.number);
            put.given_up += 1;
        }
        let number = self.next;
        self.next += 1;
        self.bytes += size;
        self.entries.push_back(Entry {
            number,
            size,
            kept: Some(text),
        });
        put.trouble = self.settle().err();
        put
    }

    /// Writes what waits in memory, the oldest first.
    fn settle(&mut self) -> io::Result<()> {
        for entry in self.entries.iter_mut().filter(|entry| entry.kept.is_some()) {
            if let Some(text) = &entry.kept {
                write(&self.directory, entry.number, text)?;
            }
            entry.kept = None;
        }
        Ok(())
    }

    /// The number of the one that is next.
    pub(super) fn first(&self) -> Option<u64> {
        self.entries.front().map(|entry| entry.number)
    }

    /// The alert with this number.
    pub(super) fn read(&self, number: u64) -> Result<Alert, SpoolError> {
        let entry = self.entries.iter().find(|entry| entry.number == number);
        let text = match entry.and_then(|entry| entry.kept.as_ref()) {
            Some(text) => text.clone(),
            None => fs::read(path(&self.directory, number))?,
        };
        Ok(serde_json::from_slice(&text)?)
    }

    /// Takes an alert out: it has arrived, or nobody will get it. Whether it was still there.
    pub(super) fn remove(&mut self, number: u64) -> bool {
        let place = self.entries.iter().position(|entry| entry.number == number);
        let Some(entry) = place.and_then(|place| self.entries.remove(place)) else {
            return false;
        };
        self.bytes -= entry.size;
        if entry.kept.is_none() {
            let path = path(&self.directory, number);
            if let Err(error) = fs::remove_file(&path) {
                let path = path.display();
                tracing::error!(
                    "cannot remove {path}: {error}; the alert in it would be sent again after a restart"
                );
            }
        }
        true
    }
}

fn make(directory: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}

fn path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:020}.json"))
}

fn number_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    name.strip_suffix(".json")?.parse().ok()
}

fn write(directory: &Path, number: u64, text: &[u8]) -> io::Result<()> {
    let unfinished = directory.join(UNFINISHED);
    let mut options = OpenOptions::new();
    let options = options.create(true).write(true).truncate(true).mode(0o600);
    let mut file = match options.open(&unfinished) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(directory)?;
            options.open(&unfinished)?
        }
        opened => opened?,
    };
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&unfinished, path(directory, number))?;
    // The name is in the directory, which is another file.
    File::open(directory)?.sync_all()
}

/// How many alerts wait in a directory.
pub(super) fn count(directory: &Path) -> usize {
    let files = fs::read_dir(directory).into_iter().flatten().flatten();
    files
        .filter(|file| number_of(&file.path()).is_some())
        .count()
}

#[cfg(test)]
mod tests;

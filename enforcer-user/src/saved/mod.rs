//! What is decided, on the disk: for the start after a reboot, when the kernel's tables are empty.
//!
//! The file is written whole or not at all, and holds names instead of numbers. Its last line is a checksum of all
//! before it.

mod format;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, BufWriter, ErrorKind, Write},
    net::IpAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use format::Damage;

/// Name of the file in the state directory.
pub const FILE: &str = "decisions.jsonl";

/// What was decided at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// When it was saved.
    pub at: Timestamp,
    /// Until when each source is believed.
    pub sources: Vec<SavedSource>,
    /// What was decided of hosts.
    pub rows: Vec<SavedRow>,
}

/// A source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedSource {
    /// Its name.
    pub name: String,
    /// The end of its lease, unless it has none.
    pub until: Option<Timestamp>,
}

/// What was decided of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedRow {
    /// Its zone.
    pub zone: String,
    /// Its address.
    pub address: IpAddr,
    /// Its role.
    pub role: String,
    /// Whose decision that is.
    pub source: String,
    /// The MAC address that it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// The end of the decision, unless it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// Why decisions are not saved, or not read.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// The file cannot be read.
    #[error("cannot read the saved decisions in {}: {cause}; mend its permissions", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The file cannot be written.
    #[error(
        "cannot save decisions in {}: {cause}; after a reboot nobody would be decided: make room, or mend its \
         permissions", path.display()
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The file is damaged.
    #[error(
        "the saved decisions in {} are damaged ({damage}) and none is in force; the file is kept as {}",
        path.display(), aside.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        damage: Damage,
        /// Where it is now.
        aside: PathBuf,
    },
}

/// What the file holds; nothing when there is none. A file that is damaged is moved aside.
pub fn read(path: &Path, now: Timestamp) -> Result<Option<Saved>, SavedError> {
    let cannot = |cause| SavedError::Read {
        path: path.to_owned(),
        cause,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(cannot(cause)),
    };
    let damage = match format::read(BufReader::new(file)) {
        Ok(saved) => return Ok(Some(saved)),
        Err(Damage::Unreadable(cause)) => return Err(cannot(cause)),
        Err(damage) => damage,
    };
    let aside = path.with_extension(format!("jsonl.corrupt-{}", now.as_second()));
    fs::rename(path, &aside).map_err(cannot)?;
    Err(SavedError::Damaged {
        path: path.to_owned(),
        damage,
        aside,
    })
}

/// Writes the file: after a crash it holds either this or what it held before. Rows are made one by one, since there may
/// be a million.
pub fn write(
    path: &Path,
    at: Timestamp,
    sources: Vec<SavedSource>,
    rows: impl ExactSizeIterator<Item = SavedRow>,
) -> Result<(), SavedError> {
    replace(path, |file| format::write(file, at, sources, rows)).map_err(|cause| {
        SavedError::Write {
            path: path.to_owned(),
            cause,
        }
    })
}

fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let new = path.with_extension("jsonl.new");
    let mut options = OpenOptions::new();
    let options = options.create(true).write(true).truncate(true).mode(0o600);
    let mut file = BufWriter::new(options.open(&new)?);
    write(&mut file)?;
    file.flush()?;
    file.get_ref().sync_all()?;
    fs::rename(&new, path)?;
    // The name is in the directory, which is another file.
    path.parent()
        .map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

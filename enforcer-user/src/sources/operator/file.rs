//! The file of exceptions: written whole or not at all, checked on reading.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    net::IpAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use enforcer_common::role::RoleId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::registry::{Exception, Operator};

const VERSION: u32 = 1;

/// Why exceptions cannot be read or stored.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Reading failed.
    #[error("cannot read the exceptions in {}: {source}; mend its permissions", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// Writing failed.
    #[error("cannot store the exceptions in {}: {source}; nothing was changed", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// Another version wrote it.
    #[error(
        "{} was written by another version of this program (format {found}); run that one, or move the \
         file away to begin without exceptions", path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// The version of its format.
        found: u32,
    },
}

/// One exception as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    pub(super) zone: String,
    pub(super) address: IpAddr,
    pub(super) role: String,
    pub(super) reason: String,
    by: Operator,
    since: Timestamp,
    pub(super) until: Option<Timestamp>,
}

impl Stored {
    pub(super) fn new(zone: &str, address: IpAddr, role: &str, exception: &Exception) -> Self {
        Self {
            zone: zone.to_owned(),
            address,
            role: role.to_owned(),
            reason: exception.reason.clone(),
            by: exception.by.clone(),
            since: exception.since,
            until: exception.until,
        }
    }

    pub(super) fn key(&self) -> (String, IpAddr) {
        (self.zone.clone(), self.address)
    }

    pub(super) fn exception(&self, role: RoleId) -> Exception {
        Exception {
            role,
            reason: self.reason.clone(),
            by: self.by.clone(),
            since: self.since,
            until: self.until,
        }
    }
}

#[derive(Deserialize)]
struct Format {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<T> {
    version: u32,
    exceptions: T,
}

/// What the file holds. One that cannot be understood is moved aside and said.
pub(super) fn read(path: &Path, now: Timestamp) -> Result<Vec<Stored>, FileError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            let path = path.to_owned();
            return Err(FileError::Read { path, source });
        }
    };
    if let Ok(Format { version: found }) = serde_json::from_slice(&text)
        && found != VERSION
    {
        let path = path.to_owned();
        return Err(FileError::Version { path, found });
    }
    match serde_json::from_slice::<Document<Vec<Stored>>>(&text) {
        Ok(document) => Ok(document.exceptions),
        Err(error) => {
            keep_aside(path, &error, now)?;
            Ok(Vec::new())
        }
    }
}

fn keep_aside(path: &Path, error: &serde_json::Error, now: Timestamp) -> Result<(), FileError> {
    let aside = path.with_extension(format!("json.corrupt-{}", now.as_second()));
    fs::rename(path, &aside).map_err(|source| FileError::Write {
        path: aside.clone(),
        source,
    })?;
    tracing::error!(
        file = %path.display(), kept = %aside.display(), %error,
        "the exceptions cannot be understood and none is in force; the file is kept aside: mend it, \
         put it back and restart, or make the exceptions anew"
    );
    Ok(())
}

/// Writes all of them: after a crash the file holds either these or the former ones.
pub(super) fn write<'a>(
    path: &Path,
    exceptions: impl Iterator<Item = &'a Stored>,
) -> Result<(), FileError> {
    replace(path, exceptions.collect()).map_err(|source| FileError::Write {
        path: path.to_owned(),
        source,
    })
}

fn replace(path: &Path, exceptions: Vec<&Stored>) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(&Document {
        version: VERSION,
        exceptions,
    })?;
    let new = path.with_extension("json.new");
    let mut options = OpenOptions::new();
    let mut file = options
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(&text)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    // The name is in the directory, which is another file.
    path.parent()
        .map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

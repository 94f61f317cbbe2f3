//! Whether the lines fit one another.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{
    entry::{self, Link},
    lines::{Line, Lines},
};

/// Why a line does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is not a line of this log.
    #[error("it is no entry of an audit log")]
    NoEntry,
    /// Its content has another hash than it says.
    #[error("it was changed: its hash is not that of its content")]
    Changed,
    /// Lines are missing, or stand elsewhere.
    #[error("it has the number {found} where {due} is due: lines are missing, or in another order")]
    Number {
        /// The number that comes next.
        due: u64,
        /// That of the line.
        found: u64,
    },
    /// It follows another line than the one before it.
    #[error("it was not written after the line before it, which was changed or put in its place")]
    Stranger,
    /// It has no end.
    #[error(
        "it is cut: the process or the machine stopped while it was written, or its end was removed"
    )]
    Cut,
    /// It is longer than any entry.
    #[error("it is longer than any entry")]
    TooLong,
}

/// Why a log does not stand.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A line does not fit.
    #[error("{}:{line}: {fault}", path.display())]
    Fault {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        fault: Fault,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: io::Error,
    },
}

/// What a log holds that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// How many files.
    pub files: usize,
    /// How many entries.
    pub entries: u64,
    /// The number of the first entry; earlier ones are elsewhere unless it is 1.
    pub first: u64,
    /// The number of the last one.
    pub last: u64,
    /// The hash of the last one, which stands for all of them.
    pub hash: String,
}

/// The lines so far.
#[derive(Debug, Default)]
pub(super) struct Chain {
    first: u64,
    entries: u64,
    last: Option<Link>,
}

impl Chain {
    /// Adds a line. One that does not fit, but is sound by itself, is followed all the same.
    pub(super) fn take(&mut self, line: &Line) -> Result<(), Fault> {
        let (read, prev) = line.read()?;
        let fits = self.fits(&read, &prev);
        if self.entries == 0 {
            self.first = read.seq;
        }
        self.entries += 1;
        self.last = Some(read);
        fits
    }

    fn fits(&self, link: &Link, prev: &str) -> Result<(), Fault> {
        let start = (link.seq == 1).then(Link::start);
        // Files from before the first one may be kept elsewhere.
        let Some(last) = self.last.clone().or(start) else {
            return Ok(());
        };
        let (due, found) = (last.seq + 1, link.seq);
        if found != due {
            return Err(Fault::Number { due, found });
        }
        if prev != last.hash {
            return Err(Fault::Stranger);
        }
        Ok(())
    }

    /// The last line.
    pub(super) fn last(&self) -> Option<&Link> {
        self.last.as_ref()
    }
}

impl Line {
    fn read(&self) -> Result<(Link, String), Fault> {
        if self.is_too_long {
            return Err(Fault::TooLong);
        }
        if !self.is_whole {
            return Err(Fault::Cut);
        }
        entry::read(&self.text)
    }
}

/// Reads these files, in the order in which they were written, up to the first line that does not fit.
pub fn verify(files: &[impl AsRef<Path>]) -> Result<Verified, VerifyError> {
    let mut chain = Chain::default();
    for path in files {
        let path = path.as_ref();
        let failed = |cause| VerifyError::File {
            path: path.to_owned(),
            cause,
        };
        for line in Lines::open(path).map_err(failed)? {
            let line = line.map_err(failed)?;
            chain.take(&line).map_err(|fault| VerifyError::Fault {
                path: path.to_owned(),
                line: line.number,
                fault,
            })?;
        }
    }
    let Chain {
        first,
        entries,
        last,
    } = chain;
    let Link { seq: last, hash } = last.unwrap_or_else(Link::start);
    Ok(Verified {
        files: files.len(),
        entries,
        first,
        last,
        hash,
    })
}

//! The audit log: who did what to which object, one JSON object a line, never rewritten.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::Serialize;

use crate::registry::Operator;

/// Name of the file in the state directory.
pub const FILE: &str = "audit.jsonl";

/// One thing that somebody did.
#[derive(Clone, Debug, Serialize)]
pub struct Deed<'a> {
    /// When.
    pub time: Timestamp,
    /// Who.
    pub who: &'a Operator,
    /// What, in one word.
    pub action: &'a str,
    /// To what, such as `office 10.0.0.5`.
    pub object: &'a str,
    /// With what particulars, and why.
    pub details: &'a str,
}

/// Why a deed is not in the audit log.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the audit log {}: {source}; make room or mend its permissions", path.display())]
pub struct AuditError {
    /// The file.
    path: PathBuf,
    /// What is wrong.
    source: io::Error,
}

/// The audit log of this gateway.
#[derive(Debug)]
pub struct Audit {
    path: PathBuf,
    file: File,
}

impl Audit {
    /// The log in this state directory, made when it is not there.
    pub fn open(state_dir: &Path) -> Result<Self, AuditError> {
        let path = state_dir.join(FILE);
        let opened = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o640)
            .open(&path);
        match opened {
            Ok(file) => Ok(Self { path, file }),
            Err(source) => Err(AuditError { path, source }),
        }
    }

    /// Writes a deed down, to the disk and to the log of the process. Blocks for the disk.
    pub fn record(&self, deed: &Deed) -> Result<(), AuditError> {
        tracing::info!(
            target: "audit",
            who = deed.who.name,
            uid = deed.who.uid,
            action = deed.action,
            object = deed.object,
            details = deed.details,
        );
        self.append(deed).map_err(|source| AuditError {
            path: self.path.clone(),
            source,
        })
    }

    fn append(&self, deed: &Deed) -> io::Result<()> {
        let mut line = serde_json::to_vec(deed)?;
        line.push(b'\n');
        // One write for the whole line: in append mode two writers never mix theirs.
        (&self.file).write_all(&line)?;
        self.file.sync_data()
    }
}

//! The audit log: who did what to which object, one JSON object a line, never rewritten.
//!
//! Lines are numbered, and each is bound to the one before by its hash: what is changed, removed or put elsewhere
//! afterwards does not fit any more. The chain goes on across the files of the log.

mod chain;
mod entry;
mod files;
mod lines;
mod log;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use jiff::Timestamp;
use serde::Serialize;

use crate::registry::Operator;
pub use chain::{Fault, Verified, VerifyError, verify};
pub use entry::{Entry, Link};
pub use files::{FILE, files};
pub use lines::{Line, Lines};
use log::Log;

/// How large a file becomes before another is begun: some ten thousand entries.
const LARGEST: u64 = 16 << 20;

/// One thing that somebody did. What is added here is in the log, and under the hash.
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
pub enum AuditError {
    /// A file cannot be read or written.
    #[error(
        "cannot write the audit log {}: {cause}; what cannot be written down is not done: make room, or mend its \
         permissions", path.display()
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: io::Error,
    },
    /// The last line is none, so that nothing can follow it.
    #[error(
        "the audit log {} is damaged at line {line}: {fault}; what cannot be written down is not done: keep the file \
         elsewhere, and take it out of its directory, so that another is begun", path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// The audit log of this gateway.
#[derive(Debug)]
pub struct Audit {
    dir: PathBuf,
    largest: u64,
    state: Mutex<State>,
    failures: AtomicU64,
}

/// The file at hand; none after something went wrong with it, until it is tried again.
#[derive(Debug, Default)]
struct State {
    log: Option<Log>,
    /// What was written last, whatever becomes of the file.
    last: Option<Link>,
}

impl Audit {
    /// The log in this state directory, made when it is not there. One that cannot be written keeps no gateway from
    /// starting, since enforcement does not need it: that is said, and operators' actions are refused.
    pub fn open(state_dir: &Path) -> Self {
        Self::with_files_of(state_dir, LARGEST)
    }

    fn with_files_of(state_dir: &Path, largest: u64) -> Self {
        let audit = Self {
            dir: state_dir.to_owned(),
            largest,
            state: Mutex::default(),
            failures: AtomicU64::new(0),
        };
        let opened = audit.with(|_| Ok(()));
        if let Err(error) = opened {
            tracing::error!("{error}");
        }
        audit
    }

    /// Writes a deed down, to the disk and to the log of the process. Blocks for the disk.
    pub fn record(&self, deed: &Deed) -> Result<(), AuditError> {
        let link = self.with(|log| log.append(deed, self.largest))?;
        tracing::info!(
            target: "audit",
            number = link.seq,
            hash = link.hash,
            who = deed.who.name,
            uid = deed.who.uid,
            action = deed.action,
            object = deed.object,
            details = deed.details,
        );
        Ok(())
    }

    /// How often something could not be written down.
    pub fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }

    /// Works on the file at hand. After an error it is opened anew the next time.
    fn with<T>(
        &self,
        work: impl FnOnce(&mut Log) -> Result<T, AuditError>,
    ) -> Result<T, AuditError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let done = state.log(&self.dir).and_then(work);
        if done.is_ok() {
            state.last = state.log.as_ref().map(|log| log.last().clone());
        } else {
            state.log = None;
            self.failures.fetch_add(1, Relaxed);
        }
        done
    }
}

impl State {
    /// The file at hand, if it is still as it was left.
    fn log(&mut self, dir: &Path) -> Result<&mut Log, AuditError> {
        if self.log.as_ref().is_some_and(|log| !log.is_as_left()) {
            tracing::error!(
                dir = %dir.display(),
                "the audit log was changed by another hand; it goes on after what was written last: \
                 `enforcer audit verify` names the first line that does not fit"
            );
            self.log = None;
        }
        match &mut self.log {
            Some(log) => Ok(log),
            closed => Ok(closed.insert(Log::open(dir, self.last.as_ref())?)),
        }
    }
}

#[cfg(test)]
mod tests;

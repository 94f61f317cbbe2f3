//! What can go wrong with the database, told apart by what mends it.

use std::{io, path::PathBuf};

use sqlx::migrate::MigrateError;

use crate::state_dir::StateDirError;

/// What went wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is damaged.
    #[error(
        "the state database {} is damaged ({found}) and was left as it is; restore it from a backup, \
         or start with --set-aside-corrupt to keep it under another name and begin with an empty one \
         (tokens and endpoints are then made anew)",
        path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What the check found.
        found: String,
    },
    /// It cannot be renamed.
    #[error("cannot set the damaged database aside as {}: {cause}", path.display())]
    SetAside {
        /// The new name.
        path: PathBuf,
        /// What stopped it.
        cause: io::Error,
    },
    /// It cannot be opened.
    #[error("cannot open the state database {}: {cause}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What stopped it.
        cause: sqlx::Error,
    },
    /// A newer program made it.
    #[error(
        "the state database {} was made by a newer version of this program; run that version, \
         or restore a backup made before it",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be brought to this version's form.
    #[error("cannot bring the state database {} to this version's form: {cause}", path.display())]
    Migrate {
        /// The file.
        path: PathBuf,
        /// What stopped it.
        cause: Box<MigrateError>,
    },
    /// Its directory cannot be used.
    #[error(transparent)]
    StateDir(#[from] StateDirError),
    /// There is no room to write.
    #[error("the disk with the state database is full; make room on it")]
    Full,
    /// Another process holds it.
    #[error("the state database is locked by another process; try again, or end what holds it")]
    Locked,
    /// A row does not read as what it was written as.
    #[error("a row of the state database is not readable: {0}; restore the database from a backup")]
    Row(serde_json::Error),
    /// Anything else.
    #[error("the state database failed: {0}")]
    Query(sqlx::Error),
}

/// Result codes (<https://sqlite.org/rescode.html>).
mod code {
    pub(super) const BUSY: i32 = 5;
    pub(super) const LOCKED: i32 = 6;
    pub(super) const CORRUPT: i32 = 11;
    pub(super) const FULL: i32 = 13;
    pub(super) const NOT_A_DATABASE: i32 = 26;
}

/// The primary result code: the low byte of the extended one.
fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let code: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

/// Whether the error says that the file is damaged or no database.
pub(super) fn is_damage(error: &sqlx::Error) -> bool {
    matches!(
        primary_code(error),
        Some(code::CORRUPT | code::NOT_A_DATABASE)
    )
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match primary_code(&error) {
            Some(code::FULL) => Self::Full,
            Some(code::BUSY | code::LOCKED) => Self::Locked,
            _ => Self::Query(error),
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Row(error)
    }
}

//! Opening the database, and what to do with a damaged one.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use sqlx::{
    ConnectOptions, Connection, SqliteConnection, SqlitePool,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::error::{StoreError, is_damage};
use crate::state_dir::StateDir;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// How long to wait for another process that writes.
const BUSY: Duration = Duration::from_secs(2);
/// Reading connections: streams that begin, queries and tokens share them. `SQLite` reads in parallel,
/// but more than the machine has cores gains nothing.
const READERS: u32 = 4;

/// Opens the database to write, made or brought to this version's form if need be.
pub async fn open(dir: &StateDir) -> Result<SqliteConnection, StoreError> {
    let path = dir.database();
    dir.touch(&path)?;
    let mut connection = options(&path)
        .journal_mode(SqliteJournalMode::Wal)
        // A power cut may cost the last reports, which come again; never the database.
        .synchronous(SqliteSynchronous::Normal)
        .connect()
        .await
        .map_err(|cause| open_error(&path, cause))?;
    migrate(&path, &mut connection).await?;
    Ok(connection)
}

/// Connections that only read.
pub async fn readers(dir: &StateDir) -> Result<SqlitePool, StoreError> {
    let path = dir.database();
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(BUSY)
        .connect_with(options(&path).read_only(true))
        .await
        .map_err(|cause| open_error(&path, cause))
}

/// Checks that the database, if there is one, is whole. Changes nothing: the connection only reads,
/// so that even closing it moves nothing from the log into a damaged file.
pub async fn verify(dir: &StateDir) -> Result<(), StoreError> {
    let path = dir.database();
    if !path.exists() {
        return Ok(());
    }
    let corrupt = |found| StoreError::Corrupt {
        path: path.clone(),
        found,
    };
    match quick_check(&path).await {
        Ok(found) if found == "ok" => Ok(()),
        Ok(found) => Err(corrupt(found)),
        Err(error) if is_damage(&error) => Err(corrupt(error.to_string())),
        Err(cause) => Err(StoreError::Open { path, cause }),
    }
}

/// Gives a damaged database and its log another name, and says which.
pub fn set_aside(dir: &StateDir, now: Timestamp) -> Result<PathBuf, StoreError> {
    let path = dir.database();
    let aside = path.with_added_extension(now.strftime("corrupt-%Y%m%dT%H%M%S.%fZ").to_string());
    for suffix in ["", "-wal", "-shm"] {
        rename(&with_suffix(&path, suffix), &with_suffix(&aside, suffix))?;
    }
    Ok(aside)
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .foreign_keys(true)
}

async fn quick_check(path: &Path) -> Result<String, sqlx::Error> {
    let mut connection = options(path).read_only(true).connect().await?;
    let found = sqlx::query_scalar("PRAGMA quick_check(1)")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok(found)
}

async fn migrate(path: &Path, connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let path = path.to_owned();
    match MIGRATIONS.run(connection).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(_)) => Err(StoreError::Newer { path }),
        Err(MigrateError::Execute(cause)) if is_damage(&cause) => Err(open_error(&path, cause)),
        Err(cause) => Err(StoreError::Migrate {
            path,
            cause: Box::new(cause),
        }),
    }
}

fn open_error(path: &Path, cause: sqlx::Error) -> StoreError {
    let path = path.to_owned();
    if is_damage(&cause) {
        return StoreError::Corrupt {
            path,
            found: cause.to_string(),
        };
    }
    StoreError::Open { path, cause }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    match fs::rename(from, to) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(StoreError::SetAside {
            path: to.to_owned(),
            cause,
        }),
        _ => Ok(()),
    }
}

//! What gateways are told, in order, and as much of it as a gateway that comes back may need.
//!
//! A revision is the time in microseconds at which it was made, or one more than the last where the
//! clock does not go forward. So revisions grow also across a restored backup or a database that
//! was begun anew, and no two histories share one: a gateway can go on from a revision only in the
//! history that made it.

use bytes::Bytes;
use enforcer_protocol::decision::Message;
use jiff::Timestamp;
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{StoreError, stored};

/// A revision and the line of the stream that it adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The revision after it.
    pub revision: u64,
    /// The whole line, with its end.
    pub line: Bytes,
}

/// The current revision; 0 before the first.
pub async fn current(connection: &mut SqliteConnection) -> Result<u64, StoreError> {
    let revision: i64 = sqlx::query_scalar("SELECT coalesce(max(revision), 0) FROM change")
        .fetch_one(connection)
        .await?;
    Ok(revision.unsigned_abs())
}

/// Adds a change; `message` makes the line from its revision.
pub async fn append(
    connection: &mut SqliteConnection,
    message: impl FnOnce(u64) -> Message,
) -> Result<u64, StoreError> {
    let revision = next(connection).await?;
    let mut line = serde_json::to_string(&message(revision))?;
    line.push('\n');
    insert(connection, revision, Some(line)).await
}

/// Marks the start of a server with a revision of its own: what was decided since a backup was
/// made has a lower one, also if that backup is what the server starts from.
pub async fn mark_start(connection: &mut SqliteConnection) -> Result<u64, StoreError> {
    let revision = next(connection).await?;
    insert(connection, revision, None).await
}

/// The changes after `revision`, oldest first.
pub async fn after(
    connection: &mut SqliteConnection,
    revision: u64,
) -> Result<Vec<Change>, StoreError> {
    let select = "SELECT revision, line FROM change \
                  WHERE revision > ? AND line IS NOT NULL ORDER BY revision";
    let rows = sqlx::query(select)
        .bind(revision.cast_signed())
        .try_map(read)
        .fetch_all(connection)
        .await?;
    Ok(rows)
}

/// Whether the log still has `revision`, and so everything after it.
pub async fn has(connection: &mut SqliteConnection, revision: u64) -> Result<bool, StoreError> {
    let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM change WHERE revision = ?")
        .bind(revision.cast_signed())
        .fetch_optional(connection)
        .await?;
    Ok(found.is_some())
}

/// Forgets all but the newest `keep` changes (at least one: the current revision is its own).
pub async fn trim(connection: &mut SqliteConnection, keep: u32) -> Result<(), StoreError> {
    let delete = "DELETE FROM change WHERE revision <= \
                  (SELECT revision FROM change ORDER BY revision DESC LIMIT 1 OFFSET ?)";
    sqlx::query(delete)
        .bind(keep.max(1))
        .execute(connection)
        .await?;
    Ok(())
}

async fn next(connection: &mut SqliteConnection) -> Result<u64, StoreError> {
    let clock = stored(Timestamp::now()).unsigned_abs();
    Ok(clock.max(current(connection).await? + 1))
}

async fn insert(
    connection: &mut SqliteConnection,
    revision: u64,
    line: Option<String>,
) -> Result<u64, StoreError> {
    sqlx::query("INSERT INTO change (revision, line) VALUES (?, ?)")
        .bind(revision.cast_signed())
        .bind(line)
        .execute(connection)
        .await?;
    Ok(revision)
}

fn read(row: SqliteRow) -> Result<Change, sqlx::Error> {
    let line: String = row.try_get("line")?;
    let revision: i64 = row.try_get("revision")?;
    Ok(Change {
        revision: revision.unsigned_abs(),
        line: line.into(),
    })
}

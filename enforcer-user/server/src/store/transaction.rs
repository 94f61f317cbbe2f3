//! Writing: all of it or nothing.

use sqlx::{Executor, SqliteConnection};

use super::StoreError;

/// Does `work` in one transaction: kept when it succeeds, undone when it fails.
///
/// Not a transaction of the library's: where `SQLite` has undone one by itself, as it does on a full
/// disk, the library goes on counting it as open and refuses every later one.
pub async fn write<T, E: From<StoreError>>(
    connection: &mut SqliteConnection,
    work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, E>,
) -> Result<T, E> {
    // Taken at the beginning, so that no work is done in vain for want of the lock.
    execute(connection, "BEGIN IMMEDIATE").await?;
    let done = match work(connection).await {
        Ok(value) => execute(connection, "COMMIT")
            .await
            .map(|()| value)
            .map_err(E::from),
        Err(error) => Err(error),
    };
    if done.is_err() {
        // Fails if SQLite has undone it already, which is as well.
        let _ = execute(connection, "ROLLBACK").await;
    }
    done
}

async fn execute(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), StoreError> {
    connection.execute(sql).await?;
    Ok(())
}

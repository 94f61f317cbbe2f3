//! How a stream begins: with the changes that the gateway lacks, or with a snapshot.

use bytes::{Bytes, BytesMut};
use enforcer_protocol::decision::Message;
use futures_util::TryStreamExt;
use sqlx::{Connection, SqliteConnection};

use super::line;
use crate::{
    api::{Api, problem::ApiError},
    store::{StoreError, changes, endpoints},
};

/// Rows of a snapshot go out in pieces of about this size.
const PIECE: usize = 64 << 10;

/// The first lines of a stream.
#[derive(Debug)]
pub struct Opening {
    /// The revision after them.
    pub revision: u64,
    /// Whether they are a snapshot.
    pub is_snapshot: bool,
    /// The lines, some joined into larger pieces.
    pub lines: Vec<Bytes>,
}

/// Reads what a gateway lacks that holds the revision `after`. Nothing of it is read while the
/// gateway is being sent it: a slow one must not hold a connection to the database.
pub async fn read(api: &Api, after: Option<u64>) -> Result<Opening, ApiError> {
    let _permit = api
        .snapshots
        .acquire()
        .await
        .map_err(|_| ApiError::Stopping)?;
    let mut connection = api.readers.acquire().await.map_err(StoreError::from)?;
    // One transaction sees one state, so that the rows have the revision that is said of them.
    let mut transaction = connection.begin().await.map_err(StoreError::from)?;
    let revision = changes::current(&mut transaction).await?;
    let opening = match after {
        Some(after) if changes::has(&mut transaction, after).await? => {
            resumed(&mut transaction, revision, after).await?
        }
        _ => snapshot(&mut transaction, revision).await?,
    };
    Ok(opening)
}

async fn resumed(
    connection: &mut SqliteConnection,
    revision: u64,
    after: u64,
) -> Result<Opening, StoreError> {
    let changes = changes::after(connection, after).await?;
    // A heartbeat at once: it says that the gateway has everything, also when nothing changed.
    let end = line(&Message::Heartbeat { revision });
    let lines = changes
        .into_iter()
        .map(|change| change.line)
        .chain([end])
        .collect();
    Ok(Opening {
        revision,
        is_snapshot: false,
        lines,
    })
}

async fn snapshot(connection: &mut SqliteConnection, revision: u64) -> Result<Opening, StoreError> {
    let count = endpoints::count(connection).await?;
    let mut lines = vec![line(&Message::Snapshot { revision, count })];
    let mut piece = BytesMut::new();
    let mut endpoints = endpoints::all(connection);
    while let Some(endpoint) = endpoints.try_next().await? {
        piece.extend_from_slice(&line(&Message::Row {
            decision: endpoint.decision,
        }));
        if piece.len() >= PIECE {
            lines.push(piece.split().freeze());
        }
    }
    piece.extend_from_slice(&line(&Message::SnapshotEnd { revision }));
    lines.push(piece.freeze());
    Ok(Opening {
        revision,
        is_snapshot: true,
        lines,
    })
}

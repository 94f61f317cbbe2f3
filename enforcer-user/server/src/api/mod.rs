//! The HTTP API: the paths of [`enforcer_protocol::path`], JSON in and out, problems by RFC 9457.

mod auth;
mod body;
mod guard;
mod problem;
mod query;
mod report;
mod stream;

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    middleware,
    routing::{get, post},
};
use enforcer_protocol::path;
use serde::Serialize;
use sqlx::SqlitePool;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use self::problem::ApiError;
use crate::{
    feed::Feed,
    ledger::LedgerHandle,
    store::{StoreError, changes},
};

/// How many streams may gather their snapshot at a time: each holds a reading connection, and
/// queries need some too.
const SNAPSHOTS: usize = 2;

/// What the handlers share. Clones are the same API.
#[derive(Clone, Debug)]
pub struct Api {
    /// Reads; made by the server, closed with it.
    readers: SqlitePool,
    /// Writes.
    ledger: LedgerHandle,
    /// Changes for open streams.
    feed: Feed,
    /// How often streams say that all is well.
    heartbeat: Duration,
    /// Who may gather a snapshot.
    snapshots: Arc<Semaphore>,
    /// Cancelled when the server stops; open streams then end.
    stop: CancellationToken,
}

impl Api {
    /// An API over these parts. Its streams end when `stop` is cancelled.
    pub fn new(
        readers: SqlitePool,
        ledger: LedgerHandle,
        feed: Feed,
        heartbeat: Duration,
        stop: CancellationToken,
    ) -> Self {
        let snapshots = Arc::new(Semaphore::new(SNAPSHOTS));
        Self {
            readers,
            ledger,
            feed,
            heartbeat,
            snapshots,
            stop,
        }
    }

    /// The routes.
    pub fn router(self) -> Router {
        Router::new()
            .route(path::REPORT, post(report::report))
            .route(path::QUERY, post(query::query))
            .route(path::STREAM, get(stream::stream))
            .route(path::HEALTH, get(health))
            .fallback(async || ApiError::NoSuchPath)
            .method_not_allowed_fallback(async || ApiError::WrongMethod)
            .layer(middleware::from_fn_with_state(
                guard::Guard::default(),
                guard::guard,
            ))
            .with_state(self)
    }
}

/// What [`path::HEALTH`] answers.
#[derive(Debug, Serialize)]
struct Health {
    revision: u64,
}

async fn health(State(api): State<Api>) -> Result<Json<Health>, ApiError> {
    if !api.ledger.is_running() {
        return Err(ApiError::Stopping);
    }
    let mut connection = api.readers.acquire().await.map_err(StoreError::from)?;
    let revision = changes::current(&mut connection).await?;
    Ok(Json(Health { revision }))
}

//! `POST` a query for hosts that a gateway sees and knows nothing of.

use axum::{Json, extract::State};
use enforcer_protocol::decision::{Answers, Decision, MAX_QUERY, Query};
use sqlx::Connection;

use super::{Api, auth::Gateway, body::JsonBody, problem::ApiError};
use crate::{
    judge::badness,
    store::{StoreError, changes, endpoints},
};

/// Answers a query, all of it from one revision.
pub async fn query(
    State(api): State<Api>,
    Gateway(_): Gateway,
    JsonBody(query): JsonBody<Query>,
) -> Result<Json<Answers>, ApiError> {
    if query.hosts.len() > MAX_QUERY {
        return Err(ApiError::TooManyHosts(query.hosts.len()));
    }
    let mut connection = api.readers.acquire().await.map_err(StoreError::from)?;
    let mut transaction = connection.begin().await.map_err(StoreError::from)?;
    let revision = changes::current(&mut transaction).await?;
    let mut decisions = Vec::with_capacity(query.hosts.len());
    for host in &query.hosts {
        decisions.push(strictest(endpoints::met_at(&mut transaction, host).await?));
    }
    Ok(Json(Answers {
        revision,
        decisions,
    }))
}

/// Of several endpoints behind one address the one that complies least: they share what follows.
fn strictest(decisions: Vec<Decision>) -> Option<Decision> {
    decisions
        .into_iter()
        .max_by_key(|decision| badness(decision.level))
}

//! Who asks: a bearer token, of the kind that the path needs.

use axum::{
    extract::FromRequestParts,
    http::{header::AUTHORIZATION, request::Parts},
};
use jiff::{SignedDuration, Timestamp};

use super::{Api, problem::ApiError};
use crate::store::{
    StoreError,
    tokens::{self, Kind, Token},
};

/// How exactly it is known when a token was last used. Finer would cost a write for each request.
const USE_NOTED: SignedDuration = SignedDuration::from_mins(1);

/// An agent's token that holds.
#[derive(Debug)]
pub struct Agent(pub Token);

/// A gateway's token that holds.
#[derive(Debug)]
pub struct Gateway(pub Token);

impl FromRequestParts<Api> for Agent {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        authenticate(parts, api, Kind::Agent).await.map(Self)
    }
}

impl FromRequestParts<Api> for Gateway {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        authenticate(parts, api, Kind::Gateway).await.map(Self)
    }
}

async fn authenticate(parts: &Parts, api: &Api, needed: Kind) -> Result<Token, ApiError> {
    let secret = bearer(parts).ok_or(ApiError::NoToken)?;
    let mut connection = api.readers.acquire().await.map_err(StoreError::from)?;
    let token = tokens::by_secret(&mut connection, secret)
        .await?
        .ok_or(ApiError::WrongToken)?;
    if token.kind != needed {
        return Err(ApiError::WrongKind {
            needed,
            sent: token.kind,
        });
    }
    let now = Timestamp::now();
    if token
        .used_at
        .is_none_or(|used_at| now.duration_since(used_at) >= USE_NOTED)
    {
        api.ledger.touch(token.id);
    }
    Ok(token)
}

fn bearer(parts: &Parts) -> Option<&str> {
    let (scheme, secret) = parts
        .headers
        .get(AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

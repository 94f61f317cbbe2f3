//! Who asks: a bearer token of the kind that the path needs, or a certificate in its place.

use axum::{
    extract::FromRequestParts,
    http::{header::AUTHORIZATION, request::Parts},
};
use jiff::{SignedDuration, Timestamp};

use super::{Api, problem::ApiError};
use crate::{
    listen::Shown,
    store::{
        StoreError,
        tokens::{self, Kind, Token},
    },
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
    let shown = || certificate(parts);
    let secret = bearer(parts).map(str::to_owned).or_else(shown);
    let secret = secret.ok_or(ApiError::NoToken)?;
    let mut connection = api.readers.acquire().await.map_err(StoreError::from)?;
    let token = tokens::by_secret(&mut connection, &secret)
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
    let secret = secret.trim();
    // What stands for a certificate is no secret: it counts only when the handshake has shown it.
    let is_secret = !tokens::is_of_certificate(secret);
    (scheme.eq_ignore_ascii_case("bearer") && is_secret).then_some(secret)
}

/// What stands for the certificate that the peer has shown.
fn certificate(parts: &Parts) -> Option<String> {
    let Shown(shown) = parts.extensions.get()?;
    shown.map(tokens::of_certificate)
}

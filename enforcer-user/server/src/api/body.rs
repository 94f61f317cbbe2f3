//! Bodies: JSON up to a size, with faults that name their place.

use axum::{
    body::Body,
    extract::{FromRequest, Request},
    http::{
        HeaderMap,
        header::{CONTENT_LENGTH, EXPECT},
    },
};
use bytes::BytesMut;
use enforcer_protocol::posture::MAX_BYTES;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::{Api, problem::ApiError};

/// What is read of a body that is too large, and thrown away: a client that is still writing would
/// see a broken connection and not the answer.
const DRAINED: usize = 64 * MAX_BYTES;

/// A body of this form, whatever its `Content-Type` says.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Api> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &Api) -> Result<Self, ApiError> {
        if is_announced_too_large(request.headers()) {
            return Err(ApiError::TooLarge);
        }
        let bytes = read(request.into_body()).await?;
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut json).map_err(fault)?;
        json.end().map_err(ApiError::NotJson)?;
        Ok(Self(value))
    }
}

/// Whether the client asks before it sends a body that is too large. One that does not ask is sending
/// already.
fn is_announced_too_large(headers: &HeaderMap) -> bool {
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    headers.contains_key(EXPECT) && length.is_some_and(|length: usize| length > MAX_BYTES)
}

async fn read(body: Body) -> Result<BytesMut, ApiError> {
    let mut chunks = body.into_data_stream();
    let mut kept = BytesMut::new();
    let mut length = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| ApiError::BodyBrokeOff)?;
        length += chunk.len();
        if length <= MAX_BYTES {
            kept.extend_from_slice(&chunk);
        }
        if length > DRAINED {
            break;
        }
    }
    if length > MAX_BYTES {
        Err(ApiError::TooLarge)
    } else {
        Ok(kept)
    }
}

fn fault(error: serde_path_to_error::Error<serde_json::Error>) -> ApiError {
    let at = match error.path().to_string() {
        path if path == "." => "the whole of it".to_owned(),
        path => format!("`{path}`"),
    };
    let fault = error.into_inner();
    match fault.classify() {
        Category::Data => ApiError::WrongForm { at, fault },
        Category::Io | Category::Syntax | Category::Eof => ApiError::NotJson(fault),
    }
}

//! The captive portal API (RFC 8908), for clients that ask instead of guessing.
//!
//! The standard wants it over HTTPS under a name. Here it stands at the portal's plain address, for what
//! an operator puts before it and for clients that do not insist.

use std::net::SocketAddr;

use axum::{
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::own;
use crate::control::portal::Access;

/// Where the API is.
pub const PATH: &str = "/captive-portal/api";

const MEDIA_TYPE: &str = "application/captive+json";

/// The state of a client (RFC 8908 section 5).
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct State {
    captive: bool,
    user_portal_url: String,
}

/// Tells a client whether it is stopped.
pub fn answer(access: Access, local: SocketAddr) -> Response {
    let state = State {
        captive: access != Access::Open,
        user_portal_url: own::url(local),
    };
    let mut response = axum::Json(state).into_response();
    let media_type = axum::http::HeaderValue::from_static(MEDIA_TYPE);
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}

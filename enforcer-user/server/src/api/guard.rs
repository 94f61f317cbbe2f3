//! Bounds on what requests may take: how many at once, and how long.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::{sync::Semaphore, time::timeout};

use super::problem::ApiError;

/// How many requests are served at once. Open streams are answered and do not count; each of the
/// others may hold a body of a megabyte.
const REQUESTS: usize = 256;
/// How long a request may take, its body included, until its answer begins.
const REQUEST_TIME: Duration = Duration::from_secs(15);

/// The bounds. Clones share them.
#[derive(Clone, Debug)]
pub struct Guard(Arc<Semaphore>);

impl Default for Guard {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(REQUESTS)))
    }
}

/// Lets a request through while the bounds allow it.
pub async fn guard(State(Guard(requests)): State<Guard>, request: Request, next: Next) -> Response {
    let Ok(_permit) = requests.try_acquire() else {
        return ApiError::Busy.into_response();
    };
    match timeout(REQUEST_TIME, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::TooSlow.into_response(),
    }
}

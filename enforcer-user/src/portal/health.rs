//! Metrics and health, for those who watch over the gateway.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};

use super::gateway::Gateway;
use crate::control::{HttpRequest, HttpResponse, portal::HealthView};

/// The text format of Prometheus, version 0.0.4.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What stands at the metrics listener.
pub fn router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(live))
        .route("/readyz", get(ready))
        .with_state(gateway)
}

async fn metrics(State(gateway): State<Arc<Gateway>>) -> Response {
    match gateway.ask(&HttpRequest::Metrics).await {
        Ok(HttpResponse::Metrics(text)) => ([(CONTENT_TYPE, METRICS_TYPE)], text).into_response(),
        Ok(other) => absent(&format!("it answered {other:?}")),
        Err(error) => absent(&error.to_string()),
    }
}

/// The gateway lives when it answers at all.
async fn live(State(gateway): State<Arc<Gateway>>) -> Response {
    match health(&gateway).await {
        Ok(_) => "ok\n".into_response(),
        Err(response) => response,
    }
}

async fn ready(State(gateway): State<Arc<Gateway>>) -> Response {
    match health(&gateway).await {
        Ok(health) if health.ready => "ready\n".into_response(),
        Ok(health) => {
            let text = format!("not ready: {}\n", health.missing.join("; "));
            (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
        }
        Err(response) => response,
    }
}

async fn health(gateway: &Gateway) -> Result<HealthView, Response> {
    match gateway.ask(&HttpRequest::Health).await {
        Ok(HttpResponse::Health(health)) => Ok(health),
        Ok(other) => Err(absent(&format!("it answered {other:?}"))),
        Err(error) => Err(absent(&error.to_string())),
    }
}

fn absent(why: &str) -> Response {
    let text = format!("the gateway does not answer: {why}\n");
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

//! What the portal answers to whom.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{Request, State},
    http::{
        HeaderValue, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, RETRY_AFTER,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::{Next, from_fn, map_response},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};

use super::{
    captive,
    gateway::Gateway,
    own,
    page::{self, Words},
    serve::Ends,
};
use crate::control::{HttpRequest, HttpResponse, portal::PortalView};

/// Nothing from elsewhere, no scripts, no frames; the button leads back here.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// When to come back to a gateway that does not answer, in seconds.
const RETRY: u32 = 5;

/// One portal: the clients of one zone.
#[derive(Clone, Debug)]
struct Portal {
    gateway: Arc<Gateway>,
    zone: Arc<str>,
    words: Arc<Words>,
}

/// The routes of one portal.
pub fn router(gateway: Arc<Gateway>, zone: String, words: Arc<Words>) -> Router {
    let portal = Portal {
        gateway,
        zone: zone.into(),
        words,
    };
    Router::new()
        .route("/", get(show))
        .route("/recheck", get(back).post(recheck))
        .route(captive::PATH, get(state))
        .with_state(portal)
        .layer(from_fn(redirect))
        .layer(map_response(guard))
}

/// Sends whoever meant another site to the portal.
async fn redirect(Extension(ends): Extension<Ends>, request: Request, next: Next) -> Response {
    if own::is_own(&request, ends.local) {
        return next.run(request).await;
    }
    let url = own::url(ends.local);
    let text = format!("The network stops this device. Why, and what to do: {url}\n");
    (StatusCode::FOUND, [(LOCATION, url)], text).into_response()
}

/// What every answer says to browsers.
async fn guard(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn show(State(portal): State<Portal>, Extension(ends): Extension<Ends>) -> Response {
    match portal.view(ends).await {
        Some(view) => Html(page::render(&view, &portal.words)).into_response(),
        None => unavailable(Html(page::render_unavailable(
            ends.client.ip(),
            &portal.words,
        ))),
    }
}

async fn recheck(State(portal): State<Portal>, Extension(ends): Extension<Ends>) -> Response {
    let question = HttpRequest::Recheck {
        zone: portal.zone.to_string(),
        address: ends.client.ip(),
    };
    if let Err(error) = portal.gateway.ask(&question).await {
        // The page that the client is sent to says so too.
        tracing::debug!(%error, "cannot have a host checked again");
    }
    back().await.into_response()
}

async fn back() -> Redirect {
    Redirect::to("/")
}

async fn state(State(portal): State<Portal>, Extension(ends): Extension<Ends>) -> Response {
    match portal.view(ends).await {
        Some(view) => captive::answer(view.access, ends.local),
        None => unavailable(()),
    }
}

fn unavailable(body: impl IntoResponse) -> Response {
    let retry = [(RETRY_AFTER, HeaderValue::from(RETRY))];
    (StatusCode::SERVICE_UNAVAILABLE, retry, body).into_response()
}

impl Portal {
    async fn view(&self, ends: Ends) -> Option<Box<PortalView>> {
        let question = HttpRequest::Portal {
            zone: self.zone.to_string(),
            address: ends.client.ip(),
        };
        match self.gateway.ask(&question).await {
            Ok(HttpResponse::Portal(view)) => Some(view),
            Ok(other) => {
                tracing::debug!(?other, "the gateway answered another question");
                None
            }
            Err(error) => {
                tracing::debug!(%error, "the gateway does not answer");
                None
            }
        }
    }
}

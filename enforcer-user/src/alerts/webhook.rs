//! Alerts as HTTP requests: JSON, signed.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Client, StatusCode, header::CONTENT_TYPE, redirect};

use super::{Alert, failure::Failure, secret::Secret, signature::sign, trust};
use crate::config::Webhook;

/// How long TCP and TLS may take, and all of it.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const LIMIT: Duration = Duration::from_secs(10);

/// The id of the alert: the same whenever it is sent again.
const ID: &str = "Enforcer-Alert-Id";
/// When it is sent, in seconds since 1970.
const TIMESTAMP: &str = "Enforcer-Timestamp";
/// `v1=`, and HMAC-SHA256 in hexadecimal of that time, a point, and the body.
const SIGNATURE: &str = "Enforcer-Signature";

/// Sends an alert. It arrived when the receiver says so.
pub(super) async fn send(webhook: &Webhook, alert: &Alert) -> Result<(), Failure> {
    let url = webhook.url.clone();
    let key = Secret::read(&webhook.key_file)?;
    // An alert is plain fields.
    let body = serde_json::to_vec(alert).unwrap_or_default();
    let timestamp = Timestamp::now().as_second();
    let request = client(webhook)?
        .post(url.clone())
        .header(CONTENT_TYPE, "application/json")
        .header(ID, alert.id.to_string())
        .header(TIMESTAMP, timestamp)
        .header(SIGNATURE, sign(key.reveal(), timestamp, &body))
        .body(body);
    let answer = request.send().await;
    let status = match answer {
        Ok(answer) => answer.status(),
        Err(cause) => return Err(Failure::Unreachable { url, cause }),
    };
    match status {
        status if status.is_success() => Ok(()),
        // It is the alert that it does not like, whatever is mended there.
        StatusCode::BAD_REQUEST
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNPROCESSABLE_ENTITY => Err(Failure::Refused { url, status }),
        status => Err(Failure::Answered { url, status }),
    }
}

fn client(webhook: &Webhook) -> Result<Client, Failure> {
    let built = Client::builder()
        .tls_backend_preconfigured(trust::client(webhook.ca_file.as_deref())?)
        .http1_only()
        .no_proxy()
        // What is told is for this receiver alone.
        .redirect(redirect::Policy::none())
        .user_agent(concat!("enforcer/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_LIMIT)
        .timeout(LIMIT)
        .build();
    built.map_err(|cause| Failure::Client {
        url: webhook.url.clone(),
        cause,
    })
}

//! Reports postures to the management server.

mod certificate;
mod error;

use std::time::Duration;

use enforcer_protocol::{
    judgement::Receipt,
    path,
    pin::Pin,
    posture::{MAX_BYTES, Posture},
    problem::Problem,
};
use reqwest::{
    Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
    redirect::Policy,
};

pub use error::{ClientError, ReportError};

use crate::{server_url::ServerUrl, token::Token};

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
const TOTAL_LIMIT: Duration = Duration::from_secs(30);

/// No answer of the server is longer.
const MAX_ANSWER: usize = 1 << 20;

/// What speaks to one management server.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    server: ServerUrl,
    pin: Pin,
    authorization: HeaderValue,
}

impl Client {
    /// A client of this server, which is known by its pin alone. Nothing is sent yet.
    pub fn new(server: ServerUrl, pin: Pin, token: &Token) -> Result<Self, ClientError> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(pin.client_config())
            .https_only(true)
            .redirect(Policy::none())
            .no_proxy()
            // The server takes the address of the connection for that of the endpoint: each report
            // comes over a new one, from the address of now.
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_LIMIT)
            .timeout(TOTAL_LIMIT)
            .user_agent(concat!("enforcer-agent/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(ClientError::Http)?;
        Ok(Self {
            http,
            server,
            pin,
            authorization: token.authorization(),
        })
    }

    /// Sends the posture and returns what the server makes of it.
    pub async fn report(&self, posture: &Posture) -> Result<Receipt, ReportError> {
        let body = serde_json::to_vec(posture).map_err(ReportError::Write)?;
        if body.len() > MAX_BYTES {
            return Err(ReportError::TooLarge { bytes: body.len() });
        }
        let request = self
            .http
            .post(self.server.join(path::REPORT))
            .header(AUTHORIZATION, self.authorization.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        match request.send().await {
            Ok(response) => self.read(response).await,
            Err(error) => Err(self.explain(error).await),
        }
    }

    async fn read(&self, response: Response) -> Result<Receipt, ReportError> {
        let status = response.status();
        let body = self.body(response).await?;
        if status != StatusCode::OK {
            let problem = serde_json::from_slice::<Problem>(&body).ok();
            return Err(ReportError::Refused {
                server: self.server.clone(),
                status,
                problem,
            });
        }
        serde_json::from_slice(&body).map_err(|source| ReportError::NoReceipt {
            server: self.server.clone(),
            source,
        })
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, ReportError> {
        let mut body = Vec::new();
        let failed = |source| ReportError::unreachable(&self.server, source);
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_ANSWER {
                return Err(ReportError::LongAnswer {
                    server: self.server.clone(),
                });
            }
        }
        Ok(body)
    }

    async fn explain(&self, error: reqwest::Error) -> ReportError {
        if !certificate::was_refused(&error) {
            return ReportError::unreachable(&self.server, error);
        }
        let shown = certificate::shown_by(&self.server, CONNECT_LIMIT).await;
        ReportError::WrongPin {
            server: self.server.clone(),
            expected: self.pin,
            shown,
        }
    }
}

//! The way to the management server: its address, its pin, and the gateway's token.

use std::{error::Error, fmt, io, sync::Arc, time::Duration};

use enforcer_protocol::{path, pin::Pin};
use reqwest::{
    Client, RequestBuilder, Response, StatusCode, Url,
    header::{AUTHORIZATION, DATE, HeaderValue, InvalidHeaderValue},
    redirect,
};

use super::clock::Clock;

/// How long TCP and TLS may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// What the gateway shows the server to prove that it is one. Never printed.
#[derive(Clone)]
pub struct Token(HeaderValue);

impl Token {
    /// The token as the server gave it.
    pub fn new(token: &str) -> Result<Self, InvalidHeaderValue> {
        let mut header = HeaderValue::try_from(format!("Bearer {}", token.trim()))?;
        header.set_sensitive(true);
        Ok(Self(header))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

/// Why a request did not get through.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// No client can be made for this address.
    #[error("cannot speak to the management server at {url}: {}", root(source))]
    Client {
        /// The server.
        url: Url,
        /// What is wrong.
        source: reqwest::Error,
    },
    /// Nobody answers there.
    #[error(
        "cannot reach the management server at {url}: {}; check that it runs and that this machine may connect to it",
        root(source)
    )]
    Unreachable {
        /// The server.
        url: Url,
        /// What is wrong.
        source: reqwest::Error,
    },
    /// Somebody else answers there.
    #[error(
        "the management server at {url} does not show the certificate with the pin {pin}; if it was set \
         up anew, put its new pin into the configuration; if not, somebody else answers in its place"
    )]
    WrongPin {
        /// The server.
        url: Url,
        /// The pin that was expected.
        pin: Pin,
    },
    /// The server does not take the gateway's token.
    #[error(
        "the management server at {url} refuses this gateway's token ({status}); make a new one with \
         `enforcer server token` there and put it in the place of the old one"
    )]
    BadToken {
        /// The server.
        url: Url,
        /// What it answered.
        status: StatusCode,
    },
    /// The server answers something that is no success.
    #[error("the management server at {url} answers {status}; its own log says why")]
    Answered {
        /// The server.
        url: Url,
        /// What it answered.
        status: StatusCode,
    },
    /// The server takes the request and then says nothing.
    #[error("the management server at {url} has not answered for {} s", .limit.as_secs_f32())]
    Slow {
        /// The server.
        url: Url,
        /// How long it had.
        limit: Duration,
    },
}

/// The management server. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Server {
    url: Arc<Url>,
    pin: Pin,
    token: Token,
    client: Client,
    clock: Arc<Clock>,
}

impl Server {
    /// The server at this base URL, which must be `https`. Nothing is sent yet.
    pub fn new(url: Url, pin: Pin, token: Token) -> Result<Self, ServerError> {
        let built = Client::builder()
            .tls_backend_preconfigured(pin.client_config())
            .https_only(true)
            .http1_only()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .tcp_nodelay(true)
            .connect_timeout(CONNECT_LIMIT)
            .build();
        match built {
            Ok(client) => Ok(Self {
                url: Arc::new(url),
                pin,
                token,
                client,
                clock: Arc::default(),
            }),
            Err(source) => Err(ServerError::Client { url, source }),
        }
    }

    /// The base URL.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Its clock, as its answers tell of it.
    pub fn clock(&self) -> Arc<Clock> {
        self.clock.clone()
    }

    /// Opens the decision stream after this revision, or from the beginning.
    pub(super) async fn stream(
        &self,
        after: Option<u64>,
        limit: Duration,
    ) -> Result<Response, ServerError> {
        let after = after.map(|after| format!("?after={after}"));
        let url = self.at(path::STREAM) + &after.unwrap_or_default();
        self.send(self.client.get(url), limit).await
    }

    /// Sends a query.
    pub(super) async fn query(
        &self,
        query: &enforcer_protocol::decision::Query,
        limit: Duration,
    ) -> Result<Response, ServerError> {
        let request = self.client.post(self.at(path::QUERY));
        self.send(request.json(query), limit).await
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url.as_str().trim_end_matches('/'))
    }

    async fn send(
        &self,
        request: RequestBuilder,
        limit: Duration,
    ) -> Result<Response, ServerError> {
        let request = request.header(AUTHORIZATION, self.token.0.clone());
        let answer = tokio::time::timeout(limit, request.send()).await;
        let url = self.url.as_ref().clone();
        let response = match answer {
            Err(_) => return Err(ServerError::Slow { url, limit }),
            Ok(Err(source)) if is_wrong_pin(&source) => {
                let pin = self.pin;
                return Err(ServerError::WrongPin { url, pin });
            }
            Ok(Err(source)) => return Err(ServerError::Unreachable { url, source }),
            Ok(Ok(response)) => response,
        };
        let date = response.headers().get(DATE);
        if let Some(date) = date.and_then(|date| date.to_str().ok()) {
            self.clock.hear(date);
        }
        match response.status() {
            StatusCode::OK => Ok(response),
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                Err(ServerError::BadToken { url, status })
            }
            status => Err(ServerError::Answered { url, status }),
        }
    }
}

/// The innermost cause, which says what a person can act on.
pub(super) fn root(error: &dyn Error) -> &dyn Error {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error
}

/// Whether the handshake ended because the certificate is another one.
fn is_wrong_pin(error: &(dyn Error + 'static)) -> bool {
    // The source of an I/O error is not what it wraps, but the source of that.
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return error.get_ref().is_some_and(|wrapped| is_wrong_pin(wrapped));
    }
    match error.downcast_ref::<rustls::Error>() {
        Some(error) => matches!(error, rustls::Error::InvalidCertificate(_)),
        None => error.source().is_some_and(is_wrong_pin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_printed() {
        let token = Token::new("s3cret\n").expect("a token");
        let server = Server::new(
            "https://127.0.0.1:1/".parse().expect("a URL"),
            Pin::of(b"certificate"),
            token,
        )
        .expect("a client");
        assert!(!format!("{server:?}").contains("s3cret"));
        assert_eq!(server.at("/v1/x"), "https://127.0.0.1:1/v1/x");
    }
}

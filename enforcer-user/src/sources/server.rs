//! The way to the management server: its address, its pin, and the gateway's token.

use std::{error::Error, fmt, io, sync::Arc, time::Duration};

use enforcer_protocol::{
    path,
    pin::{ClientCertificate, OtherPin, Pin},
};
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

/// Another certificate than the pinned one was shown.
#[derive(Debug, thiserror::Error)]
#[error(
    "the management server at {url} does not show the certificate with the pin {pin}, which is written in {place}, but one \
     with the pin {shown}. If the server was set up anew, ask it for its pin by `enforcer server pin` on its own machine, \
     and if that is {shown}, write it there and restart the gateway; if not, somebody else answers in its place. Nothing \
     was told to it"
)]
pub struct WrongPin {
    /// The server.
    url: Url,
    /// The pin that was expected.
    pin: Pin,
    /// The pin of the certificate that was shown.
    shown: Pin,
    /// Where the expected pin stands.
    place: String,
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
    #[error(transparent)]
    WrongPin(Box<WrongPin>),
    /// This gateway's certificate cannot be used.
    #[error(
        "this gateway's certificate cannot be shown to the management server at {url}: {source}; check that \
         `client_key` is the key of `client_certificate`"
    )]
    Certificate {
        /// The server.
        url: Url,
        /// What is wrong.
        source: Box<rustls::Error>,
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

/// By what the server knows this gateway: a token, a certificate, or both.
#[derive(Debug, Default)]
pub struct Credentials {
    /// The token.
    pub token: Option<Token>,
    /// The certificate and its key.
    pub certificate: Option<ClientCertificate>,
}

impl From<Token> for Credentials {
    fn from(token: Token) -> Self {
        Self {
            token: Some(token),
            certificate: None,
        }
    }
}

/// The management server. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Server {
    url: Arc<Url>,
    pin: Pin,
    /// Where the pin stands, for operators.
    place: Arc<str>,
    token: Option<Token>,
    client: Client,
    clock: Arc<Clock>,
}

impl Server {
    /// The server at this base URL, which must be `https`. Nothing is sent yet.
    pub fn new(
        url: Url,
        pin: Pin,
        credentials: impl Into<Credentials>,
    ) -> Result<Self, ServerError> {
        let Credentials { token, certificate } = credentials.into();
        let config = match certificate {
            None => pin.client_config(),
            Some(certificate) => match pin.client_config_with(certificate) {
                Ok(config) => config,
                Err(error) => {
                    let source = Box::new(error);
                    return Err(ServerError::Certificate { url, source });
                }
            },
        };
        let built = Client::builder()
            .tls_backend_preconfigured(config)
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
                place: "the configuration".into(),
                token,
                client,
                clock: Arc::default(),
            }),
            Err(source) => Err(ServerError::Client { url, source }),
        }
    }

    /// The same, with the words for where its pin stands.
    #[must_use]
    pub fn pinned_in(self, place: &str) -> Self {
        let place = place.into();
        Self { place, ..self }
    }

    /// The same, with a clock that it shares with the servers that stand in for it.
    #[must_use]
    pub fn timed_by(self, clock: &Arc<Clock>) -> Self {
        let clock = clock.clone();
        Self { clock, ..self }
    }

    /// The base URL.
    pub fn url(&self) -> &Url {
        &self.url
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
        let request = match &self.token {
            Some(token) => request.header(AUTHORIZATION, token.0.clone()),
            None => request,
        };
        let answer = tokio::time::timeout(limit, request.send()).await;
        let url = self.url.as_ref().clone();
        let response = match answer {
            Err(_) => return Err(ServerError::Slow { url, limit }),
            Ok(Err(source)) => {
                return Err(match other_pin(&source) {
                    Some(shown) => ServerError::WrongPin(Box::new(WrongPin {
                        url,
                        pin: self.pin,
                        shown,
                        place: self.place.to_string(),
                    })),
                    None => ServerError::Unreachable { url, source },
                });
            }
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

/// The pin of the certificate by which the handshake ended, if it was another one.
fn other_pin(error: &(dyn Error + 'static)) -> Option<Pin> {
    // The source of an I/O error is not what it wraps, but the source of that.
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return error.get_ref().and_then(|wrapped| other_pin(wrapped));
    }
    match error.downcast_ref::<rustls::Error>() {
        Some(error) => OtherPin::in_error(error).map(|other| other.shown),
        None => error.source().and_then(other_pin),
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

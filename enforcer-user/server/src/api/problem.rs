//! What a client is told when its request cannot be served: problem details (RFC 9457), always.

use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use enforcer_protocol::{
    decision::MAX_QUERY,
    posture::MAX_BYTES,
    problem::{MEDIA_TYPE, Problem},
};

use super::report::InvalidPosture;
use crate::{
    ledger::LedgerError,
    store::{StoreError, tokens::Kind},
};

/// Why a request is not served. Then nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No token.
    #[error(
        "send a token: `Authorization: Bearer enf_…`; `enforcer server token create` makes one"
    )]
    NoToken,
    /// A token that does not hold.
    #[error("this token does not hold: it is misspelt or was revoked; ask for a new one")]
    WrongToken,
    /// A token of another kind.
    #[error("this path takes a token of kind `{needed}`, and the one sent is of kind `{sent}`")]
    WrongKind {
        /// What is needed.
        needed: Kind,
        /// What was sent.
        sent: Kind,
    },
    /// No such path.
    #[error("there is nothing at this path")]
    NoSuchPath,
    /// The path is for another method.
    #[error("this path takes another method; see the `Allow` header")]
    WrongMethod,
    /// A body over the limit.
    #[error("the body is larger than {MAX_BYTES} bytes; send less")]
    TooLarge,
    /// The body broke off.
    #[error("the body could not be read to its end; send it again")]
    BodyBrokeOff,
    /// The body is no JSON.
    #[error("the body is no JSON: {0}")]
    NotJson(serde_json::Error),
    /// The body is JSON of another form.
    #[error("the body does not have the form expected: {at}: {fault}")]
    WrongForm {
        /// Where.
        at: String,
        /// What is wrong there.
        fault: serde_json::Error,
    },
    /// The query string cannot be read.
    #[error("the revision in `after` is no number; leave `after` out for a snapshot")]
    WrongRevision,
    /// A posture that cannot be taken.
    #[error(transparent)]
    Posture(#[from] InvalidPosture),
    /// A query for too many hosts.
    #[error("{0} hosts are too many for one query; ask for at most {MAX_QUERY}")]
    TooManyHosts(usize),
    /// It took too long.
    #[error("the request was not complete in time; try again")]
    TooSlow,
    /// Too much at once.
    #[error("too many requests at once; try again in a few seconds")]
    Busy,
    /// The server stops.
    #[error("the server is stopping; try again in a few seconds")]
    Stopping,
    /// The report was not taken.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::NoToken | Self::WrongToken => StatusCode::UNAUTHORIZED,
            Self::WrongKind { .. } => StatusCode::FORBIDDEN,
            Self::NoSuchPath => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyBrokeOff | Self::NotJson(_) | Self::WrongRevision => StatusCode::BAD_REQUEST,
            Self::WrongForm { .. } | Self::Posture(_) | Self::TooManyHosts(_) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Ledger(LedgerError::OwnedByOther { .. }) => StatusCode::CONFLICT,
            Self::Busy | Self::Stopping | Self::Ledger(_) | Self::Store(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// What the client is told. What the operator is to mend is the operator's alone to know in full.
    fn detail(&self) -> String {
        match self {
            Self::Store(StoreError::Full | StoreError::Locked)
            | Self::Ledger(LedgerError::Store(StoreError::Full | StoreError::Locked)) => {
                format!("{self}; nothing was changed")
            }
            Self::Store(_) | Self::Ledger(LedgerError::Store(_)) => {
                "the state database failed and nothing was changed; the server's log says why"
                    .to_owned()
            }
            _ => self.to_string(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        if let Self::Store(error) | Self::Ledger(LedgerError::Store(error)) = &self {
            tracing::error!(%error, "a request was not served");
        }
        let problem = Problem {
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            detail: Some(self.detail()),
        };
        let body = serde_json::to_string(&problem).expect("a problem has only text and a number");
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

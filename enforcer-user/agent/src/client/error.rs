//! What can go wrong with a report.

use std::fmt;

use enforcer_protocol::{pin::Pin, posture::MAX_BYTES, problem::Problem};
use reqwest::StatusCode;

use crate::server_url::ServerUrl;

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The HTTP client cannot be built.
    #[error("the HTTP client cannot be set up")]
    Http(#[source] reqwest::Error),
}

/// Why a report brought no receipt.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The posture has no JSON form.
    #[error("the posture cannot be written as JSON")]
    Write(#[source] serde_json::Error),
    /// The posture is longer than any server takes.
    #[error(
        "the posture has {bytes} bytes and a server takes at most {MAX_BYTES}; leave out software or \
         attributes that no policy asks for"
    )]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// The server shows another certificate than the pinned one.
    #[error(
        "the certificate of {server} is not the pinned one, so nothing was sent to it: expected \
         {expected}, {}; if the server has a new certificate, take its pin from the server itself and \
         give it with --pin, else something between pretends to be the server",
        Shown(*.shown)
    )]
    WrongPin {
        /// The server.
        server: ServerUrl,
        /// The pin that was given.
        expected: Pin,
        /// The pin of the certificate that it shows, when that could be seen.
        shown: Option<Pin>,
    },
    /// No connection, or none that lasted.
    #[error(
        "the management server {server} cannot be reached; see that the address is right, that it \
         runs there, and that nothing between stops it"
    )]
    Unreachable {
        /// The server.
        server: ServerUrl,
        /// Why.
        source: reqwest::Error,
    },
    /// The server answered, but did not accept.
    #[error("{server} refused the report ({status}){}", Said(.problem.as_ref()))]
    Refused {
        /// The server.
        server: ServerUrl,
        /// The HTTP status.
        status: StatusCode,
        /// The server's own words.
        problem: Option<Problem>,
    },
    /// The answer is no receipt.
    #[error(
        "{server} answered something that is no receipt; is a management server at this address, and \
         of a version that goes with this agent?"
    )]
    NoReceipt {
        /// The server.
        server: ServerUrl,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The answer is longer than any receipt.
    #[error("{server} answered far more than a receipt; is a management server at this address?")]
    LongAnswer {
        /// The server.
        server: ServerUrl,
    },
}

impl ReportError {
    pub(super) fn unreachable(server: &ServerUrl, source: reqwest::Error) -> Self {
        Self::Unreachable {
            server: server.clone(),
            source: source.without_url(),
        }
    }

    /// Whether it may pass of itself soon, so that trying again makes sense.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => {
                let too_slow_or_many = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
                status.is_server_error() || too_slow_or_many.contains(status)
            }
            _ => false,
        }
    }
}

struct Shown(Option<Pin>);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(pin) => write!(f, "seen {pin}"),
            None => f.write_str("and the one it shows cannot be read"),
        }
    }
}

struct Said<'a>(Option<&'a Problem>);

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(problem) = self.0 else {
            return f.write_str("; is a management server at this address?");
        };
        write!(f, ": {}", problem.title)?;
        problem
            .detail
            .iter()
            .try_for_each(|detail| write!(f, ": {detail}"))
    }
}

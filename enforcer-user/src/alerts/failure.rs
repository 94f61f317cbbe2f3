//! Why somebody could not be told.

use std::{error::Error, io, path::PathBuf, time::Duration};

use lettre::transport::smtp;
use reqwest::{StatusCode, Url};

/// Why somebody could not be told.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// A secret cannot be read.
    #[error("cannot read the secret in {}: {cause}; write it there, alone", path.display())]
    Secret {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Certificates cannot be read.
    #[error("cannot use the certificates in {}: {}; they must be PEM", path.display(), root(&**cause))]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: Box<dyn Error + Send + Sync>,
    },
    /// No client can be made.
    #[error("cannot send to {url}: {}", root(cause))]
    Client {
        /// Where.
        url: Url,
        /// Why.
        cause: reqwest::Error,
    },
    /// Nobody answers there.
    #[error(
        "cannot reach {url}: {}; check that it runs and that this machine may connect to it",
        root(cause)
    )]
    Unreachable {
        /// Where.
        url: Url,
        /// Why.
        cause: reqwest::Error,
    },
    /// The receiver does not take it now.
    #[error("{url} answers {status}; its own log says why")]
    Answered {
        /// Who.
        url: Url,
        /// What.
        status: StatusCode,
    },
    /// The receiver will never take it.
    #[error("{url} refuses the alert ({status}), which is not sent again; its own log says why")]
    Refused {
        /// Who.
        url: Url,
        /// What it answers.
        status: StatusCode,
    },
    /// No mail can be made of it.
    #[error("no mail can be made of the alert: {0}")]
    Message(#[from] lettre::error::Error),
    /// The mail server does not take it.
    #[error("the mail server {server} does not take it: {cause}")]
    Mail {
        /// The server.
        server: String,
        /// Why.
        cause: smtp::Error,
    },
    /// There is nobody to run a command as.
    #[error(
        "there is no user `{0}` to run the command as; make it with `useradd --system {0}`, or name another"
    )]
    NoUser(String),
    /// A command cannot be started.
    #[error("cannot start {}: {cause}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A command failed.
    #[error("{} failed ({status}){}{said}", program.display(), if said.is_empty() { "" } else { ": " })]
    Failed {
        /// The program.
        program: PathBuf,
        /// How it ended.
        status: std::process::ExitStatus,
        /// The last line that it said of it.
        said: String,
    },
    /// It took too long.
    #[error("{to} took longer than {limit:?}, and was ended")]
    Slow {
        /// What.
        to: String,
        /// How long it had.
        limit: Duration,
    },
}

/// What mail servers answer when they do not know the gateway: that can be mended.
const LOGIN_CODES: [u16; 4] = [530, 534, 535, 538];

impl Failure {
    /// Whether it would be the same the next time, whatever an operator mends.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::Message(_) => true,
            Self::Mail { cause, .. } => {
                let code = cause.status().map(u16::from);
                cause.is_permanent() && code.is_none_or(|code| !LOGIN_CODES.contains(&code))
            }
            _ => false,
        }
    }
}

/// The innermost cause, which says what a person can act on.
fn root(error: &dyn Error) -> &dyn Error {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error
}

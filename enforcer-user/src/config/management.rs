//! The management server that the gateway is told of.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use enforcer_protocol::pin::Pin;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::value;

/// `[management]`: the management server, inside the gateway or elsewhere. Without this section it
/// is inside.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Management {
    /// Where the server is.
    #[serde(
        default,
        deserialize_with = "value::url",
        serialize_with = "value::write_url"
    )]
    pub url: Option<Url>,
    /// The fingerprint of its certificate.
    pub pin: Option<Pin>,
    /// The file with the token that it gave this gateway.
    pub token_file: Option<PathBuf>,
    /// How long its decisions hold when it is silent.
    #[serde(
        default = "default_lease",
        deserialize_with = "value::duration",
        serialize_with = "value::write_duration"
    )]
    pub lease: Duration,
    /// The server inside the gateway.
    pub embedded: Option<Embedded>,
}

fn default_lease() -> Duration {
    Duration::from_mins(3)
}

impl Default for Management {
    fn default() -> Self {
        Self {
            url: None,
            pin: None,
            token_file: None,
            lease: default_lease(),
            embedded: Some(Embedded::default()),
        }
    }
}

/// `[management.embedded]`: the server inside the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Embedded {
    /// Where it listens.
    pub listen: Vec<SocketAddr>,
    /// The file by which it judges; absent: the policy that is built in.
    pub policy: Option<PathBuf>,
}

impl Default for Embedded {
    fn default() -> Self {
        Self {
            listen: vec![
                (Ipv4Addr::UNSPECIFIED, 8443).into(),
                (Ipv6Addr::UNSPECIFIED, 8443).into(),
            ],
            policy: None,
        }
    }
}

/// The management server that the section means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server<'a> {
    /// The one inside the gateway.
    Embedded(&'a Embedded),
    /// One elsewhere.
    Remote {
        /// Where it is.
        url: &'a Url,
        /// The fingerprint of its certificate.
        pin: Pin,
        /// The file with this gateway's token.
        token_file: &'a Path,
    },
}

/// Why `[management]` means no server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManagementError {
    /// No server at all.
    #[error("no management server is named")]
    Neither,
    /// Two servers.
    #[error("two management servers are named, one by `url` and one embedded")]
    Both,
    /// The connection would not be encrypted.
    #[error("the management server would be spoken to without encryption")]
    NotHttps,
    /// Without a pin the server cannot be recognised.
    #[error("the management server's certificate is not pinned")]
    PinMissing,
    /// Without a token the server does not know the gateway.
    #[error("the gateway has no token for the management server")]
    TokenMissing,
}

impl Management {
    /// The server that the section means.
    pub fn server(&self) -> Result<Server<'_>, ManagementError> {
        let url = match (&self.url, &self.embedded) {
            (None, None) => return Err(ManagementError::Neither),
            (Some(_), Some(_)) => return Err(ManagementError::Both),
            (None, Some(embedded)) => return Ok(Server::Embedded(embedded)),
            (Some(url), None) => url,
        };
        if url.scheme() != "https" {
            return Err(ManagementError::NotHttps);
        }
        Ok(Server::Remote {
            url,
            pin: self.pin.ok_or(ManagementError::PinMissing)?,
            token_file: self
                .token_file
                .as_deref()
                .ok_or(ManagementError::TokenMissing)?,
        })
    }
}

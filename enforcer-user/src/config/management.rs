//! The management servers that the gateway is told of.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use enforcer_protocol::pin::Pin;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::{Share, value};

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
    /// The file with the certificate that this gateway shows it.
    pub client_certificate: Option<PathBuf>,
    /// The file with the key of that certificate.
    pub client_key: Option<PathBuf>,
    /// Several servers instead of one, the preferred one first.
    #[serde(default, rename = "server")]
    pub servers: Vec<ServerEntry>,
    /// How long its decisions hold when it is silent.
    #[serde(
        default = "default_lease",
        deserialize_with = "value::duration",
        serialize_with = "value::write_duration"
    )]
    pub lease: Duration,
    /// How much it counts against other sources: the one with the highest number decides.
    #[serde(default)]
    pub priority: u8,
    /// How many of its hosts a snapshot may leave out without being asked for a second time.
    #[serde(default)]
    pub max_shrink: Share,
    /// The server inside the gateway.
    pub embedded: Option<Embedded>,
}

/// `[[management.server]]`: one of several servers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ServerEntry {
    /// Where it is.
    #[serde(deserialize_with = "value::url", serialize_with = "value::write_url")]
    pub url: Option<Url>,
    /// The fingerprint of its certificate.
    pub pin: Option<Pin>,
    /// The file with the token that it gave this gateway.
    pub token_file: Option<PathBuf>,
    /// The file with the certificate that this gateway shows it.
    pub client_certificate: Option<PathBuf>,
    /// The file with the key of that certificate.
    pub client_key: Option<PathBuf>,
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
            client_certificate: None,
            client_key: None,
            servers: Vec::new(),
            lease: default_lease(),
            priority: 0,
            max_shrink: Share::default(),
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

/// The management servers that the section means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Servers<'a> {
    /// The one inside the gateway.
    Embedded(&'a Embedded),
    /// Those elsewhere, the preferred one first; at least one.
    Remote(Vec<Remote<'a>>),
}

impl<'a> Servers<'a> {
    /// Those elsewhere.
    pub fn remote(&self) -> &[Remote<'a>] {
        match self {
            Self::Embedded(_) => &[],
            Self::Remote(servers) => servers,
        }
    }
}

/// A management server elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote<'a> {
    /// The section of the configuration that names it.
    pub key: String,
    /// Where it is.
    pub url: &'a Url,
    /// The fingerprint of its certificate.
    pub pin: Pin,
    /// The file with this gateway's token.
    pub token_file: Option<&'a Path>,
    /// The files with this gateway's certificate and its key.
    pub certificate: Option<(&'a Path, &'a Path)>,
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
    /// One alone and a list.
    #[error("management servers are named by `[[management.server]]` and also without")]
    Mixed,
    /// A list that never comes to an end.
    #[error("more than {MAX_SERVERS} management servers are named")]
    TooMany,
    /// The connection would not be encrypted.
    #[error("the management server would be spoken to without encryption")]
    NotHttps,
    /// Without a pin the server cannot be recognised.
    #[error("the management server's certificate is not pinned")]
    PinMissing,
    /// Without a token or a certificate the server does not know the gateway.
    #[error("the gateway has neither a token nor a certificate for the management server")]
    TokenMissing,
    /// A certificate without its key, or the other way round.
    #[error("of `client_certificate` and `client_key` only one is named")]
    HalfCertificate,
}

/// The most servers in the list.
pub const MAX_SERVERS: usize = 8;

impl Management {
    /// The servers that the section means.
    pub fn servers(&self) -> Result<Servers<'_>, ManagementError> {
        let alone = self.url.is_some();
        match (alone, self.servers.is_empty(), &self.embedded) {
            (false, true, None) => Err(ManagementError::Neither),
            (true, _, Some(_)) => Err(ManagementError::Both),
            (true, false, _) | (false, false, Some(_)) => Err(ManagementError::Mixed),
            (false, true, Some(embedded)) => Ok(Servers::Embedded(embedded)),
            _ if self.servers.len() > MAX_SERVERS => Err(ManagementError::TooMany),
            _ => self.named().map(Servers::Remote),
        }
    }

    fn named(&self) -> Result<Vec<Remote<'_>>, ManagementError> {
        let alone = ServerFiles {
            token: &self.token_file,
            certificate: &self.client_certificate,
            key: &self.client_key,
        };
        if let Some(url) = &self.url {
            return Ok(vec![remote(
                "management".to_owned(),
                url,
                self.pin,
                &alone,
            )?]);
        }
        let servers = self.servers.iter().enumerate();
        let servers = servers.map(|(number, entry)| {
            let url = entry.url.as_ref().ok_or(ManagementError::Neither)?;
            let files = ServerFiles {
                token: &entry.token_file,
                certificate: &entry.client_certificate,
                key: &entry.client_key,
            };
            remote(
                format!("management.server[{number}]"),
                url,
                entry.pin,
                &files,
            )
        });
        servers.collect()
    }
}

/// By what this gateway is known to a server.
struct ServerFiles<'a> {
    token: &'a Option<PathBuf>,
    certificate: &'a Option<PathBuf>,
    key: &'a Option<PathBuf>,
}

fn remote<'a>(
    key: String,
    url: &'a Url,
    pin: Option<Pin>,
    files: &ServerFiles<'a>,
) -> Result<Remote<'a>, ManagementError> {
    if url.scheme() != "https" {
        return Err(ManagementError::NotHttps);
    }
    let token_file = files.token.as_deref();
    let certificate = match (files.certificate.as_deref(), files.key.as_deref()) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => return Err(ManagementError::HalfCertificate),
    };
    let pin = pin.ok_or(ManagementError::PinMissing)?;
    if token_file.is_none() && certificate.is_none() {
        return Err(ManagementError::TokenMissing);
    }
    Ok(Remote {
        key,
        url,
        pin,
        token_file,
        certificate,
    })
}

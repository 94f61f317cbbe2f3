//! The management servers, as the configuration names them: elsewhere, or one embedded as a child.

use std::{
    ffi::OsString,
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    os::unix::fs::{OpenOptionsExt, chown},
    path::{Path, PathBuf},
    time::Duration,
};

use enforcer_protocol::pin::Pin;
use reqwest::Url;
use tokio::{process::Command, time};

use super::{
    GatewayError,
    children::{Children, Unprivileged},
    sources::{read_token, remote},
};
use crate::{
    config::{Config, Embedded, ManagementError, Servers},
    sources::server::{Server, Token},
};

/// How long the embedded server may take until it has made its certificate.
const FIRST_START: Duration = Duration::from_secs(20);

/// How often the embedded server is heard at least, however long the lease.
const LONGEST_HEARTBEAT: Duration = Duration::from_secs(10);

/// Why the management server cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// None is named.
    #[error(transparent)]
    Unnamed(#[from] ManagementError),
    /// The gateway's token cannot be read or kept.
    #[error("the gateway's token {path}: {error}")]
    Token {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The token is none.
    #[error("{0} holds no token; make one with `enforcer server token create --kind gateway`")]
    NoToken(PathBuf),
    /// This gateway's certificate or its key cannot be read.
    #[error("this gateway's certificate or key {path}: {error}; write both as PEM")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// No token could be made.
    #[error("the embedded management server made no token for the gateway: {0}")]
    NotMade(String),
    /// The server's directory cannot be made.
    #[error("cannot make {path}: {error}")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The server did not start.
    #[error("the embedded management server has made no certificate within {} s; the log above says why", FIRST_START.as_secs())]
    NotStarted,
    /// What it wrote as its pin is none.
    #[error("{path} holds no pin; remove it, and the server writes it anew")]
    BadPin {
        /// The file.
        path: PathBuf,
    },
    /// No address to reach it at.
    #[error(
        "the embedded management server has no address to listen on; name one in `management.embedded.listen`"
    )]
    NoAddress,
}

/// The management servers, the preferred one first; an embedded one is started.
pub(super) async fn management(
    config: &Config,
    user: Option<Unprivileged>,
    children: &mut Children,
) -> Result<Vec<Server>, GatewayError> {
    match config.management.servers().map_err(EmbeddedError::from)? {
        Servers::Remote(servers) => servers.iter().map(|one| remote(config, one)).collect(),
        Servers::Embedded(embedded) => Ok(vec![start(config, embedded, user, children).await?]),
    }
}

async fn start(
    config: &Config,
    embedded: &Embedded,
    user: Option<Unprivileged>,
    children: &mut Children,
) -> Result<Server, GatewayError> {
    let state = config.state_dir.join("server");
    directory(&state, user).map_err(|error| EmbeddedError::Directory {
        path: state.clone(),
        error,
    })?;
    let url = url(embedded)?;
    let token = token(&config.state_dir.join("gateway.token"), &state, user).await?;
    let mut arguments: Vec<OsString> = vec![
        "server".into(),
        "run".into(),
        "--lifeline".into(),
        "--state-dir".into(),
        state.clone().into(),
    ];
    let heartbeat = format!("{}ms", heartbeat(config.management.lease).as_millis());
    arguments.extend(["--heartbeat".into(), heartbeat.into()]);
    for address in &embedded.listen {
        arguments.extend(["--listen".into(), address.to_string().into()]);
    }
    if let Some(policy) = &embedded.policy {
        arguments.extend(["--policy".into(), policy.into()]);
    }
    // Nothing of it can be changed while it runs.
    drop(children.start("server", arguments, user)?);
    let path = state.join("server.pin");
    let pin = pin(&path).await?;
    let place = path.display().to_string();
    Ok(Server::new(url, pin, token)?.pinned_in(&place))
}

/// Often enough that a lease outlives two heartbeats that come late.
fn heartbeat(lease: Duration) -> Duration {
    (lease / 3).min(LONGEST_HEARTBEAT)
}

fn directory(path: &Path, user: Option<Unprivileged>) -> io::Result<()> {
    fs::create_dir_all(path)?;
    match user {
        Some(user) => chown(path, Some(user.uid), Some(user.gid)),
        None => Ok(()),
    }
}

/// Where the gateway itself reaches the embedded server.
fn url(embedded: &Embedded) -> Result<Url, EmbeddedError> {
    let listen = embedded.listen.first().ok_or(EmbeddedError::NoAddress)?;
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let address = SocketAddr::new(ip, listen.port());
    Url::parse(&format!("https://{address}")).map_err(|_| EmbeddedError::NoAddress)
}

/// The gateway's token: the one that is kept, or a new one.
async fn token(
    path: &Path,
    state: &Path,
    user: Option<Unprivileged>,
) -> Result<Token, EmbeddedError> {
    if path.exists() {
        return read_token(path);
    }
    let secret = make_token(state, user).await?;
    let kept = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| io::Write::write_all(&mut file, secret.as_bytes()));
    kept.map_err(|error| EmbeddedError::Token {
        path: path.to_owned(),
        error,
    })?;
    read_token(path)
}

async fn make_token(state: &Path, user: Option<Unprivileged>) -> Result<String, EmbeddedError> {
    let not_made = |error: &dyn std::fmt::Display| EmbeddedError::NotMade(error.to_string());
    let program = std::env::current_exe().map_err(|error| not_made(&error))?;
    let name = format!("embedded-{}", jiff::Timestamp::now().as_millisecond());
    let mut command = Command::new(program);
    command
        .args([
            "--output", "json", "server", "token", "create", "--kind", "gateway", "--name",
        ])
        .arg(name)
        .arg("--state-dir")
        .arg(state);
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    let output = command.output().await.map_err(|error| not_made(&error))?;
    let made: serde_json::Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| not_made(&String::from_utf8_lossy(&output.stderr)))?;
    let secret = made.get("secret").and_then(|secret| secret.as_str());
    secret
        .map(str::to_owned)
        .ok_or_else(|| not_made(&"it printed no secret"))
}

/// The server writes its pin once it has a certificate.
async fn pin(path: &Path) -> Result<Pin, EmbeddedError> {
    let written = async {
        loop {
            match fs::read_to_string(path) {
                Ok(text) if !text.trim().is_empty() => return text,
                _ => time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    let text = time::timeout(FIRST_START, written)
        .await
        .map_err(|_| EmbeddedError::NotStarted)?;
    text.trim().parse().map_err(|_| EmbeddedError::BadPin {
        path: path.to_owned(),
    })
}

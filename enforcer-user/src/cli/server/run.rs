//! `enforcer server run`.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Context;
use clap::Args;
use enforcer_server::ServerConfig;
use jiff::SignedDuration;
use tokio::signal::unix::{SignalKind, signal};

use super::State;

/// How to run the server.
#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    state: State,
    /// An address to listen on; may be given several times. Port 0 takes a free one, which is
    /// written to `server.addr` in the state directory [default: 0.0.0.0:8443 and [::]:8443]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Vec<SocketAddr>,
    /// The policy to judge by; read again on SIGHUP [default: the built-in one, see `enforcer
    /// server policy example`]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// How often gateways are told that all is well.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    heartbeat: Duration,
    /// How long a report counts; after that its endpoint is unknown.
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = duration)]
    report_valid: Duration,
    /// How many changes are kept for gateways that come back.
    #[arg(long, value_name = "NUMBER", default_value_t = ServerConfig::default().change_log)]
    change_log: u32,
    /// If the database is damaged, keep it under another name and begin with an empty one.
    #[arg(long)]
    set_aside_corrupt: bool,
    /// End when standard input ends: the gateway that embeds this server holds its other end.
    #[arg(long, hide = true)]
    lifeline: bool,
}

impl RunArgs {
    /// Runs the server until SIGTERM or SIGINT.
    pub async fn run(self) -> anyhow::Result<()> {
        let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
        let is_held = self.lifeline;
        let shutdown = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                () = lifeline(is_held) => {}
            }
        };
        Ok(enforcer_server::run(self.config(), shutdown).await?)
    }

    fn config(self) -> ServerConfig {
        let default = ServerConfig::default();
        let listen = if self.listen.is_empty() {
            default.listen
        } else {
            self.listen
        };
        ServerConfig {
            listen,
            state_dir: self.state.state_dir,
            policy: self.policy,
            heartbeat: self.heartbeat,
            report_valid: self.report_valid,
            change_log: self.change_log,
            set_aside_corrupt: self.set_aside_corrupt,
        }
    }
}

/// Ready when standard input has ended, if that matters.
async fn lifeline(is_held: bool) {
    if !is_held {
        return std::future::pending().await;
    }
    // Whatever comes over it, an error too, only its end counts.
    let _ = tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await;
}

/// What is wrong with a time.
#[derive(Debug, thiserror::Error)]
enum DurationError {
    #[error("{0}; write a time such as `10s`, `5m` or `24h`")]
    Form(#[from] jiff::Error),
    #[error("it must be longer than zero")]
    NotPositive,
}

fn duration(text: &str) -> Result<Duration, DurationError> {
    let duration: SignedDuration = text.parse()?;
    if !duration.is_positive() {
        return Err(DurationError::NotPositive);
    }
    Ok(duration.unsigned_abs())
}

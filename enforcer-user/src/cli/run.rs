//! `enforcer run`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::output::LogFormat;
use crate::gateway;

/// How to run the gateway.
#[derive(Debug, Args)]
pub struct RunCommand {
    /// The configuration; `enforcer config example` prints one.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/etc/enforcer/enforcer.toml"
    )]
    config: PathBuf,
}

impl RunCommand {
    /// Runs the gateway until SIGTERM or SIGINT.
    pub fn run(self, log: LogFormat) -> anyhow::Result<()> {
        let config = gateway::admit(&self.config)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("cannot start the asynchronous runtime")?;
        runtime.block_on(async {
            let mut terminate =
                signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
            let mut interrupt =
                signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
            let stop = async {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
            };
            Ok(Box::pin(gateway::run(config, &self.config, log.argument(), stop)).await?)
        })
    }
}

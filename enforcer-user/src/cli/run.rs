//! `enforcer run`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    confine, gateway,
    logs::{self, LogFormat},
    simulation::{Condition, Simulation},
};

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
    /// A fault that SIGUSR1 begins, and ends when it comes again; for tests. May be given several times.
    #[arg(long, hide = true, value_name = "CONDITION")]
    simulate: Vec<Condition>,
}

impl RunCommand {
    /// Runs the gateway until SIGTERM or SIGINT.
    pub fn run(self, log: LogFormat) -> anyhow::Result<()> {
        confine::gateway()?;
        let config = gateway::admit(&self.config)?;
        gateway::prepare(&config)?;
        logs::detach(confine::bare).context("cannot start the thread that writes logs")?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .on_thread_start(confine::thread)
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
            let simulation = Simulation::default();
            if !self.simulate.is_empty() {
                simulate(self.simulate, simulation.clone())?;
            }
            let run = gateway::run(config, log.argument(), simulation, stop);
            Ok(Box::pin(run).await?)
        })
    }
}

/// Lets SIGUSR1 begin and end faults.
fn simulate(conditions: Vec<Condition>, simulation: Simulation) -> anyhow::Result<()> {
    let mut toggle = signal(SignalKind::user_defined1()).context("cannot wait for SIGUSR1")?;
    tokio::spawn(async move {
        while toggle.recv().await.is_some() {
            for condition in &conditions {
                simulation.toggle(*condition);
            }
        }
    });
    Ok(())
}

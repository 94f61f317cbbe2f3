//! `enforcer server …`.

mod endpoints;
mod policy;
mod run;
mod table;
mod token;

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use enforcer_server::{config::STATE_DIR, state_dir::StateDir, tls};
use serde::Serialize;

use super::output::{self, Format};
use crate::{confine, logs};

/// What the management server can be told.
#[derive(Debug, Subcommand)]
pub enum ServerCommand {
    /// Run the server.
    Run(run::RunArgs),
    /// Print the pin by which agents and gateways know the server.
    Pin(State),
    /// Make, list and revoke the tokens of agents and gateways.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// List and delete endpoints.
    #[command(subcommand)]
    Endpoints(endpoints::EndpointsCommand),
    /// Check policies.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
}

/// Which server.
#[derive(Debug, Args)]
pub struct State {
    /// Where the server keeps certificate and database.
    #[arg(long, value_name = "DIR", default_value = STATE_DIR, env = "ENFORCER_STATE_DIR")]
    state_dir: PathBuf,
}

impl ServerCommand {
    /// Runs the command.
    pub fn run(self, format: Format) -> anyhow::Result<()> {
        if matches!(self, Self::Run(_)) {
            confine::child()?;
            logs::detach(|| {}).context("cannot start the thread that writes logs")?;
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        match self {
            Self::Run(args) => runtime.block_on(args.run()),
            Self::Pin(state) => pin(&state, format),
            Self::Token(command) => runtime.block_on(command.run(format)),
            Self::Endpoints(command) => runtime.block_on(command.run(format)),
            Self::Policy(command) => command.run(format),
        }
    }
}

fn pin(state: &State, format: Format) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct Printed {
        pin: String,
    }
    let pin = tls::pin(&StateDir::existing(&state.state_dir)?)?.to_string();
    output::print(format, &Printed { pin }, |printed| printed.pin.clone())
}

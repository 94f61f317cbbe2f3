//! `enforcer server …`.

use clap::Subcommand;

use super::output::Format;

/// What the management server can be told.
#[derive(Debug, Subcommand)]
pub enum ServerCommand {}

impl ServerCommand {
    /// Runs the command.
    pub fn run(self, _format: Format) -> anyhow::Result<()> {
        match self {}
    }
}

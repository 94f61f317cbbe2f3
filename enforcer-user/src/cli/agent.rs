//! `enforcer agent …`.

use clap::Subcommand;

use super::output::Format;

/// What the agent can be told.
#[derive(Debug, Subcommand)]
pub enum AgentCommand {}

impl AgentCommand {
    /// Runs the command.
    pub fn run(self, _format: Format) -> anyhow::Result<()> {
        match self {}
    }
}

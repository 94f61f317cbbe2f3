//! The command line.

mod agent;
mod config;
mod output;
mod server;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Host compliance, enforced where the packets are.
#[derive(Debug, Parser)]
#[command(name = "enforcer", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value_t)]
    output: output::Format,
    /// How logs are printed (to standard error).
    #[arg(long, global = true, value_enum, default_value_t)]
    log: output::LogFormat,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks configurations, prints an example.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// The management server: judges postures, streams decisions.
    #[command(subcommand)]
    Server(server::ServerCommand),
    /// What runs on an endpoint: reports its posture.
    #[command(subcommand)]
    Agent(agent::AgentCommand),
}

impl Cli {
    /// Runs the command and says what went wrong, if anything did.
    pub fn run(self) -> ExitCode {
        output::init_logs(self.log);
        let result = match self.command {
            Command::Config(command) => command.run(self.output),
            Command::Server(command) => command.run(self.output),
            Command::Agent(command) => command.run(self.output),
        };
        output::exit(result)
    }
}

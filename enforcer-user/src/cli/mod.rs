//! The command line.

mod agent;
mod alert;
mod audit;
mod completions;
mod config;
mod confined;
mod doctor;
mod events;
mod exception;
mod explain;
mod gateway;
mod host;
mod hosts;
mod http;
mod mode;
mod output;
mod reload;
mod run;
mod server;
mod status;
mod table;
mod top;
mod trace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{control::request::Granted, logs};

/// Host compliance, enforced where the packets are.
#[derive(Debug, Parser)]
#[command(
    name = "enforcer",
    version,
    propagate_version = true,
    after_long_help = output::EXIT_CODES
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    gateway: gateway::Gateway,
    /// How logs are written [default: text, or journal when systemd connects standard error to it].
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    log: Option<logs::LogFormat>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the gateway.
    Run(run::RunCommand),
    /// Checks configurations, prints the one in force, or an example.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Looks for what keeps this machine from enforcing, and says how to mend it.
    Doctor(doctor::DoctorCommand),
    /// How the gateway is: mode, interfaces, sources, tables.
    Status,
    /// The hosts that the gateway knows, with their roles and why they have them.
    Hosts(hosts::HostsCommand),
    /// Everything that is known of a host.
    Host(host::HostCommand),
    /// What happened: stops, decisions, doubts, sources lost and found.
    Events(events::EventsCommand),
    /// Who is stopped most.
    Top(top::TopCommand),
    /// What would happen to a packet of a host, step by step.
    Explain(explain::ExplainCommand),
    /// What the datapath would do with the packets of a capture.
    Trace(trace::TraceCommand),
    /// Puts the configuration file in force, whole or not at all, while packets go on being judged.
    Reload(reload::ReloadCommand),
    /// Switches between counting what would be stopped and stopping it.
    Mode(mode::ModeCommand),
    /// Lets a host pass whatever the sources say.
    Allow(exception::ExceptCommand),
    /// Stops a host whatever the sources say.
    Deny(exception::ExceptCommand),
    /// Tries whether alerts arrive.
    #[command(subcommand)]
    Alert(alert::AlertCommand),
    /// Ends what `allow` or `deny` began.
    Release(exception::ReleaseCommand),
    /// Prints completions for a shell.
    Completions(completions::CompletionsCommand),
    /// Writes the manual pages, one for each command.
    Man(completions::ManCommand),
    /// Shows what operators did, and whether the log of it was touched.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Runs a program with the system calls of a gateway or its children, for tests.
    #[command(hide = true)]
    Confined(confined::ConfinedCommand),
    /// Serves the portal, metrics and health; `enforcer run` starts it.
    #[command(hide = true)]
    Http(http::HttpCommand),
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
        let log = self.log.unwrap_or_else(logs::LogFormat::usual);
        logs::init(log);
        let code = output::exit(self.command.run(&self.gateway, log));
        logs::finish();
        code
    }
}

impl Command {
    fn run(self, gateway: &gateway::Gateway, log: logs::LogFormat) -> Result<()> {
        match self {
            Self::Run(command) => command.run(log),
            Self::Config(command) => command.run(gateway),
            Self::Doctor(command) => command.run(gateway),
            Self::Status => status::run(gateway),
            Self::Hosts(command) => command.run(gateway),
            Self::Host(command) => command.run(gateway),
            Self::Events(command) => command.run(gateway),
            Self::Top(command) => command.run(gateway),
            Self::Explain(command) => command.run(gateway),
            Self::Trace(command) => command.run(gateway.output),
            Self::Reload(command) => command.run(gateway),
            Self::Mode(command) => command.run(gateway),
            Self::Allow(command) => command.run(Granted::Authorized, gateway),
            Self::Deny(command) => command.run(Granted::Denied, gateway),
            Self::Release(command) => command.run(gateway),
            Self::Alert(command) => command.run(gateway),
            Self::Completions(command) => command.run(),
            Self::Man(command) => command.run(),
            Self::Audit(command) => command.run(gateway.output),
            Self::Confined(command) => command.run(),
            Self::Http(command) => command.run(),
            Self::Server(command) => command.run(gateway.output),
            Self::Agent(command) => command.run(gateway.output),
        }
    }
}

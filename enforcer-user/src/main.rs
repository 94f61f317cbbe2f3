//! The `enforcer` program: gateway, management server and agent in one binary.

use std::process::ExitCode;

use clap::Parser;
use enforcer::cli::Cli;

fn main() -> ExitCode {
    Cli::parse().run()
}

//! `enforcer server policy …`.

use std::path::PathBuf;

use clap::Subcommand;
use enforcer_server::policy::{EXAMPLE, Policy};
use serde::Serialize;

use crate::cli::output::{self, Format};

/// What can be done with policies.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Check a policy and say what is wrong with it.
    Check {
        /// The policy.
        file: PathBuf,
    },
    /// Print the built-in policy, with an explanation of everything that a policy can say.
    Example,
}

/// A policy that is right, as it is printed.
#[derive(Serialize)]
struct Checked {
    file: PathBuf,
    rules: usize,
}

impl PolicyCommand {
    /// Runs the command.
    pub fn run(self, format: Format) -> anyhow::Result<()> {
        match self {
            Self::Check { file } => {
                let rules = Policy::load(Some(&file))?.rules.len();
                output::print(format, &Checked { file, rules }, |checked| {
                    format!(
                        "{}: {} rules, nothing wrong",
                        checked.file.display(),
                        checked.rules
                    )
                })
            }
            Self::Example => {
                print!("{EXAMPLE}");
                Ok(())
            }
        }
    }
}

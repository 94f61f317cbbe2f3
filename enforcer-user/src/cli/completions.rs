//! `enforcer completions` and `enforcer man`: what packages put beside the program.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use anyhow::{Context, Result};
use clap::{Args, Command, CommandFactory, ValueEnum};
use clap_complete::Shell;
use clap_mangen::Man;

use super::Cli;

/// A shell whose completions are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Interactive {
    /// The Bourne-again shell.
    Bash,
    /// The Z shell.
    Zsh,
    /// The friendly interactive shell.
    Fish,
}

/// For which shell.
#[derive(Debug, Args)]
pub struct CompletionsCommand {
    /// The shell.
    #[arg(value_enum)]
    shell: Interactive,
}

impl CompletionsCommand {
    /// Prints the completions.
    pub fn run(&self) -> Result<()> {
        let shell = match self.shell {
            Interactive::Bash => Shell::Bash,
            Interactive::Zsh => Shell::Zsh,
            Interactive::Fish => Shell::Fish,
        };
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "enforcer", &mut script);
        match io::stdout().write_all(&script) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written.context("cannot print the completions"),
        }
    }
}

/// Where to.
#[derive(Debug, Args)]
pub struct ManCommand {
    /// The directory, made when it is not there.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl ManCommand {
    /// Writes a page for each command.
    pub fn run(&self) -> Result<()> {
        let directory = self.out.display();
        fs::create_dir_all(&self.out).with_context(|| format!("cannot make {directory}"))?;
        let mut root = Cli::command();
        // Names of commands below others are only then known.
        root.build();
        let pages = self.write(&root)?;
        println!("{pages} pages are in {directory}.");
        Ok(())
    }

    fn write(&self, command: &Command) -> Result<usize> {
        let page = Man::new(command.clone())
            .manual("enforcer")
            .source(concat!("enforcer ", env!("CARGO_PKG_VERSION")));
        let failed = || format!("cannot write a page in {}", self.out.display());
        page.generate_to(&self.out).with_context(failed)?;
        let below = command.get_subcommands();
        let below = below.filter(|one| !one.is_hide_set() && one.get_name() != "help");
        below
            .map(|one| self.write(one))
            .try_fold(1, |sum, pages| Ok(sum + pages?))
    }
}

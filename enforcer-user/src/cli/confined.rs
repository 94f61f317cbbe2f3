//! `enforcer confined`: a program with the system calls of a gateway or its children, to try what they may.

use std::{ffi::OsString, os::unix::process::CommandExt, path::PathBuf, process::Command};

use anyhow::{Context, Result};
use clap::Args;

use crate::confine::{self, Class};

/// What is run, and as what.
#[derive(Debug, Args)]
pub struct ConfinedCommand {
    /// Whose calls it may make.
    #[arg(value_enum)]
    class: Class,
    /// Where it may write, and nowhere else.
    #[arg(long, value_name = "DIR")]
    write_beneath: Option<PathBuf>,
    /// The program and its arguments.
    #[arg(trailing_var_arg = true, required = true, allow_hyphen_values = true)]
    program: Vec<OsString>,
}

impl ConfinedCommand {
    /// Becomes the program.
    pub fn run(self) -> Result<()> {
        if let Some(place) = &self.write_beneath {
            confine::files(&[place])?;
        }
        confine::calls(self.class)?;
        let (program, arguments) = self.program.split_first().context("no program")?;
        let error = Command::new(program).args(arguments).exec();
        Err(error).with_context(|| format!("cannot run {}", program.display()))
    }
}

//! `enforcer config …`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{
    gateway::{Gateway, mismatch},
    output::{self, Format},
};
use crate::{
    config::{
        self, Config, EXAMPLE,
        check::{self, Finding},
        machine::Machine,
    },
    control::{Request, Response},
};

/// What can be asked about configurations.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Says everything that is wrong with a configuration, and changes nothing.
    Check(CheckArgs),
    /// Prints a complete configuration with a comment for every key.
    Example,
    /// Prints the configuration by which the gateway runs, without secrets.
    Show(ShowArgs),
}

/// How much of the configuration is shown.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Every key, not only those that differ from the defaults.
    #[arg(long)]
    effective: bool,
    /// Of this file, and not of the running gateway.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// As JSON; the same as `--output json`.
    #[arg(long)]
    json: bool,
}

impl ShowArgs {
    fn run(&self, gateway: &Gateway) -> Result<()> {
        let effective = self.effective;
        let keys = match &self.file {
            Some(file) => config::shown(&Config::load(file)?, effective),
            None => match gateway.ask(&Request::Config { effective })? {
                Response::Config(keys) => keys,
                other => return Err(mismatch(&other)),
            },
        };
        // As TOML it can be put back into the file.
        let text = toml::to_string(&keys).context("the configuration cannot be written as TOML")?;
        output::print(gateway.format(self.json), &keys, |_| {
            text.trim_end().to_owned()
        })
    }
}

/// Which configuration is checked.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The configuration.
    file: PathBuf,
    /// Look at the file alone: not at the interfaces, files and connections of this machine.
    #[arg(long)]
    offline: bool,
}

/// The result for programs.
#[derive(Debug, Serialize)]
struct Report<'a> {
    file: &'a Path,
    ok: bool,
    /// Why the file cannot even be read as a configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Unreadable>,
    findings: Vec<Finding>,
}

#[derive(Debug, Serialize)]
struct Unreadable {
    line: Option<usize>,
    column: Option<usize>,
    message: String,
}

impl ConfigCommand {
    /// Runs the command.
    pub fn run(self, gateway: &Gateway) -> Result<()> {
        match self {
            Self::Check(args) => args.run(gateway.output),
            Self::Show(args) => args.run(gateway),
            Self::Example => {
                print!("{EXAMPLE}");
                Ok(())
            }
        }
    }
}

impl CheckArgs {
    fn run(&self, format: Format) -> Result<()> {
        let config = match Config::load(&self.file) {
            Ok(config) => config,
            Err(error) if format == Format::Text => return Err(error.into()),
            Err(error) => {
                let at = error.at();
                let error = Unreadable {
                    line: at.map(|at| at.line),
                    column: at.map(|at| at.column),
                    message: error.to_string(),
                };
                return self.report(format, Some(error), Vec::new());
            }
        };
        let machine = if self.offline {
            None
        } else {
            Some(Machine::read()?)
        };
        let findings = check::check(&config, machine.as_ref());
        self.report(format, None, findings)
    }

    fn report(
        &self,
        format: Format,
        error: Option<Unreadable>,
        findings: Vec<Finding>,
    ) -> Result<()> {
        let report = Report {
            file: &self.file,
            ok: error.is_none() && !findings.iter().any(Finding::is_error),
            error,
            findings,
        };
        output::print(format, &report, text)?;
        if !report.ok {
            bail!("{} cannot be used as it is", self.file.display());
        }
        Ok(())
    }
}

fn text(report: &Report<'_>) -> String {
    let file = report.file.display();
    let lines = report.findings.iter().map(|finding| {
        let line = finding
            .line
            .map(|line| format!(":{line}"))
            .unwrap_or_default();
        let (key, fault) = (&finding.key, &finding.fault);
        let (severity, remedy) = (fault.severity(), fault.remedy());
        format!("{file}{line}: {severity}: {key}: {fault}\n    {remedy}")
    });
    let verdict = report.ok.then(|| format!("{file}: can be used"));
    lines.chain(verdict).collect::<Vec<_>>().join("\n")
}

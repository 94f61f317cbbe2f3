//! The gate before anything is attached.

use std::path::{Path, PathBuf};

use super::{
    super::{
        Config, ConfigError,
        machine::{Machine, MachineError},
    },
    Finding, check,
};

/// Why a configuration is not used.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// It cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The machine cannot be looked at.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// Something is wrong with it.
    #[error("the configuration {} is refused, and nothing was changed:\n  {}", path.display(), lines(findings))]
    Refused {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        findings: Vec<Finding>,
    },
}

fn lines(findings: &[Finding]) -> String {
    let lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
    lines.join(
        "
  ",
    )
}

/// Reads a configuration and lets it through when neither the file nor this machine is against it.
/// Warnings go to the log.
pub fn admit(path: &Path) -> Result<Config, AdmitError> {
    let config = Config::load(path)?;
    let machine = Machine::read()?;
    let_through(path, config, Some(&machine))
}

/// The same for a gateway that is not on this machine: the file alone is looked at.
pub fn admit_offline(path: &Path) -> Result<Config, AdmitError> {
    let_through(path, Config::load(path)?, None)
}

fn let_through(
    path: &Path,
    config: Config,
    machine: Option<&Machine>,
) -> Result<Config, AdmitError> {
    let findings = check(&config, machine);
    let (errors, warnings): (Vec<_>, Vec<_>) = findings.into_iter().partition(Finding::is_error);
    for warning in warnings {
        tracing::warn!(file = %path.display(), "{warning}");
    }
    if errors.is_empty() {
        return Ok(config);
    }
    Err(AdmitError::Refused {
        path: path.to_owned(),
        findings: errors,
    })
}

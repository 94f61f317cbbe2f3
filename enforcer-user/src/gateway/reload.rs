//! A new configuration for a running gateway: read, checked and compiled before anything is touched.

use std::{
    collections::HashSet,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use enforcer_common::host::Host;
use tokio::sync::watch;

use super::{GatewayError, addresses::Addresses, children, numbers::Numbers, services, tables};
use crate::{
    config::{
        CompileError, Compiled, Config, ConfigError, Mode, RoleNames, changed,
        check::{self, Finding},
        machine::{Machine, MachineError},
        need_restart,
    },
    datapath::Plan,
};

/// Why a configuration does not come in force.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReloadError {
    /// It cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The machine cannot be looked at.
    #[error(transparent)]
    Machine(#[from] MachineError),
    /// The addresses of this machine cannot be read.
    #[error("cannot read the addresses of this machine: {0}")]
    Addresses(#[from] nix::Error),
    /// Something is wrong with it.
    #[error("{}", lines(.0))]
    Faulty(Vec<Finding>),
    /// It changes what cannot be changed while the gateway runs.
    #[error("it changes what only a restart can change: {}", .0.join(", "))]
    NeedsRestart(Vec<String>),
    /// It cannot be compiled.
    #[error(transparent)]
    Compile(#[from] CompileError),
}

fn lines(findings: &[Finding]) -> String {
    let lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
    lines.join("\n  ")
}

/// What a running gateway reads its configuration anew with.
#[derive(Debug)]
pub(crate) struct Reloads {
    path: PathBuf,
    /// The addresses of management servers elsewhere.
    remote: Vec<SocketAddr>,
    /// What the HTTP child is started with.
    http: watch::Sender<children::Arguments>,
    http_socket: PathBuf,
    /// The roles that lists may name.
    roles: watch::Sender<RoleNames>,
}

/// A configuration that may come in force.
#[derive(Debug)]
pub(crate) struct Fresh {
    /// As it stands in the file.
    pub(crate) config: Config,
    /// The same, compiled, with the mode that is to be in force.
    pub(crate) compiled: Compiled,
    /// The gateway's own addresses.
    pub(crate) own: HashSet<Host>,
    /// What is wanted on each interface.
    pub(crate) plans: Vec<Plan>,
    /// The keys that are not as before.
    pub(crate) changed: Vec<String>,
}

impl Reloads {
    /// For a gateway whose configuration is at `path`.
    pub(super) fn new(
        path: &Path,
        remote: Vec<SocketAddr>,
        (http, roles): (watch::Sender<children::Arguments>, watch::Sender<RoleNames>),
        http_socket: &Path,
    ) -> Self {
        Self {
            path: path.to_owned(),
            remote,
            http,
            http_socket: http_socket.to_owned(),
            roles,
        }
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file. The mode that an operator has switched to stays, unless the file names another than before.
    pub(crate) fn read(
        &self,
        old: &Config,
        roles: &RoleNames,
        mode: Mode,
    ) -> Result<Fresh, ReloadError> {
        let config = Config::load(&self.path)?;
        let mode = if config.mode == old.mode {
            mode
        } else {
            config.mode
        };
        let in_force = Config {
            mode,
            ..config.clone()
        };
        let findings = check::check(&in_force, Some(&Machine::read()?));
        let (errors, warnings): (Vec<_>, Vec<_>) =
            findings.into_iter().partition(Finding::is_error);
        if !errors.is_empty() {
            return Err(ReloadError::Faulty(errors));
        }
        let fixed = need_restart(old, &config);
        if !fixed.is_empty() {
            return Err(ReloadError::NeedsRestart(fixed));
        }
        for warning in warnings {
            tracing::warn!(file = %self.path.display(), "{warning}");
        }
        let addresses = Addresses::read()?;
        let services = services::own(&config, &addresses, &self.remote);
        let compiled = in_force.compile_after(&services, roles)?;
        let interfaces = compiled.interfaces.iter();
        let plans = interfaces.map(|one| tables::plan(&config, one, &addresses));
        Ok(Fresh {
            plans: plans.collect(),
            own: tables::own_hosts(&compiled, &addresses),
            changed: changed(old, &config),
            compiled,
            config,
        })
    }

    /// What else follows the configuration: the numbers that are kept for the next start, the HTTP child, and lists
    /// that name roles.
    pub(crate) fn spread(&self, config: &Config, compiled: &Compiled) -> Result<(), GatewayError> {
        let arguments = children::http_arguments(config, &self.http_socket);
        self.http.send_if_modified(|current| {
            let differs = *current != arguments;
            *current = arguments;
            differs
        });
        self.roles.send_if_modified(|current| {
            let differs = *current != compiled.roles;
            current.clone_from(&compiled.roles);
            differs
        });
        Numbers::of(config, compiled).keep(&config.state_dir)
    }
}

//! Everything that is wrong with a configuration, all at once.
//!
//! [`check`] only looks; [`admit`] is what `enforcer run` asks before it touches anything.

mod admit;
mod alerts;
mod fault;
mod files;
mod interfaces;
mod listeners;
mod lockout;
mod nat;
mod roles;
mod rules;
mod scopes;
mod sources;

use std::{fmt, time::Duration};

use ipnet::IpNet;
use serde::{Serialize, Serializer, ser::SerializeStruct};

pub use admit::{AdmitError, admit, admit_offline};
pub use alerts::AlertFault;
pub use fault::Fault;
pub use nat::MappingFault;

use super::{Config, Places, machine::Machine};

/// The most rows that a hosts table may have: 2^24 take about a gigabyte in each family.
const MAX_HOSTS: u32 = 1 << 24;

/// The shortest lease: a server sends heartbeats at most once a second.
const MIN_LEASE: Duration = Duration::from_secs(2);

/// One thing that is wrong, and where.
#[derive(Debug)]
pub struct Finding {
    /// The line; `None` when nothing in the file is at fault, but that something is missing.
    pub line: Option<usize>,
    /// The key, as a path: `role.quarantine.rule[0].ports`, counted from 0.
    pub key: String,
    /// What is wrong.
    pub fault: Fault,
}

/// Whether a finding keeps the configuration from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It does not.
    Warning,
    /// It does.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl Finding {
    /// Whether the configuration cannot be used.
    pub fn is_error(&self) -> bool {
        self.fault.severity() == Severity::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}, ")?;
        }
        write!(f, "{}: {}; {}", self.key, self.fault, self.fault.remedy())
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut finding = serializer.serialize_struct("Finding", 5)?;
        finding.serialize_field("severity", &self.fault.severity())?;
        finding.serialize_field("line", &self.line)?;
        finding.serialize_field("key", &self.key)?;
        finding.serialize_field("message", &self.fault.to_string())?;
        finding.serialize_field("remedy", &self.fault.remedy())?;
        finding.end()
    }
}

/// Everything that is wrong with a configuration, in the order of its lines: in itself, and on this
/// machine where one is given.
pub fn check(config: &Config, machine: Option<&Machine>) -> Vec<Finding> {
    let mut findings = Findings::new(&config.places);
    interfaces::check(config, &mut findings);
    scopes::check(config, &mut findings);
    roles::check(config, &mut findings);
    rules::check(config, &mut findings);
    listeners::check(config, &mut findings);
    nat::check(config, &mut findings);
    sources::check(config, &mut findings);
    alerts::check(config, &mut findings);
    limits(config, &mut findings);
    if let Some(machine) = machine {
        interfaces::check_machine(config, machine, &mut findings);
        files::check(config, &mut findings);
        sources::check_machine(config, &mut findings);
        alerts::check_machine(config, &mut findings);
        lockout::check(config, machine, &mut findings);
    }
    findings.list.sort_by_key(|finding| finding.line);
    findings.list
}

/// Whether everything fits; only asked when nothing else is wrong, since compiling needs that.
fn limits(config: &Config, findings: &mut Findings<'_>) {
    if findings.list.iter().any(Finding::is_error) {
        return;
    }
    if let Err(error) = config.compile(&[]) {
        let key = error.key();
        findings.add(key, Fault::Compile(error));
    }
}

/// The findings so far.
struct Findings<'a> {
    places: &'a Places,
    list: Vec<Finding>,
}

impl<'a> Findings<'a> {
    const fn new(places: &'a Places) -> Self {
        Self {
            places,
            list: Vec::new(),
        }
    }

    fn add(&mut self, key: impl Into<String>, fault: Fault) {
        let key = key.into();
        let line = self.places.line(&key);
        self.list.push(Finding { line, key, fault });
    }

    /// What is wrong with a prefix wherever it stands.
    fn prefix(&mut self, key: &str, prefix: IpNet) {
        if prefix != prefix.trunc() {
            self.add(key, Fault::HostBits { prefix });
        }
        if matches!(prefix, IpNet::V6(v6) if v6.prefix_len() >= 96 && v6.network().to_ipv4_mapped().is_some())
        {
            self.add(key, Fault::MappedPrefix { prefix });
        }
    }
}

#[cfg(test)]
mod tests;

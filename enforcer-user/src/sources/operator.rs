//! The operator as a source: exceptions, kept over restarts, each with who made it and why.

mod file;

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    path::{Path, PathBuf},
};

use enforcer_common::{host::Host, role::RoleId};
use jiff::Timestamp;

use crate::{
    audit::{Audit, AuditError, Deed},
    identity::Zones,
    registry::{Exception, Operator},
};
use file::{FileError, Stored};

/// Name of the file in the state directory.
pub const FILE: &str = "exceptions.json";

/// Why an order of the operator is not carried out.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The exceptions cannot be read or stored.
    #[error(transparent)]
    File(#[from] FileError),
    /// The order cannot be written down, and so is not obeyed.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The host or the role has no name, so that it cannot be stored.
    #[error("zone {zone} or role {} is none of this configuration; nothing was changed", role.0)]
    Nameless {
        /// The zone.
        zone: u32,
        /// The role.
        role: RoleId,
    },
    /// There is no exception to end.
    #[error(
        "{address} in zone `{zone}` has no exception; `enforcer hosts` shows which hosts have one"
    )]
    None {
        /// The address.
        address: IpAddr,
        /// The zone.
        zone: String,
    },
}

type Table = BTreeMap<(String, IpAddr), Stored>;

/// Names of zones and roles: exceptions are stored by name, since numbers change with the configuration.
#[derive(Clone, Debug)]
pub struct Names {
    /// The zones.
    pub zones: Zones,
    /// The roles.
    pub roles: HashMap<String, RoleId>,
}

impl Names {
    fn role(&self, role: RoleId) -> Option<&str> {
        let mut roles = self.roles.iter();
        roles
            .find(|(_, id)| **id == role)
            .map(|(name, _)| name.as_str())
    }
}

/// The operator's exceptions. What is changed here is on the disk when the call returns; that it reaches
/// the registry is up to the caller.
#[derive(Debug)]
pub struct Exceptions {
    path: PathBuf,
    names: Names,
    audit: Audit,
    stored: Table,
}

impl Exceptions {
    /// Reads what is stored in the state directory; what has ended by `now` is left out. A file that
    /// cannot be understood is kept aside, said, and not used.
    pub fn open(
        state_dir: &Path,
        names: Names,
        audit: Audit,
        now: Timestamp,
    ) -> Result<Self, OperatorError> {
        let path = state_dir.join(FILE);
        let stored = file::read(&path, now)?.into_iter();
        let lasting = stored.filter(|stored| stored.until.is_none_or(|until| until > now));
        let stored = lasting.map(|stored| (stored.key(), stored)).collect();
        let exceptions = Self {
            path,
            names,
            audit,
            stored,
        };
        exceptions.report_foreign();
        Ok(exceptions)
    }

    /// The exceptions of hosts and roles that the configuration has.
    pub fn active(&self) -> impl Iterator<Item = (Host, Exception)> {
        self.stored
            .values()
            .filter_map(|stored| self.understand(stored))
    }

    /// The roles have these names now.
    pub fn set_roles(&mut self, roles: HashMap<String, RoleId>) {
        self.names.roles = roles;
    }

    /// Where deeds that are no exceptions are written down too.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// Makes an exception, in the place of the one that the host has, if any.
    pub fn except(&mut self, host: Host, exception: &Exception) -> Result<(), OperatorError> {
        let role = self.names.role(exception.role);
        let Some((zone, role)) = self.names.zones.name(host.zone).zip(role) else {
            let (zone, role) = (host.zone, exception.role);
            return Err(OperatorError::Nameless { zone, role });
        };
        let stored = Stored::new(zone, host.address.into(), role, exception);
        let until = stored
            .until
            .map_or("released".to_owned(), |until| until.to_string());
        let details = format!("{} until {until}: {}", stored.role, stored.reason);
        self.record(
            exception.since,
            &exception.by,
            "except",
            &stored.key(),
            &details,
        )?;
        let mut table = self.stored.clone();
        table.insert(stored.key(), stored);
        self.store(table)
    }

    /// Ends the exception of a host.
    pub fn release(
        &mut self,
        host: Host,
        by: &Operator,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), OperatorError> {
        let zone = self
            .names
            .zones
            .name(host.zone)
            .unwrap_or_default()
            .to_owned();
        let key = (zone, IpAddr::from(host.address));
        if !self.stored.contains_key(&key) {
            let (zone, address) = key;
            return Err(OperatorError::None { address, zone });
        }
        self.record(now, by, "release", &key, reason)?;
        let mut table = self.stored.clone();
        table.remove(&key);
        self.store(table)
    }

    /// Drops the exceptions that have ended by now.
    pub fn expire(&mut self, now: Timestamp) -> Result<(), OperatorError> {
        let mut table = self.stored.clone();
        table.retain(|_, stored| stored.until.is_none_or(|until| until > now));
        if table.len() == self.stored.len() {
            return Ok(());
        }
        self.store(table)
    }

    /// Memory follows the disk: what cannot be stored changes nothing.
    fn store(&mut self, table: Table) -> Result<(), OperatorError> {
        file::write(&self.path, table.values())?;
        self.stored = table;
        Ok(())
    }

    fn record(
        &self,
        time: Timestamp,
        who: &Operator,
        action: &str,
        (zone, address): &(String, IpAddr),
        details: &str,
    ) -> Result<(), AuditError> {
        let object = &format!("{zone} {address}");
        self.audit.record(&Deed {
            time,
            who,
            action,
            object,
            details,
        })
    }

    fn understand(&self, stored: &Stored) -> Option<(Host, Exception)> {
        let host = Host {
            zone: self.names.zones.number(&stored.zone)?,
            address: stored.address.into(),
        };
        Some((host, stored.exception(*self.names.roles.get(&stored.role)?)))
    }

    fn report_foreign(&self) {
        for stored in self
            .stored
            .values()
            .filter(|stored| self.understand(stored).is_none())
        {
            tracing::warn!(
                address = %stored.address, zone = stored.zone, role = stored.role,
                "an exception is kept but has no effect: the configuration lacks its zone or role"
            );
        }
    }
}

#[cfg(test)]
mod tests;

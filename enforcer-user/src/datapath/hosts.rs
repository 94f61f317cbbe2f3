//! The hosts tables: what the registry decided, written in batches.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
};

use bytemuck::Pod;
use enforcer_common::{
    host::{Family, Host, HostKey, HostKeyV4, HostRow},
    limits,
};

use super::{
    Datapath, DatapathError,
    batch::{self, Refused},
    plain::Plain,
};

/// A change of one host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostChange {
    /// This is decided now.
    Set(Host, HostRow),
    /// Nothing is decided any more.
    Remove(Host),
}

impl HostChange {
    fn host(&self) -> &Host {
        match self {
            Self::Set(host, _) | Self::Remove(host) => host,
        }
    }
}

/// Rows sorted by what is to be done with them. The last change of a host must be its only one.
#[derive(Default)]
struct Sorted {
    set_v4: (Vec<HostKeyV4>, Vec<HostRow>),
    set_v6: (Vec<HostKey>, Vec<HostRow>),
    remove_v4: Vec<HostKeyV4>,
    remove_v6: Vec<HostKey>,
}

impl Sorted {
    fn of(changes: &[HostChange]) -> Self {
        let mut sorted = Self::default();
        for change in changes {
            let host = change.host();
            match (host.address.family(), *change) {
                (Family::V4, HostChange::Set(_, row)) => {
                    sorted.set_v4.0.push(host.key_v4());
                    sorted.set_v4.1.push(row);
                }
                (Family::V6, HostChange::Set(_, row)) => {
                    sorted.set_v6.0.push(host.key());
                    sorted.set_v6.1.push(row);
                }
                (Family::V4, HostChange::Remove(_)) => sorted.remove_v4.push(host.key_v4()),
                (Family::V6, HostChange::Remove(_)) => sorted.remove_v6.push(host.key()),
            }
        }
        sorted
    }
}

impl Datapath {
    /// Puts changes in force. When this returns, no packet is judged by an older decision of these
    /// hosts: the rows are written first, and then the generations of their buckets are bumped.
    ///
    /// # Errors
    ///
    /// [`DatapathError::Refused`] names the hosts whose rows the kernel did not take, since a table is
    /// full or memory lacks; all others are in force.
    pub fn apply(&mut self, changes: &[HostChange]) -> Result<(), DatapathError> {
        let written = self.write(&Sorted::of(changes));
        let buckets = changes
            .iter()
            .map(|change| change.host().bucket())
            .collect();
        self.bump(buckets)?;
        written
    }

    /// What the hosts tables hold.
    pub fn hosts(&self) -> Result<Vec<(Host, HostRow)>, DatapathError> {
        let mut hosts = Vec::new();
        for entry in &self.maps.hosts_v4 {
            let (Plain(key), Plain(row)) = entry.map_err(|error| DatapathError::Map {
                name: "HOSTS_V4",
                error,
            })?;
            hosts.push((Host::from(key), row));
        }
        for entry in &self.maps.hosts_v6 {
            let (Plain(key), Plain(row)) = entry.map_err(|error| DatapathError::Map {
                name: "HOSTS_V6",
                error,
            })?;
            hosts.push((Host::from(key), row));
        }
        Ok(hosts)
    }

    /// Empties every verdict cache, for changes that concern many hosts.
    pub fn bump_all(&mut self) -> Result<(), DatapathError> {
        self.bump((0..limits::GENERATIONS).collect())
    }

    fn write(&mut self, rows: &Sorted) -> Result<(), DatapathError> {
        let v4 = self.maps.hosts_v4_rows.fd().as_fd();
        let v6 = self.maps.hosts_v6_rows.fd().as_fd();
        // Removals first: they make room.
        let results = [
            refused(
                "HOSTS_V4",
                &rows.remove_v4,
                batch::remove(v4, &rows.remove_v4),
            ),
            refused(
                "HOSTS_V6",
                &rows.remove_v6,
                batch::remove(v6, &rows.remove_v6),
            ),
            refused(
                "HOSTS_V4",
                &rows.set_v4.0,
                self.update(v4, &rows.set_v4.0, &rows.set_v4.1),
            ),
            refused(
                "HOSTS_V6",
                &rows.set_v6.0,
                self.update(v6, &rows.set_v6.0, &rows.set_v6.1),
            ),
        ];
        let mut results = results.into_iter().filter_map(Result::err);
        let Some(first) = results.next() else {
            return Ok(());
        };
        Err(results
            .fold(first, |sum, next| Unwritten {
                hosts: [sum.hosts, next.hosts].concat(),
                ..sum
            })
            .into())
    }

    /// Writes rows, unless a test has them refused.
    fn update<K: Pod>(
        &self,
        map: BorrowedFd<'_>,
        keys: &[K],
        rows: &[HostRow],
    ) -> Result<(), Refused> {
        match self.simulation.refusal() {
            Some(error) if !rows.is_empty() => Err(Refused {
                rows: (0..rows.len()).collect(),
                error,
            }),
            _ => batch::update(map, keys, rows),
        }
    }

    fn bump(&mut self, buckets: Vec<u32>) -> Result<(), DatapathError> {
        let mut keys = buckets;
        keys.sort_unstable();
        keys.dedup();
        let values: Vec<u64> = keys
            .iter()
            .map(|bucket| {
                let generation = &mut self.generations[*bucket as usize];
                *generation += 1;
                *generation
            })
            .collect();
        batch::update(self.maps.generations_rows.fd().as_fd(), &keys, &values)
            .map_err(|Refused { error, .. }| DatapathError::Generations(error))
    }
}

/// Hosts whose rows were not written.
struct Unwritten {
    table: &'static str,
    hosts: Vec<Host>,
    error: io::Error,
}

impl From<Unwritten> for DatapathError {
    fn from(
        Unwritten {
            table,
            hosts,
            error,
        }: Unwritten,
    ) -> Self {
        Self::Refused {
            table,
            hosts,
            error,
        }
    }
}

fn refused<K: Copy + Into<Host>>(
    table: &'static str,
    keys: &[K],
    result: Result<(), Refused>,
) -> Result<(), Unwritten> {
    result.map_err(|Refused { rows, error }| Unwritten {
        table,
        hosts: rows.into_iter().map(|row| keys[row].into()).collect(),
        error,
    })
}

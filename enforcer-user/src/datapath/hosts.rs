//! The hosts tables: what the registry decided, written in batches.

use std::{collections::BTreeSet, os::fd::AsFd};

use enforcer_common::{
    host::{Family, Host, HostKey, HostKeyV4, HostRow},
    limits,
};

use super::{
    Datapath, DatapathError,
    batch::{self, Partial},
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
    /// When a table is full or memory lacks: [`DatapathError::Batch`] names the hosts that are left as
    /// they were; all other changes are in force.
    pub fn apply(&mut self, changes: &[HostChange]) -> Result<(), DatapathError> {
        let written = self.write(&Sorted::of(changes));
        let buckets = changes
            .iter()
            .map(|change| change.host().bucket())
            .collect();
        self.bump(&buckets)?;
        written
    }

    /// What the hosts tables hold.
    pub fn hosts(&self) -> Result<Vec<(Host, HostRow)>, DatapathError> {
        let mut hosts = Vec::new();
        for entry in self.maps.hosts_v4.iter() {
            let (Plain(key), Plain(row)) = entry.map_err(|error| DatapathError::Map {
                name: "HOSTS_V4",
                error,
            })?;
            hosts.push((Host::from(key), row));
        }
        for entry in self.maps.hosts_v6.iter() {
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
        self.bump(&(0..limits::GENERATIONS).collect())
    }

    /// Each table is written whatever became of the others.
    fn write(&self, rows: &Sorted) -> Result<(), DatapathError> {
        let v4 = self.maps.hosts_v4_rows.fd().as_fd();
        let v6 = self.maps.hosts_v6_rows.fd().as_fd();
        let (set_v4, set_v6) = (&rows.set_v4, &rows.set_v6);
        [
            told(
                "HOSTS_V4",
                &rows.remove_v4,
                batch::remove(v4, &rows.remove_v4),
            ),
            told(
                "HOSTS_V6",
                &rows.remove_v6,
                batch::remove(v6, &rows.remove_v6),
            ),
            told(
                "HOSTS_V4",
                &set_v4.0,
                batch::update(v4, &set_v4.0, &set_v4.1),
            ),
            told(
                "HOSTS_V6",
                &set_v6.0,
                batch::update(v6, &set_v6.0, &set_v6.1),
            ),
        ]
        .into_iter()
        .reduce(both)
        .unwrap_or(Ok(()))
    }

    fn bump(&mut self, buckets: &BTreeSet<u32>) -> Result<(), DatapathError> {
        let keys: Vec<u32> = buckets.iter().copied().collect();
        let values: Vec<u64> = keys
            .iter()
            .map(|bucket| {
                let generation = &mut self.generations[*bucket as usize];
                *generation += 1;
                *generation
            })
            .collect();
        let written = batch::update(self.maps.generations_rows.fd().as_fd(), &keys, &values);
        written.map_err(|Partial { refused, error }| DatapathError::Batch {
            table: "GENERATIONS",
            rows: refused.len(),
            refused: Vec::new(),
            error,
        })
    }
}

/// The same with the hosts that it concerns.
fn told<K: Copy + Into<Host>>(
    table: &'static str,
    keys: &[K],
    written: Result<(), Partial>,
) -> Result<(), DatapathError> {
    written.map_err(|Partial { refused, error }| DatapathError::Batch {
        table,
        rows: refused.len(),
        refused: refused.iter().map(|row| keys[*row].into()).collect(),
        error,
    })
}

/// The first error, with the hosts of both.
fn both(
    one: Result<(), DatapathError>,
    other: Result<(), DatapathError>,
) -> Result<(), DatapathError> {
    match (one, other) {
        (
            Err(DatapathError::Batch {
                table,
                rows,
                mut refused,
                error,
            }),
            Err(DatapathError::Batch { refused: more, .. }),
        ) => {
            refused.extend(more);
            Err(DatapathError::Batch {
                table,
                rows,
                refused,
                error,
            })
        }
        (one, other) => one.and(other),
    }
}

//! From what the registry yields to rows in the kernel, and back.

use std::collections::{HashMap, HashSet};

use enforcer_common::host::{FOREVER, Host, HostRow};
use jiff::{SignedDuration, Timestamp};

use super::Controller;
use crate::{
    datapath::{Clock, Datapath, DatapathError, HostChange},
    identity::Mac,
    registry::{Change, Row},
};

/// Changes that the kernel did not take: the newest of each host.
#[derive(Debug, Default)]
pub(super) struct Retry {
    changes: HashMap<Host, Change>,
    /// What was said of it last, so that it is said once.
    said: Option<String>,
}

impl Retry {
    /// Whether the kernel does not hold yet what it should of this host.
    pub(super) fn awaits(&self, host: &Host) -> bool {
        self.changes.contains_key(host)
    }

    /// Whether the kernel holds all that it should.
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl Controller {
    /// Writes changes to the kernel. What it does not take is kept and tried again: it concerns those
    /// hosts alone.
    pub(super) fn put_in_force(&mut self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        let pending = std::mem::take(&mut self.retry.changes);
        let newest: HashMap<Host, Change> = pending
            .into_values()
            .chain(changes)
            .map(|change| (*change.host(), change))
            .collect();
        let Ok(now) = self.datapath.clock().now() else {
            self.retry.changes = newest;
            return;
        };
        let rows: Vec<HostChange> = newest
            .values()
            .map(|change| to_kernel(change, self.datapath.clock(), now))
            .collect();
        match self.datapath.apply(&rows) {
            Ok(()) => {
                if self.retry.said.take().is_some() {
                    tracing::info!("the kernel's tables hold everything again");
                }
            }
            Err(error) => {
                let text = error.to_string();
                if self.retry.said.as_ref() != Some(&text) {
                    tracing::error!(
                        "{text}; these hosts keep what was in force, and it is tried again"
                    );
                    self.retry.said = Some(text);
                }
                self.retry.changes = newest;
                if let DatapathError::Batch { refused, .. } = &error
                    && !refused.is_empty()
                {
                    let refused: HashSet<&Host> = refused.iter().collect();
                    self.retry.changes.retain(|host, _| refused.contains(host));
                }
            }
        }
    }

    pub(super) fn try_again(&mut self) {
        let changes = std::mem::take(&mut self.retry.changes);
        self.put_in_force(changes.into_values().collect());
    }

    /// Compares the registry with the kernel's tables, and sets right what differs.
    pub(super) fn compare(&mut self) {
        if !self.retry.is_empty() {
            return;
        }
        let rows = match from_kernel(&self.datapath) {
            Ok(rows) => rows,
            Err(error) => {
                tracing::error!("cannot compare with the kernel's tables: {error}");
                return;
            }
        };
        let repairs = self.registry.reconcile(rows);
        if repairs.is_empty() {
            return;
        }
        self.drift += repairs.len() as u64;
        tracing::warn!(
            rows = repairs.len(),
            "rows of the kernel's tables were not as decided; set right"
        );
        self.put_in_force(repairs);
    }
}

/// Writes changes to the kernel before there is a controller that could try again.
pub fn apply(datapath: &mut Datapath, changes: &[Change]) -> Result<(), DatapathError> {
    let now = datapath.clock().now()?;
    let rows: Vec<HostChange> = changes
        .iter()
        .map(|change| to_kernel(change, datapath.clock(), now))
        .collect();
    datapath.apply(&rows)
}

fn to_kernel(change: &Change, clock: &Clock, now: u64) -> HostChange {
    match *change {
        Change::Remove(host) => HostChange::Remove(host),
        Change::Set(
            host,
            Row {
                role,
                source,
                mac,
                until,
            },
        ) => {
            let deadline = until.map_or(FOREVER, |until| deadline(until, clock, now));
            let mac = mac.map_or([0; 6], |Mac(bytes)| bytes);
            HostChange::Set(
                host,
                HostRow {
                    deadline,
                    mac,
                    role,
                    source,
                },
            )
        }
    }
}

/// The wall clock is asked only here; from then on the kernel counts jiffies, which no change of the
/// clock moves.
fn deadline(until: Timestamp, clock: &Clock, now: u64) -> u64 {
    let left = until
        .duration_since(Timestamp::now())
        .max(SignedDuration::ZERO);
    now.saturating_add(clock.ticks(left.unsigned_abs()))
}

/// What the kernel's tables hold.
pub fn from_kernel(datapath: &Datapath) -> Result<Vec<(Host, Row)>, DatapathError> {
    let clock = datapath.clock();
    let (jiffies, now) = (clock.now()?, Timestamp::now());
    let end = |deadline: u64| {
        let left = clock.duration(deadline.saturating_sub(jiffies));
        SignedDuration::try_from(left)
            .ok()
            .and_then(|left| now.checked_add(left).ok())
    };
    let rows = datapath.hosts()?;
    Ok(rows
        .into_iter()
        .map(
            |(
                host,
                HostRow {
                    deadline,
                    mac,
                    role,
                    source,
                },
            )| {
                let until = (deadline != FOREVER).then(|| end(deadline)).flatten();
                let mac = (mac != [0; 6]).then_some(Mac(mac));
                (
                    host,
                    Row {
                        role,
                        source,
                        mac,
                        until,
                    },
                )
            },
        )
        .collect())
}

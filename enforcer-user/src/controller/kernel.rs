//! From what the registry yields to rows in the kernel, and back.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use enforcer_common::host::{FOREVER, Host, HostRow, Origin};
use jiff::{SignedDuration, Timestamp};

use super::{Controller, tracking::ToTell};
use crate::{
    control::event::EventKind,
    datapath::{Clock, Datapath, DatapathError, HostChange},
    identity::Mac,
    registry::{Change, Row},
};

/// How long to wait before rows that were refused are tried again: at first, and at most.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Changes that the kernel did not take: the newest of each host.
#[derive(Debug)]
pub(super) struct Retry {
    changes: HashMap<Host, Change>,
    next: Instant,
    pause: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            changes: HashMap::new(),
            next: Instant::now(),
            pause: PAUSE,
        }
    }
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

    /// One change for each host: from what the kernel holds, over what it did not take, to what comes last.
    fn newest(&mut self, changes: Vec<Change>) -> Vec<Change> {
        // As the registry yields them for one cause.
        let is_one_each = changes.is_sorted_by(|one, next| one.host < next.host);
        if is_one_each && self.changes.is_empty() {
            return changes;
        }
        let mut newest = HashMap::with_capacity(changes.len());
        for change in changes {
            let first = newest
                .remove(&change.host)
                .or_else(|| self.changes.remove(&change.host));
            let before = first.map_or(change.before, |first: Change| first.before);
            newest.insert(change.host, Change { before, ..change });
        }
        newest.into_values().collect()
    }
}

impl Controller {
    /// Writes changes to the kernel. What it does not take is kept and tried again: it concerns those
    /// hosts alone.
    pub(super) fn put_in_force(&mut self, changes: Vec<Change>) {
        let to_tell = self.enforce(changes);
        self.track(to_tell);
    }

    /// The same, with what is to be told of it: behind all that somebody waits for.
    pub(super) fn enforce(&mut self, changes: Vec<Change>) -> ToTell {
        let was_whole = self.retry.is_empty();
        if let Some(saver) = self.saver.as_mut().filter(|_| !changes.is_empty()) {
            saver.change();
        }
        let newest = self.retry.newest(changes);
        self.begin_closing(newest.iter());
        self.note_changes(newest.iter());
        let to_tell = self.tracked(newest.iter());
        if newest.iter().any(|change| change.after.is_none()) {
            // There may be room now.
            self.retry.next = Instant::now();
        }
        if let Err(error) = self.write(newest)
            && was_whole
        {
            tracing::error!("{error}; what is not in force is tried again");
        }
        to_tell
    }

    pub(super) fn try_again(&mut self) {
        if self.retry.is_empty() || Instant::now() < self.retry.next {
            return;
        }
        let changes = std::mem::take(&mut self.retry.changes);
        if self.write(changes.into_values().collect()).is_ok() {
            self.retry.pause = PAUSE;
            tracing::info!("the kernel's tables hold everything again");
            return;
        }
        self.retry.next = Instant::now() + self.retry.pause;
        self.retry.pause = (self.retry.pause * 2).min(LONGEST_PAUSE);
    }

    fn write(&mut self, mut changes: Vec<Change>) -> Result<(), DatapathError> {
        if changes.is_empty() {
            return Ok(());
        }
        let (clock, time) = (self.datapath.clock(), self.clock.now());
        let rows = clock.now().map(|now| {
            let end = |until| deadline(until, time, clock, now);
            changes
                .iter()
                .map(|change| to_kernel(change, self.closing.has(&change.host), end))
                .collect::<Vec<_>>()
        });
        let written = rows.and_then(|rows| self.datapath.apply(&rows));
        if let Err(DatapathError::Refused { hosts, .. }) = &written {
            let refused: HashSet<&Host> = hosts.iter().collect();
            changes.retain(|change| refused.contains(&change.host));
        }
        if written.is_err() {
            let changes = changes.into_iter();
            let by_host = changes.map(|change| (change.host, change));
            self.retry.changes.extend(by_host);
        }
        written
    }

    /// Compares the registry with the kernel's tables, and sets right what differs.
    pub(super) fn compare(&mut self) {
        if !self.retry.is_empty() {
            return;
        }
        let rows = match from_kernel(&self.datapath, self.clock.now()) {
            Ok(held) => held.rows,
            Err(error) => {
                tracing::error!("cannot compare with the kernel's tables: {error}");
                return;
            }
        };
        self.compared = Some(Timestamp::now());
        let repairs = self.registry.reconcile(rows);
        if repairs.is_empty() {
            return;
        }
        self.drift += repairs.len() as u64;
        self.note(
            EventKind::Drift,
            format!(
                "{} rows of the kernel's tables were set right",
                repairs.len()
            ),
        );
        tracing::warn!(
            rows = repairs.len(),
            "rows of the kernel's tables were not as decided; set right"
        );
        self.put_in_force(repairs);
    }
}

/// Writes changes to the kernel before there is a controller that could try again.
pub fn apply(datapath: &mut Datapath, changes: &[Change]) -> Result<(), DatapathError> {
    let (clock, time) = (datapath.clock(), Timestamp::now());
    let now = clock.now()?;
    let end = |until| deadline(until, time, clock, now);
    let rows: Vec<HostChange> = changes
        .iter()
        .map(|change| to_kernel(change, false, end))
        .collect();
    datapath.apply(&rows)
}

fn to_kernel(change: &Change, closing: bool, end: impl Fn(Timestamp) -> u64) -> HostChange {
    let Some(Row {
        role,
        source,
        mac,
        until,
    }) = change.after
    else {
        return HostChange::Remove(change.host);
    };
    let origin = Origin::of(source);
    let row = HostRow {
        deadline: until.map_or(FOREVER, end),
        mac: mac.map_or([0; 6], |Mac(bytes)| bytes),
        role,
        origin: if closing { origin.closing() } else { origin },
    };
    HostChange::Set(change.host, row)
}

/// The kernel counts jiffies, which no change of the clock moves. `time` and `now` are the same moment.
fn deadline(until: Timestamp, time: Timestamp, clock: &Clock, now: u64) -> u64 {
    let left = until.duration_since(time).max(SignedDuration::ZERO);
    now.saturating_add(clock.ticks(left.unsigned_abs()))
}

/// What the kernel's table of hosts holds.
#[derive(Debug)]
pub struct Held {
    /// Its rows.
    pub rows: Vec<(Host, Row)>,
    /// The hosts that are marked as closing.
    pub closing: Vec<Host>,
}

/// What the kernel's table of hosts holds, with its ends told by a clock that says `now`.
pub fn from_kernel(datapath: &Datapath, now: Timestamp) -> Result<Held, DatapathError> {
    let clock = datapath.clock();
    let jiffies = clock.now()?;
    let end = |deadline: u64| {
        let left = clock.duration(deadline.saturating_sub(jiffies));
        SignedDuration::try_from(left)
            .ok()
            .and_then(|left| now.checked_add(left).ok())
    };
    let held = datapath.hosts()?;
    let closing = held.iter().filter(|(_, row)| row.origin.is_closing());
    let closing = closing.map(|(host, _)| *host).collect();
    let row = |row: HostRow| Row {
        role: row.role,
        source: row.origin.source(),
        mac: (row.mac != [0; 6]).then_some(Mac(row.mac)),
        until: (row.deadline != FOREVER)
            .then(|| end(row.deadline))
            .flatten(),
    };
    let rows = held.into_iter().map(|(host, held)| (host, row(held)));
    Ok(Held {
        rows: rows.collect(),
        closing,
    })
}

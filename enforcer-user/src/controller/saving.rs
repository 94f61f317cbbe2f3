//! Saves what is decided, for the start after a reboot.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use enforcer_common::host::{Host, SourceId};
use jiff::Timestamp;
use tokio::task::JoinHandle;

use super::Controller;
use crate::{
    config::RoleNames,
    identity::Zones,
    registry::Row,
    saved::{self, SavedError, SavedRow, SavedSource},
};

/// Changes are gathered for so long.
const PAUSE: Duration = Duration::from_secs(2);

/// At most this part of the time is spent on saving: a million hosts take a while.
const PART: u32 = 20;

/// When and where decisions are saved.
#[derive(Debug)]
pub(super) struct Saver {
    path: PathBuf,
    /// How old what the file says of leases may become.
    freshness: Duration,
    is_changed: bool,
    began: Instant,
    next: Instant,
    copying: Option<Copying>,
    writing: Option<JoinHandle<Result<(), SavedError>>>,
    has_failed: bool,
}

impl Saver {
    /// One that saves to this file decisions of sources with leases of at least this length.
    pub(super) fn new(path: PathBuf, lease: Duration) -> Self {
        let now = Instant::now();
        Self {
            path,
            freshness: lease / 4,
            is_changed: false,
            began: now,
            next: now,
            copying: None,
            writing: None,
            has_failed: false,
        }
    }

    /// Something is decided otherwise than when it was last saved.
    pub(super) fn change(&mut self) {
        self.is_changed = true;
    }

    /// Whether it is time to save.
    fn is_due(&self, now: Instant) -> bool {
        let is_old = now.duration_since(self.began) >= self.freshness;
        let is_idle = self.copying.is_none() && self.writing.is_none();
        is_idle && now >= self.next && (self.is_changed || is_old)
    }
}

/// How many hosts are copied at once; whoever waits for the controller waits so long.
const SLICE: usize = 4096;

/// What is copied for the thread that writes. Decisions that change meanwhile are saved with the next copy.
#[derive(Debug)]
struct Copying {
    at: Timestamp,
    sources: Vec<SavedSource>,
    rows: Vec<(Host, Row)>,
    /// Up to this host.
    behind: Option<Host>,
}

impl Controller {
    /// Saves what is decided when it is time to.
    pub(super) async fn save(&mut self) {
        let now = Instant::now();
        let Some(saver) = &mut self.saver else { return };
        if let Some(written) = saver.writing.take_if(|writing| writing.is_finished()) {
            let took = now.duration_since(saver.began);
            saver.next = now + PAUSE.max(took * PART);
            let failed = match written.await {
                Ok(written) => written.err().map(|error| error.to_string()),
                Err(error) => Some(error.to_string()),
            };
            if let Some(error) = &failed
                && !saver.has_failed
            {
                tracing::error!("{error}");
            }
            saver.has_failed = failed.is_some();
            saver.is_changed |= saver.has_failed;
        }
        if !saver.is_due(now) {
            return;
        }
        saver.is_changed = false;
        saver.began = now;
        let copying = self.begin_copy();
        if let Some(saver) = &mut self.saver {
            saver.copying = Some(copying);
        }
    }

    /// Whether hosts are being copied to be saved.
    pub(super) fn is_copying(&self) -> bool {
        self.saver
            .as_ref()
            .is_some_and(|saver| saver.copying.is_some())
    }

    /// Copies some more; what is whole then is written.
    pub(super) fn copy_more(&mut self) {
        let copying = self.saver.as_mut().and_then(|saver| saver.copying.take());
        let Some(mut copying) = copying else { return };
        let is_whole = self.copy_slice(&mut copying);
        let names = is_whole.then(|| self.names());
        let Some(saver) = &mut self.saver else { return };
        let Some(names) = names else {
            saver.copying = Some(copying);
            return;
        };
        let path = saver.path.clone();
        let writing = tokio::task::spawn_blocking(move || names.write(&path, copying));
        saver.writing = Some(writing);
    }

    /// Saves for the last time.
    pub(super) async fn save_last(&mut self) {
        let Some(saver) = &mut self.saver else { return };
        if let Some(writing) = saver.writing.take() {
            // What it has to say is said by the last attempt.
            let _ = writing.await;
        }
        let path = saver.path.clone();
        let mut copying = self.begin_copy();
        while !self.copy_slice(&mut copying) {}
        if let Err(error) = self.names().write(&path, copying) {
            tracing::error!("{error}");
        }
    }

    fn begin_copy(&self) -> Copying {
        let at = Timestamp::now();
        let sources = self.sources.values().map(|heard| SavedSource {
            name: heard.profile.name.clone(),
            until: self
                .lease_left(heard.profile.id)
                .map(|left| at.saturating_add(left).unwrap_or(Timestamp::MAX)),
        });
        Copying {
            at,
            sources: sources.collect(),
            rows: Vec::new(),
            behind: None,
        }
    }

    /// What is decided, apart from what the operator ordered, which is kept by itself. Says whether that was the rest.
    fn copy_slice(&self, copying: &mut Copying) -> bool {
        let mut held = self.registry.held_after(copying.behind);
        for (host, row) in held.by_ref().take(SLICE) {
            copying.behind = Some(*host);
            if matches!(row.source, SourceId::GATEWAY | SourceId::OPERATOR) {
                continue;
            }
            let until = row.until.map(|until| self.clock.to_wall(until));
            copying.rows.push((*host, Row { until, ..*row }));
        }
        held.next().is_none()
    }

    fn names(&self) -> Names {
        let sources = self.sources.values();
        Names {
            zones: self.zones.clone(),
            roles: self.compiled.roles.clone(),
            sources: sources
                .map(|heard| (heard.profile.id, heard.profile.name.clone()))
                .collect(),
        }
    }
}

/// What is called how in the file.
struct Names {
    zones: Zones,
    roles: RoleNames,
    sources: BTreeMap<SourceId, String>,
}

impl Names {
    fn write(&self, path: &Path, copied: Copying) -> Result<(), SavedError> {
        let Copying {
            at,
            sources,
            mut rows,
            ..
        } = copied;
        rows.retain(|(host, row)| {
            self.zones.name(host.zone).is_some() && self.sources.contains_key(&row.source)
        });
        let rows = rows.iter().map(|(host, row)| self.row(host, row));
        saved::write(path, at, sources, rows)
    }

    fn row(&self, host: &Host, row: &Row) -> SavedRow {
        SavedRow {
            zone: self.zones.name(host.zone).unwrap_or_default().to_owned(),
            address: host.address.into(),
            role: self.roles.name(row.role).to_owned(),
            source: self.sources.get(&row.source).cloned().unwrap_or_default(),
            mac: row.mac.map(|mac| mac.to_string()),
            until: row.until,
        }
    }
}

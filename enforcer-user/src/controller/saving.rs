//! Saves what is decided, for the start after a reboot.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use enforcer_common::host::SourceId;
use jiff::Timestamp;
use tokio::task::JoinHandle;

use super::Controller;
use crate::saved::{self, Saved, SavedError, SavedRow, SavedSource};

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
        self.writing.is_none() && now >= self.next && (self.is_changed || is_old)
    }
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
        let path = saver.path.clone();
        let decided = self.saved();
        let writing = tokio::task::spawn_blocking(move || saved::write(&path, &decided));
        if let Some(saver) = &mut self.saver {
            saver.writing = Some(writing);
        }
    }

    /// Saves for the last time.
    pub(super) async fn save_last(&mut self) {
        let Some(saver) = &mut self.saver else { return };
        if let Some(writing) = saver.writing.take() {
            // What it has to say is said by the last attempt.
            let _ = writing.await;
        }
        let path = saver.path.clone();
        if let Err(error) = saved::write(&path, &self.saved()) {
            tracing::error!("{error}");
        }
    }

    /// What is decided, apart from what the operator ordered, which is kept by itself.
    fn saved(&self) -> Saved {
        let at = Timestamp::now();
        let sources = self.sources.values().map(|heard| SavedSource {
            name: heard.profile.name.clone(),
            until: self
                .lease_left(heard.profile.id)
                .map(|left| at.saturating_add(left).unwrap_or(Timestamp::MAX)),
        });
        let rows = self.registry.held().filter_map(|(host, row)| {
            if matches!(row.source, SourceId::GATEWAY | SourceId::OPERATOR) {
                return None;
            }
            Some(SavedRow {
                zone: self.zones.name(host.zone)?.to_owned(),
                address: host.address.into(),
                role: self.compiled.roles.name(row.role).to_owned(),
                source: self.source_name(row.source).to_owned(),
                mac: row.mac.map(|mac| mac.to_string()),
                until: row.until.map(|until| self.clock.to_wall(until)),
            })
        });
        Saved {
            at,
            sources: sources.collect(),
            rows: rows.collect(),
        }
    }
}
